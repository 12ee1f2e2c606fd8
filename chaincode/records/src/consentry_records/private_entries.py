"""What a custodian keeps in its own collection, and how a batch of it is tied to the public import (DESIGN.md
§8).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from . import merkle
from .canonical import decode, encode
from .consent import MAXIMUM_BATCH
from .digest import SHA256_PREFIX
from .errors import FieldError, LedgerError, describe, field_invalid
from .kinds import DIGEST, Integer, Text, identifier
from .record import Record

MAXIMUM_VALUE_BYTES = 4096
READ_KEY_BYTES = 32
NONCE_BYTES = 12
_READ_LABEL = b"consentry/private-read/1\x00"

ENTRY_KEY = Text(
    re.compile(r"hmac-sha256:[0-9a-f]{64}/consent-[0-9a-f]{32}"), "<subject commitment>/<consent id>"
)
PRIVATE_KEY = Text(
    re.compile(r"hmac-sha256:[0-9a-f]{64}/consent-[0-9a-f]{32}|batch/batch-[0-9a-f]{32}"),
    "<subject commitment>/<consent id> or batch/<batch id>",
)


@dataclass(frozen=True, slots=True)
class _Encrypted:
    """Base64 (RFC 4648 §4, padded) of 1 to 4096 bytes."""

    def read(self, value: object) -> str:
        expected = f"base64 of 1 to {MAXIMUM_VALUE_BYTES} bytes"
        if type(value) is not str or len(value) > MAXIMUM_VALUE_BYTES * 2:
            raise field_invalid(expected, value)
        try:
            data = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise field_invalid(expected, value) from error
        if not 1 <= len(data) <= MAXIMUM_VALUE_BYTES or base64.b64encode(data).decode() != value:
            raise field_invalid(expected, value)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateEntry(Record):
    """One value for the collection; `value` is base64 of bytes that the client encrypted under the subject's
    key.
    """

    key: Annotated[str, ENTRY_KEY]
    value: Annotated[str, _Encrypted()]

    @property
    def data(self) -> bytes:
        """The encrypted bytes."""
        return base64.b64decode(self.value)

    @property
    def consent_id(self) -> str:
        """The consent that the entry belongs to."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateBatch(Record):
    """The batch entry, stored as its canonical JSON under `batch/{id}`: how many entries, and their Merkle
    root.
    """

    batch_id: Annotated[str, identifier("batch")]
    count: Annotated[int, Integer(1, MAXIMUM_BATCH)]
    root: Annotated[str, DIGEST]


def private_entry(commitment: str, consent_id: str, encrypted: bytes) -> PrivateEntry:
    """The entry of one consent. Raises FieldError for a malformed name or more than 4096 bytes."""
    return PrivateEntry(key=f"{commitment}/{consent_id}", value=base64.b64encode(encrypted).decode())


def entries_root(entries: Sequence[PrivateEntry]) -> str:
    """`sha256:<hex>`, the Merkle root (RFC 9162) over the canonical JSON of the entries in their order."""
    return SHA256_PREFIX + merkle.root([entry.to_bytes() for entry in entries]).hex()


def private_batch(batch_id: str, entries: Sequence[PrivateEntry]) -> PrivateBatch:
    """The batch entry of these entries; its digest is `sha256_digest(batch.to_bytes())`."""
    return PrivateBatch(batch_id=batch_id, count=len(entries), root=entries_root(entries))


def encode_entries(entries: Sequence[PrivateEntry]) -> bytes:
    """The transient field `entries`."""
    return encode([entry.to_dict() for entry in entries])


def decode_entries(data: bytes) -> tuple[PrivateEntry, ...]:
    """The entries of the transient field. Raises LedgerError JSON_INVALID, TOO_LARGE, FieldError or
    ID_DOUBLED.
    """
    values = decode(data)
    if not isinstance(values, list):
        raise FieldError("RECORD_NOT_OBJECT", {"record": "entries", "field": "", "got": describe(values)})
    if not 1 <= len(values) <= MAXIMUM_BATCH:
        raise LedgerError("TOO_LARGE", {"what": "entries", "maximum": MAXIMUM_BATCH, "got": len(values)})
    entries = tuple(PrivateEntry.from_dict(value) for value in values)
    seen: set[str] = set()
    for entry in entries:
        if entry.key in seen:
            raise LedgerError("ID_DOUBLED", {"what": "private entry of consent", "id": entry.consent_id})
        seen.add(entry.key)
    return entries


def check_batch(batch: PrivateBatch, entries: Sequence[PrivateEntry]) -> None:
    """The batch entry fits the entries; raises LedgerError BATCH_COUNT_DIFFERS or BATCH_ROOT_DIFFERS."""
    if batch.count != len(entries):
        counts = {"expected": batch.count, "got": len(entries)}
        raise LedgerError("BATCH_COUNT_DIFFERS", {"batch_id": batch.batch_id, **counts})
    if batch.root != entries_root(entries):
        raise LedgerError("BATCH_ROOT_DIFFERS", {"batch_id": batch.batch_id})


def read_associated_data(key: str) -> bytes:
    """What AES-GCM authenticates with a private read's value: "consentry/private-read/1" ‖ 0x00 ‖ the entry's
    key.
    """
    return _READ_LABEL + key.encode("ascii")
