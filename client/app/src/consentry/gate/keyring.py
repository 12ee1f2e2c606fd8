"""Keys of stored dataset versions: one a version, wrapped under the custodian's key, destroyed at erasure.

The keyring is never part of the storage that holds the data: once a version's key is destroyed, every copy of
its data, in backups too, is unreadable. Destroying one also replaces the custodian's key, so that an older
copy of the list of wrapped keys is of no use either.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.errors import ConfigurationError, InputRejected
from consentry.private_files import FILE_MODE, make_private_directory, refuse_exposed, write_private

KEY_BYTES = 32
_NONCE_BYTES = 12
_BUSY_SECONDS = 30.0
_LIST = "keys.sqlite"
_PREFIX = "custodian-"
_SUFFIX = ".key"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS custodian (name TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS keys (version_id TEXT PRIMARY KEY, wrapped BLOB NOT NULL)",
)


class Keyring:
    """Wrapped keys in `keys.sqlite`, the custodian's key in a file of its own (0600), in one directory.

    Usable by several processes; nothing is kept in memory between calls.
    """

    def __init__(self, directory: Path) -> None:
        """Open the keyring, or begin one.

        Raises:
            ConfigurationError: PATH_EXPOSED, others may read it.
        """
        self._directory = directory
        make_private_directory(directory)
        path = directory / _LIST
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
        refuse_exposed(path)
        with self._changing() as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
            if connection.execute("SELECT count(*) FROM custodian").fetchone()[0] == 0:
                connection.execute("INSERT INTO custodian VALUES (?)", (self._new_custodian_key(),))
        self._drop_old_keys()

    def create(self, version_id: str) -> bytes:
        """Draw the key of a version (32 bytes), in place of one that it had."""
        key = secrets.token_bytes(KEY_BYTES)
        with self._changing() as connection:
            wrapped = _wrap(self._custodian_key(self._named(connection)), version_id, key)
            connection.execute("INSERT OR REPLACE INTO keys VALUES (?, ?)", (version_id, wrapped))
        return key

    def key(self, version_id: str) -> bytes:
        """Return the key of a version.

        Raises:
            InputRejected: VERSION_NOT_HELD, it has none (any more).
            ConfigurationError: KEYRING_DAMAGED.
        """
        with self._changing() as connection:
            row = connection.execute(
                "SELECT wrapped FROM keys WHERE version_id = ?", (version_id,)
            ).fetchone()
            if row is None:
                raise InputRejected(
                    "VERSION_NOT_HELD", f"the gate holds no rows of {version_id}", {"version_id": version_id}
                )
            return _unwrap(self._custodian_key(self._named(connection)), version_id, row[0])

    def versions(self) -> tuple[str, ...]:
        """Return the versions that have a key, sorted."""
        with self._changing() as connection:
            rows = connection.execute("SELECT version_id FROM keys ORDER BY version_id").fetchall()
        return tuple(row[0] for row in rows)

    def rotate(self) -> int:
        """Put all keys under a new custodian's key and destroy the old one; return how many keys there are.

        Interrupted at any point, either the old custodian's key or the new one is the one in use.
        """
        with self._changing() as connection:
            count = self._rewrap(connection)
        self._drop_old_keys()
        return count

    def destroy(self, version_id: str) -> bool:
        """Destroy a version's key and replace the custodian's; return whether there was one."""
        with self._changing() as connection:
            gone = connection.execute("DELETE FROM keys WHERE version_id = ?", (version_id,)).rowcount
            if gone:
                self._rewrap(connection)
        self._drop_old_keys()
        return bool(gone)

    def _rewrap(self, connection: sqlite3.Connection) -> int:
        old, name = self._custodian_key(self._named(connection)), self._new_custodian_key()
        new = self._custodian_key(name)
        rows = connection.execute("SELECT version_id, wrapped FROM keys").fetchall()
        connection.executemany(
            "UPDATE keys SET wrapped = ? WHERE version_id = ?",
            [(_wrap(new, version, _unwrap(old, version, wrapped)), version) for version, wrapped in rows],
        )
        connection.execute("UPDATE custodian SET name = ?", (name,))
        return len(rows)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._directory / _LIST, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            # Closing undoes what was not committed.
            connection.close()

    def _named(self, connection: sqlite3.Connection) -> str:
        return str(connection.execute("SELECT name FROM custodian").fetchone()[0])

    def _new_custodian_key(self) -> str:
        name = f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
        write_private(self._directory / name, secrets.token_bytes(KEY_BYTES))
        return name

    def _custodian_key(self, name: str) -> bytes:
        path = self._directory / name
        if not path.is_file():
            raise ConfigurationError(
                "KEYRING_DAMAGED", f"{path} is missing; no version can be read without it"
            )
        refuse_exposed(path)
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise ConfigurationError("KEYRING_DAMAGED", f"{path}: got {len(key)} bytes, expected {KEY_BYTES}")
        return key

    def _drop_old_keys(self) -> None:
        """Remove custodian's keys that are not in use any more: zeros first, for what the disk keeps.

        It holds the lock, so that a key which another process has just drawn is in use already.
        """
        with self._changing() as connection:
            named = self._named(connection)
            for path in self._directory.glob(f"{_PREFIX}*{_SUFFIX}"):
                if path.name == named:
                    continue
                with path.open("r+b") as file:
                    file.write(bytes(KEY_BYTES))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()


def _wrap(custodian_key: bytes, version_id: str, key: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(custodian_key).encrypt(nonce, key, version_id.encode())


def _unwrap(custodian_key: bytes, version_id: str, wrapped: bytes) -> bytes:
    try:
        return AESGCM(custodian_key).decrypt(
            wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], version_id.encode()
        )
    except (InvalidTag, ValueError) as error:
        raise ConfigurationError(
            "KEYRING_DAMAGED", f"the key of {version_id} does not decrypt under the custodian's key"
        ) from error
