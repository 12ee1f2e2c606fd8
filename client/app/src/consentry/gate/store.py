"""Registered dataset versions at rest: each row checked against the ledger when it comes, then encrypted."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from consentry.errors import ConfigurationError, InputRejected
from consentry.frame_rows import frame_schema, schema_digest
from consentry.gate import row_blocks
from consentry.gate.keyring import Keyring
from consentry.gate.storage import Sealer, Storage
from consentry.manifests import ManifestRow
from consentry_records import merkle
from consentry_records.dataset import DatasetVersion
from consentry_records.digest import SHA256_PREFIX, digest_bytes

_BLOCKS = "blocks"
_INDEX = "index"
_AGGREGATES = "aggregates"
_NUMBER_BYTES = 12
_DRAWN_BITS = 95
_FIRST_DRAWN = 1 << _DRAWN_BITS
_FORM = 1
ManifestRows = Callable[[int, int], Sequence[ManifestRow]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Index:
    """What is stored of a version: its columns, how its rows are cut, and each block's length and root.

    `schema` has [name, kind] of the columns, `roots` the blocks' Merkle roots as hex.
    """

    rows: int
    block_rows: int
    schema: list[list[str]]
    lengths: list[int]
    roots: list[str]


class StoredVersion:
    """One version that the gate holds; blocks are read and decrypted one by one."""

    def __init__(self, version_id: str, index: Index, storage: Storage, sealer: Sealer) -> None:
        self.version_id = version_id
        self.index = index
        self._storage = storage
        self._sealer = sealer
        self._offsets = [0]
        for length in index.lengths:
            self._offsets.append(self._offsets[-1] + length)

    @property
    def block_count(self) -> int:
        """How many blocks it has."""
        return len(self.index.lengths)

    @property
    def roots(self) -> list[bytes]:
        """The blocks' Merkle roots."""
        return [bytes.fromhex(root) for root in self.index.roots]

    def block(self, number: int) -> pa.RecordBatch:
        """Return a block's rows with their subjects, consents, digests and leaf hashes.

        Raises:
            ConfigurationError: STORE_DAMAGED, it was altered or is gone.
        """
        start, stop = self._offsets[number], self._offsets[number + 1]
        try:
            data = self._storage.read(self.version_id, _BLOCKS, start, stop)
        except FileNotFoundError as error:
            raise ConfigurationError("STORE_DAMAGED", f"the rows of {self.version_id} are gone") from error
        return row_blocks.decode(self._sealer.unseal(number + 1, data))

    def blocks(self, first: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield the blocks from `first` on."""
        return (self.block(number) for number in range(first, self.block_count))


class GateStore:
    """The versions that a custodian's gate can serve."""

    def __init__(self, storage: Storage, keyring: Keyring) -> None:
        self._storage = storage
        self.keyring = keyring

    def put(
        self,
        version: DatasetVersion,
        frames: Iterable[pd.DataFrame],
        manifest: ManifestRows,
        secret: bytes,
        *,
        subject_column: str = "pseudonym",
        progress: Progress | None = None,
    ) -> None:
        """Store a version's rows, one frame in memory at a time; the column of pseudonyms is left out.

        `manifest` gives the registered rows at positions [start, stop), `secret` keys their digests.
        `progress` is called with (rows stored, rows of the version). The version counts as held once all rows
        are there and proved to be the registered ones.

        Raises:
            InputRejected: VERSION_HELD; ROWS_DIFFER with the first row that is not the registered one,
                SCHEMA_DIFFERS, FRAME_COLUMNS, COLUMN_NAME, ROWS_UNFIT; nothing is held then.
            StorageFailed: STORAGE_FAILED.
        """
        version_id = version.version_id
        if version_id in self.held():
            raise InputRejected("VERSION_HELD", f"the gate holds {version_id} already; erase it first")
        sealer = Sealer(self.keyring.create(version_id), version_id)
        try:
            rows = _Rows(frames, version, subject_column)
            writer = _Writer(version, manifest, secret, progress or (lambda _done, _of: None))
            with self._storage.writing(version_id, _BLOCKS) as file:
                for number, batch in enumerate(rows.blocks()):
                    file.write(writer.checked(number, batch, rows, sealer))
            index = writer.index(rows)
            data = json.dumps({"form": _FORM, **asdict(index)}).encode()
            self._storage.write(version_id, _INDEX, sealer.seal(0, data))
        except BaseException:
            self.erase(version_id)
            raise

    def open(self, version_id: str) -> StoredVersion:
        """Open a version for reading.

        Raises:
            InputRejected: VERSION_NOT_HELD.
            ConfigurationError: STORE_DAMAGED, KEYRING_DAMAGED.
        """
        sealer = Sealer(self.keyring.key(version_id), version_id)
        try:
            data = self._storage.read(version_id, _INDEX)
        except FileNotFoundError as error:
            raise InputRejected("VERSION_NOT_HELD", f"the gate holds no rows of {version_id}") from error
        return StoredVersion(version_id, _read_index(sealer.unseal(0, data)), self._storage, sealer)

    def freeze(self, version_id: str, result: Mapping[str, Any]) -> None:
        """Keep a version's aggregates for good.

        Raises:
            InputRejected: AGGREGATES_FROZEN, there are some; another result would tell people apart.
        """
        if self.frozen(version_id) is not None:
            raise InputRejected(
                "AGGREGATES_FROZEN",
                f"the aggregates of {version_id} are frozen; two results would differ by people",
            )
        self.keep(version_id, _AGGREGATES, json.dumps(result).encode())

    def frozen(self, version_id: str) -> dict[str, Any] | None:
        """Return a version's aggregates, None where none are frozen.

        Raises:
            InputRejected: VERSION_NOT_HELD.
            ConfigurationError: STORE_DAMAGED.
        """
        data = self.kept(version_id, _AGGREGATES)
        found: dict[str, Any] | None = None if data is None else json.loads(data)
        return found

    def keep(self, version_id: str, name: str, data: bytes) -> None:
        """Keep something beside a version's rows, sealed with the version's key; it appears whole.

        Raises:
            InputRejected: VERSION_NOT_HELD.
            StorageFailed: STORAGE_FAILED.
        """
        sealer = Sealer(self.keyring.key(version_id), version_id)
        # Unlike a block's its number is drawn: an interrupted attempt may have used another one.
        number = _FIRST_DRAWN | secrets.randbits(_DRAWN_BITS)
        sealed = sealer.seal(number, data)
        self._storage.write(version_id, name, number.to_bytes(_NUMBER_BYTES, "big") + sealed)

    def kept(self, version_id: str, name: str) -> bytes | None:
        """Return what was kept under a name, None where nothing is.

        Raises:
            InputRejected: VERSION_NOT_HELD.
            ConfigurationError: STORE_DAMAGED.
        """
        sealer = Sealer(self.keyring.key(version_id), version_id)
        try:
            data = self._storage.read(version_id, name)
        except FileNotFoundError:
            return None
        return sealer.unseal(int.from_bytes(data[:_NUMBER_BYTES], "big"), data[_NUMBER_BYTES:])

    def names(self, version_id: str) -> tuple[str, ...]:
        """Return the names of what is kept of a version, its rows included."""
        return self._storage.names(version_id)

    def drop(self, version_id: str, name: str) -> None:
        """Remove what was kept under a name."""
        self._storage.drop(version_id, name)

    def held(self) -> tuple[str, ...]:
        """Return the versions that can be opened, sorted."""
        return tuple(version for version in self.keyring.versions() if self._is_whole(version))

    def _is_whole(self, version_id: str) -> bool:
        """Whether it is there to its end: an interrupted writing leaves no index that its key opens."""
        try:
            self.open(version_id)
        except (InputRejected, ConfigurationError):
            return False
        return True

    def erase(self, version_id: str) -> bool:
        """Destroy a version's key, then remove its rows; return whether it was held.

        Copies of the rows, in backups too, are unreadable from then on.
        """
        was_held = self.keyring.destroy(version_id)
        self._storage.remove(version_id)
        return was_held


class _Rows:
    """The frames of a version as blocks; its columns and the size of its blocks come from the first."""

    def __init__(self, frames: Iterable[pd.DataFrame], version: DatasetVersion, subject_column: str) -> None:
        self._frames = frames
        self._version = version
        self._subject_column = subject_column
        self._arrow: pa.Schema | None = None
        self.schema: list[list[str]] = []
        self.block_rows = row_blocks.MAXIMUM_BLOCK_ROWS

    def blocks(self) -> Iterator[pa.RecordBatch]:
        batches = (self._batch(frame) for frame in self._frames)
        first = next(batches, None)
        if first is None:
            return
        self.block_rows = row_blocks.block_rows(first.nbytes / max(first.num_rows, 1))
        yield from row_blocks.cut(_chain(first, batches), self.block_rows)

    def _batch(self, frame: pd.DataFrame) -> pa.RecordBatch:
        if self._subject_column not in frame.columns:
            raise InputRejected("FRAME_COLUMNS", f"the frame has no column {self._subject_column}")
        features = frame.drop(columns=[self._subject_column])
        if self._arrow is None:
            self.schema = frame_schema(features)
            if schema_digest(self.schema) != self._version.schema_digest:
                raise InputRejected(
                    "SCHEMA_DIFFERS", "the columns or their kinds are not the registered ones"
                )
            self._arrow = row_blocks.arrow_schema(features, self.schema)
        return row_blocks.to_batch(features, self._arrow)


class _Writer:
    """Proves each block to be the registered rows and seals it."""

    def __init__(
        self, version: DatasetVersion, manifest: ManifestRows, secret: bytes, progress: Progress
    ) -> None:
        self._version = version
        self._manifest = manifest
        self._secret = secret
        self._progress = progress
        self._count = 0
        self._lengths: list[int] = []
        self._roots: list[bytes] = []

    def checked(self, number: int, batch: pa.RecordBatch, rows: _Rows, sealer: Sealer) -> bytes:
        registered = self._manifest(self._count, self._count + batch.num_rows)
        digests = row_blocks.row_digests(self._secret, batch, rows.schema)
        expected = [digest_bytes(row.row_digest) for row in registered]
        if digests != expected:
            pairs = zip(digests, expected, strict=False)
            wrong = next((i for i, pair in enumerate(pairs) if pair[0] != pair[1]), len(expected))
            raise _rows_differ(self._count + wrong)
        proved = row_blocks.with_proofs(batch, registered)
        self._roots.append(merkle.root_of_hashes(proved.column(row_blocks.LEAF).to_pylist()))
        sealed = sealer.seal(number + 1, row_blocks.encode(proved))
        self._lengths.append(len(sealed))
        self._count += batch.num_rows
        self._progress(self._count, self._version.row_count)
        return sealed

    def index(self, rows: _Rows) -> Index:
        if self._count != self._version.row_count:
            raise _rows_differ(self._count)
        if SHA256_PREFIX + merkle.root_of_hashes(self._roots).hex() != self._version.merkle_root:
            raise InputRejected("ROWS_DIFFER", "the register's rows do not give the version's root")
        roots = [root.hex() for root in self._roots]
        return Index(self._count, rows.block_rows, rows.schema, self._lengths, roots)


def _chain(first: pa.RecordBatch, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from others


def _rows_differ(row: int) -> InputRejected:
    return InputRejected(
        "ROWS_DIFFER", f"row {row} is not the one that was registered; nothing is stored", {"row": row}
    )


def _read_index(data: bytes) -> Index:
    document: dict[str, Any] = json.loads(data)
    form = document.pop("form")
    if form != _FORM:
        raise ConfigurationError("STORE_DAMAGED", f"got form {form} of a stored version, expected {_FORM}")
    return Index(**document)
