"""What a custodian keeps in its own collection, and how a batch of it is tied to the public import (DESIGN.md
§8).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from . import merkle
from .canonical import decode
from .consent import MAXIMUM_BATCH
from .digest import SHA256_PREFIX
from .errors import FieldError, LedgerError, describe, field_invalid
from .kinds import DIGEST, Integer, Text, identifier
from .record import Record

MAXIMUM_VALUE_BYTES = 4096
READ_KEY_BYTES = 32
NONCE_BYTES = 12
_READ_LABEL = b"consentry/private-read/1\x00"

_ENTRY = r"hmac-sha256:[0-9a-f]{64}/consent-[0-9a-f]{32}"
_BATCH = r"batch-[0-9a-f]{32}"
ENTRY_KEY = Text(re.compile(f"{_ENTRY}/{_BATCH}"), "<subject commitment>/<consent id>/<batch id>")
PRIVATE_KEY = Text(
    # Entries of the first release have no batch id.
    re.compile(f"{_ENTRY}(?:/{_BATCH})?|batch/{_BATCH}"),
    "<subject commitment>/<consent id>/<batch id> or batch/<batch id>",
)


@dataclass(frozen=True, slots=True)
class _Encrypted:
    """Base64 (RFC 4648 §4, padded) of 1 to 4096 bytes."""

    def read(self, value: object) -> bytes:
        """The bytes."""
        expected = f"base64 of 1 to {MAXIMUM_VALUE_BYTES} bytes"
        if type(value) is not str or len(value) > MAXIMUM_VALUE_BYTES * 2:
            raise field_invalid(expected, value)
        try:
            data = binascii.a2b_base64(value, strict_mode=True)
        except ValueError as error:
            raise field_invalid(expected, value) from error
        if not 1 <= len(data) <= MAXIMUM_VALUE_BYTES or not _is_only_text_of(data, value):
            raise field_invalid(expected, value)
        return data


def _is_only_text_of(data: bytes, text: str) -> bool:
    """Whether a text of these bytes is the one with no padding too many and no bits left over."""
    last = data[len(data) // 3 * 3 :]
    written = binascii.b2a_base64(last, newline=False) if last else b""
    return len(text) == (len(data) + 2) // 3 * 4 and text.endswith(written.decode("ascii"))


_ENCRYPTED = _Encrypted()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateBatch(Record):
    """The batch entry, stored as its canonical JSON under `batch/{id}`: how many entries, and their Merkle
    root.
    """

    batch_id: Annotated[str, identifier("batch")]
    count: Annotated[int, Integer(1, MAXIMUM_BATCH)]
    root: Annotated[str, DIGEST]


def entry_key(commitment: str, consent_id: str, batch_id: str | None) -> str:
    """Key of a consent's entry of a batch; `batch_id` is None for those of the first release."""
    return f"{commitment}/{consent_id}" if batch_id is None else f"{commitment}/{consent_id}/{batch_id}"


def private_value(encrypted: bytes) -> str:
    """What stands in the transient field for the encrypted bytes of one entry: base64."""
    return binascii.b2a_base64(encrypted, newline=False).decode("ascii")


def entries_root(entries: Mapping[str, str]) -> str:
    """`sha256:<hex>`, the Merkle root (RFC 9162) over key ‖ 0x00 ‖ base64 of the entries in their order."""
    leaves = [f"{key}\0{value}".encode("ascii") for key, value in entries.items()]
    return SHA256_PREFIX + merkle.root(leaves).hex()


def private_batch(batch_id: str, entries: Mapping[str, str]) -> PrivateBatch:
    """The batch entry of these entries (base64 by key); its digest is `sha256_digest(batch.to_bytes())`."""
    return PrivateBatch(batch_id=batch_id, count=len(entries), root=entries_root(entries))


def encode_entries(entries: Mapping[str, str]) -> bytes:
    """The transient field `entries`: a JSON object of base64 by key, in the entries' order."""
    # Neither keys nor base64 have a character that JSON escapes.
    written = ",".join([f'"{key}":"{value}"' for key, value in entries.items()])
    return f"{{{written}}}".encode("ascii")


def decode_entries(data: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """The entries of the transient field by key, as base64 and as the bytes.

    Raises LedgerError JSON_INVALID (also for a doubled key), RECORD_NOT_OBJECT, TOO_LARGE, FieldError.
    """
    entries = decode(data)
    if not isinstance(entries, dict):
        raise FieldError("RECORD_NOT_OBJECT", {"record": "entries", "field": "", "got": describe(entries)})
    if not 1 <= len(entries) <= MAXIMUM_BATCH:
        raise LedgerError("TOO_LARGE", {"what": "entries", "maximum": MAXIMUM_BATCH, "got": len(entries)})
    values: dict[str, bytes] = {}
    try:
        for key, value in entries.items():
            values[ENTRY_KEY.read(key)] = _ENCRYPTED.read(value)
    except FieldError as error:
        raise error.within("entries", f"[{len(values)}]") from error
    return entries, values


def check_batch(batch: PrivateBatch, entries: Mapping[str, str]) -> None:
    """The batch entry fits the entries.

    Raises LedgerError BATCH_COUNT_DIFFERS, BATCH_KEY_DIFFERS (an entry is named for another batch) or
    BATCH_ROOT_DIFFERS.
    """
    if batch.count != len(entries):
        counts = {"expected": batch.count, "got": len(entries)}
        raise LedgerError("BATCH_COUNT_DIFFERS", {"batch_id": batch.batch_id, **counts})
    if not all(key.endswith(batch.batch_id) for key in entries):
        raise LedgerError("BATCH_KEY_DIFFERS", {"batch_id": batch.batch_id})
    if batch.root != entries_root(entries):
        raise LedgerError("BATCH_ROOT_DIFFERS", {"batch_id": batch.batch_id})


def read_associated_data(key: str) -> bytes:
    """What AES-GCM authenticates with a private read's value: "consentry/private-read/1" ‖ 0x00 ‖ the entry's
    key.
    """
    return _READ_LABEL + key.encode("ascii")
