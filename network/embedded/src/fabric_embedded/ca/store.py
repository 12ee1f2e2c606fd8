"""The CA service's store: identities with hashed secrets, and the certificates that it issued (SQLite)."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fabric_embedded.ca.attributes import Attribute

# RFC 7914 cost: about 30 ms, for secrets that people may have chosen themselves.
_SCRYPT_COST, _SCRYPT_BLOCK, _SCRYPT_PARALLEL = 2**14, 8, 1
_SALT_BYTES = 16
MAX_FAILED_LOGINS = 10
UNLIMITED = -1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS identities (
    id TEXT PRIMARY KEY, type TEXT NOT NULL, salt BLOB NOT NULL, secret_hash BLOB NOT NULL,
    max_enrollments INTEGER NOT NULL, enrollments INTEGER NOT NULL DEFAULT 0,
    failed_logins INTEGER NOT NULL DEFAULT 0, attributes TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS certificates (
    serial TEXT NOT NULL, aki TEXT NOT NULL, id TEXT NOT NULL, pem BLOB NOT NULL, PRIMARY KEY (serial, aki)
) STRICT;
"""


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate with what it is found by: serial and authority key identifier in lower-case hex."""

    serial: str
    aki: str
    pem: bytes


@dataclass(frozen=True)
class RegisteredIdentity:
    """An identity that may enrol, or has.

    Parameters:
        id: enrolment id, random by our custom.
        type: client, peer, orderer or admin: the certificate's OU.
        max_enrollments: how often its secret may be used; -1 is no limit.
        enrollments: how often it was used.
        failed_logins: wrong secrets in a row.
        attributes: what its certificates may carry.
    """

    id: str
    type: str
    max_enrollments: int
    enrollments: int
    failed_logins: int
    attributes: tuple[Attribute, ...]

    def attribute_values(self) -> dict[str, str]:
        """Names and values of its attributes."""
        return {attribute.name: attribute.value for attribute in self.attributes}


class IdentityStore:
    """Registered identities and issued certificates of one CA; every change is one synced transaction."""

    def __init__(self, path: Path | None) -> None:
        """Open the store.

        Parameters:
            path: database file, created with mode 0600; None keeps everything in memory.
        """
        if path is not None:
            path.touch(mode=0o600, exist_ok=True)
        # Requests are handled one at a time on the event loop's thread; only hashing happens elsewhere.
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def add(
        self,
        identity: str,
        kind: str,
        salted: SaltedSecret,
        max_enrollments: int,
        attributes: Sequence[Attribute],
    ) -> bool:
        """Add an identity; False when the id is taken."""
        listed = json.dumps([attribute.to_dict() for attribute in attributes])
        with closing(
            self._database.execute(
                "INSERT INTO identities (id, type, salt, secret_hash, max_enrollments, attributes) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (identity, kind, salted.salt, salted.digest, max_enrollments, listed),
            )
        ) as cursor:
            return cursor.rowcount == 1

    def get(self, identity: str) -> RegisteredIdentity | None:
        """The identity of this id."""
        rows = self._identities("WHERE id = ?", (identity,))
        return rows[0] if rows else None

    def all(self) -> list[RegisteredIdentity]:
        """All identities, by id."""
        return self._identities("ORDER BY id", ())

    def salted_secret(self, identity: str) -> SaltedSecret:
        """The salted secret of an identity that exists."""
        row = self._database.execute(
            "SELECT salt, secret_hash FROM identities WHERE id = ?", (identity,)
        ).fetchone()
        return SaltedSecret(*row)

    def count_failed_login(self, identity: str) -> None:
        """Note a wrong secret."""
        self._database.execute(
            "UPDATE identities SET failed_logins = failed_logins + 1 WHERE id = ?", (identity,)
        )

    def record_enrollment(self, identity: str, certificate: IssuedCertificate, *, counted: bool) -> bool:
        """Note an issued certificate together with the use of a secret.

        Parameters:
            identity: enrolment id of its subject.
            certificate: what was issued.
            counted: whether this used the secret (enroll), or another certificate (reenroll).

        Returns:
            False, with nothing noted, when no use of the secret is left: two at once cannot share the last.
        """
        with self._transaction():
            if counted and not self._use_secret(identity):
                return False
            self._database.execute(
                "INSERT INTO certificates VALUES (?, ?, ?, ?)",
                (certificate.serial, certificate.aki, identity, certificate.pem),
            )
        return True

    def issued(self, serial: str, aki: str) -> bytes | None:
        """The PEM of the certificate of this serial and authority key identifier, if this CA issued it."""
        row = self._database.execute(
            "SELECT pem FROM certificates WHERE serial = ? AND aki = ?", (serial, aki)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def _use_secret(self, identity: str) -> bool:
        with closing(
            self._database.execute(
                "UPDATE identities SET enrollments = enrollments + 1, failed_logins = 0 "
                "WHERE id = ? AND (max_enrollments = -1 OR enrollments < max_enrollments)",
                (identity,),
            )
        ) as cursor:
            return cursor.rowcount == 1

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _identities(self, where: str, parameters: tuple[str, ...]) -> list[RegisteredIdentity]:
        columns = "id, type, max_enrollments, enrollments, failed_logins, attributes"
        rows = self._database.execute(f"SELECT {columns} FROM identities {where}", parameters)  # noqa: S608
        return [_identity(*row) for row in rows]


@dataclass(frozen=True)
class SaltedSecret:
    """A secret as it is stored: scrypt (RFC 7914) of it with a random salt."""

    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, secret: str) -> SaltedSecret:
        """Hash a secret with a new salt; takes tens of milliseconds on purpose."""
        salt = secrets.token_bytes(_SALT_BYTES)
        return cls(salt, _hash(secret, salt))

    def matches(self, secret: str) -> bool:
        """Whether this is the secret; takes tens of milliseconds, and as long for a wrong one."""
        return hmac.compare_digest(self.digest, _hash(secret, self.salt))


def _hash(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        secret.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=_SCRYPT_COST,
        r=_SCRYPT_BLOCK,
        p=_SCRYPT_PARALLEL,
    )


def _identity(
    identity: str, kind: str, max_enrollments: int, enrollments: int, failed_logins: int, attributes: str
) -> RegisteredIdentity:
    listed = tuple(Attribute(**entry) for entry in json.loads(attributes))
    return RegisteredIdentity(identity, kind, max_enrollments, enrollments, failed_logins, listed)
