"""Rows in blocks of one Merkle subtree each: Arrow batches with each row's subject and consent beside it.

A version's rows are cut at multiples of a power of two, so that each block is a perfect subtree of the
version's tree (RFC 9162 §2.1.1; only the last may be smaller): the registered root is the root over the
blocks' roots, and one short path proves a whole block.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence

import orjson
import pandas as pd
import pyarrow as pa

from consentry.errors import InputRejected
from consentry.frame_rows import frame_rows
from consentry.manifests import ManifestRow
from consentry_records.digest import digest_bytes

SUBJECT = "consentry.subject"
CONSENT = "consentry.consent"
DIGEST = "consentry.digest"
LEAF = "consentry.leaf"
RESERVED = "consentry."
MAXIMUM_BLOCK_ROWS = 8192
TARGET_BLOCK_BYTES = 4 * 1024 * 1024
MAXIMUM_NAME = 256
_ROW_LABEL = b"consentry/row/1"
_CONSENT_PREFIX = "consent-"
_HASH, _CONSENT_ID = pa.binary(32), pa.binary(16)


def block_rows(bytes_of_a_row: float) -> int:
    """Return how many rows a block has: a power of two, at most 8,192, for about 4 MiB."""
    fitting = max(int(TARGET_BLOCK_BYTES / max(bytes_of_a_row, 1.0)), 1)
    return min(1 << (fitting.bit_length() - 1), MAXIMUM_BLOCK_ROWS)


def arrow_schema(frame: pd.DataFrame, schema: Sequence[Sequence[str]]) -> pa.Schema:
    """Return the Arrow schema of a frame's columns ([name, kind] as of `frame_schema`), text always as text.

    Raises:
        InputRejected: COLUMN_NAME, a name that the gate does not take.
    """
    for name, _ in schema:
        if name.startswith(RESERVED) or len(name) > MAXIMUM_NAME or not name.isprintable():
            raise InputRejected(
                "COLUMN_NAME",
                f"a column's name is printable, has at most {MAXIMUM_NAME} characters, and does not begin "
                f"with {RESERVED}",
            )
    found = pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata()
    kinds = {column[0]: column[1] for column in schema}
    return pa.schema(
        [field.with_type(pa.large_string()) if kinds[field.name] == "text" else field for field in found]
    )


def to_batch(frame: pd.DataFrame, schema: pa.Schema) -> pa.RecordBatch:
    """Return a frame as an Arrow batch of that schema.

    Raises:
        InputRejected: ROWS_UNFIT, values of other types than those of the first rows.
    """
    try:
        table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputRejected(
            "ROWS_UNFIT", f"rows have values of other types than the first ones ({type(error).__name__})"
        ) from None
    batches = table.replace_schema_metadata().combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema)


def cut(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in batches of `rows` each; the last may be smaller."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        while batch.num_rows:
            part = batch.slice(0, rows - count)
            waiting.append(part)
            count += part.num_rows
            batch = batch.slice(part.num_rows)
            if count == rows:
                yield _joined(waiting)
                waiting, count = [], 0
    if waiting:
        yield _joined(waiting)


def row_digests(secret: bytes, batch: pa.RecordBatch, schema: list[list[str]]) -> list[bytes]:
    """Return each row's digest (32 bytes) as `consentry_records.rows.row_digest` defines it, only faster.

    Keys in RFC 8785's order (UTF-16 code units) and orjson's escapes give the same bytes; a test compares.

    Raises:
        FrameRejected: values without an exact form.
    """
    order = sorted(schema, key=lambda column: column[0].encode("utf-16-be"))
    frame = batch.to_pandas(types_mapper=pd.ArrowDtype)
    return [hmac.digest(secret, _ROW_LABEL + orjson.dumps(row), "sha256") for row in frame_rows(frame, order)]


def leaf_hashes(
    digests: Sequence[bytes], subjects: Sequence[bytes], consents: Sequence[bytes]
) -> list[bytes]:
    """Return the RFC 9162 leaf hashes of rows; the leaf is `consentry_records.rows.row_leaf`."""
    return [
        hashlib.sha256(
            b'\x00{"consent_id":"consent-%b","row_digest":"hmac-sha256:%b","subject":"hmac-sha256:%b"}'
            % (consent.hex().encode(), digest.hex().encode(), subject.hex().encode())
        ).digest()
        for digest, subject, consent in zip(digests, subjects, consents, strict=True)
    ]


def cells(column: pa.Array) -> list[bytes]:
    """Return the values of a column of hashes or ids as bytes, faster than `to_pylist`.

    Raises:
        ValueError: the column is none, or lacks values.
    """
    data, width = joined(column), column.type.byte_width
    return [data[start : start + width] for start in range(0, len(data), width)]


def joined(column: pa.Array) -> bytes:
    """Return the values of such a column, one after the other.

    Raises:
        ValueError: the column is none, or lacks values.
    """
    if column.type not in (_HASH, _CONSENT_ID) or column.null_count:
        raise ValueError("expected hashes or ids, none missing")
    width = column.type.byte_width
    buffer = column.buffers()[1]
    if buffer is None:
        return b""
    data: bytes = buffer.slice(column.offset * width, len(column) * width).to_pybytes()
    return data


def with_proofs(batch: pa.RecordBatch, rows: Sequence[ManifestRow]) -> pa.RecordBatch:
    """Return a batch with each row's subject, consent, digest and leaf hash in more columns, as bytes."""
    subjects = [digest_bytes(row.commitment) for row in rows]
    consents = [consent_bytes(row.consent_id) for row in rows]
    digests = [digest_bytes(row.row_digest) for row in rows]
    columns = {
        SUBJECT: pa.array(subjects, _HASH),
        CONSENT: pa.array(consents, _CONSENT_ID),
        DIGEST: pa.array(digests, _HASH),
        LEAF: pa.array(leaf_hashes(digests, subjects, consents), _HASH),
    }
    for name, column in columns.items():
        batch = batch.append_column(name, column)
    return batch


def consent_bytes(consent_id: str) -> bytes:
    """Return the 16 bytes of a consent's id."""
    return bytes.fromhex(consent_id.removeprefix(_CONSENT_PREFIX))


def data_columns(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch without the columns that begin with `consentry.`."""
    return batch.select([name for name in batch.schema.names if not name.startswith(RESERVED)])


def encode(batch: pa.RecordBatch) -> bytes:
    """Return a batch as an Arrow IPC stream of its own, compressed (LZ4)."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def decode(data: bytes | pa.Buffer) -> pa.RecordBatch:
    """Return the batch in what `encode` made."""
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_next_batch()


def _joined(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    return parts[0] if len(parts) == 1 else pa.concat_batches(parts)
