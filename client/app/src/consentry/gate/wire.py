"""What travels from gate to recipient: an Arrow IPC stream whose batches carry their proofs.

One batch a piece, which is a subtree of the registered tree: the rows given out, each with its subject and
consent, and in the batch's metadata where the piece lies, the leaf hashes of the rows left out, and the path
from the piece's root to the registered one. A batch without rows ends the stream and says why; a stream
that lacks it broke off.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import pyarrow as pa

HEAD = b"consentry.head"
PROOF = b"consentry.proof"
END = b"consentry.end"
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Head:
    """What holds for a whole stream; `schema` has [name, kind] of all of the version's columns.

    `key` is that of the digests of the rows given out: the dataset's secret, or where only some columns leave
    one of the attempt alone; `number` is that of the delivery; `first_row` where the stream begins.
    """

    version_id: str
    attempt_id: str
    number: int
    first_row: int
    schema: list[list[str]]
    key: bytes

    def encode(self) -> dict[bytes, bytes]:
        """Return it as metadata of an Arrow schema."""
        return {HEAD: orjson.dumps({**asdict(self), "key": self.key.hex()})}

    @classmethod
    def decode(cls, metadata: Mapping[bytes, bytes]) -> Head:
        """Read it; raises KeyError, TypeError or ValueError for anything else."""
        document = orjson.loads(metadata[HEAD])
        return cls(**{**document, "key": bytes.fromhex(document["key"])})


@dataclass(frozen=True, slots=True)
class PieceProof:
    """What proves one piece: its first row, how many leaves its subtree has (`unit`), how many rows there are
    (fewer at the end), which were left out (places in it and leaf hashes), the path to the registered root,
    and the token to go on with after it.
    """

    first_row: int
    unit: int
    rows: int
    left_out: list[int]
    leaves: list[bytes]
    path: list[bytes]
    token: str

    def encode(self) -> dict[bytes, bytes]:
        """Return it as metadata of an Arrow batch."""
        # Not `asdict`, which copies every number of the list.
        document = {
            "first_row": self.first_row,
            "unit": self.unit,
            "rows": self.rows,
            "left_out": self.left_out,
            "leaves": _packed(self.leaves),
            "path": _packed(self.path),
            "token": self.token,
        }
        return {PROOF: orjson.dumps(document)}

    @classmethod
    def decode(cls, metadata: Mapping[bytes, bytes]) -> PieceProof:
        """Read it; raises KeyError, TypeError or ValueError for anything else."""
        document = orjson.loads(metadata[PROOF])
        hashes = {name: _unpacked(document[name]) for name in ("leaves", "path")}
        return cls(**{**document, **hashes})


class StreamWriter:
    """Writes the stream piece by piece; each call returns the bytes that it adds."""

    def __init__(self, schema: pa.Schema, head: Head) -> None:
        self._pieces = _Pieces()
        self._schema = schema.with_metadata(head.encode())
        self._writer = pa.ipc.new_stream(self._pieces, self._schema)

    def begin(self) -> bytes:
        """Return the stream's head."""
        return self._pieces.take()

    def piece(self, batch: pa.RecordBatch, proof: PieceProof) -> bytes:
        """Return a piece's batch."""
        self._writer.write_batch(batch, custom_metadata=proof.encode())
        return self._pieces.take()

    def end(self, document: Mapping[str, Any]) -> bytes:
        """Return the stream's end: why, and what was given out."""
        nothing = pa.RecordBatch.from_pylist([], self._schema)
        self._writer.write_batch(nothing, custom_metadata={END: orjson.dumps(document)})
        self._writer.close()
        return self._pieces.take()


class _Pieces:
    """A file to write to, whose content is taken bit by bit."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere."""

    def take(self) -> bytes:
        joined = b"".join(self._parts)
        self._parts = []
        return joined


def _packed(hashes: Sequence[bytes]) -> str:
    return base64.b64encode(b"".join(hashes)).decode()


def _unpacked(text: str) -> list[bytes]:
    data = base64.b64decode(text, validate=True)
    if len(data) % _HASH_BYTES:
        raise ValueError("expected hashes of 32 bytes")
    return [data[start : start + _HASH_BYTES] for start in range(0, len(data), _HASH_BYTES)]
