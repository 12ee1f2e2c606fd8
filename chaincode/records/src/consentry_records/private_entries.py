"""What a custodian keeps in its own collection, and how a batch of it is tied to the public import (DESIGN.md
§8).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
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


_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?")


@dataclass(frozen=True, slots=True)
class _Encrypted:
    """Base64 (RFC 4648 §4, padded) of 1 to 4096 bytes."""

    def read(self, value: object) -> str:
        # The pattern admits one text for each sequence of bytes: bits left over in the last one are zero.
        longest = (MAXIMUM_VALUE_BYTES + 2) // 3 * 4
        if type(value) is not str or not 0 < len(value) <= longest or not _BASE64.fullmatch(value):
            raise field_invalid(f"base64 of 1 to {MAXIMUM_VALUE_BYTES} bytes", value)
        if len(value) // 4 * 3 - value.count("=") > MAXIMUM_VALUE_BYTES:
            raise field_invalid(f"base64 of 1 to {MAXIMUM_VALUE_BYTES} bytes", value)
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
        return self.key.split("/")[1]


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


def private_entry(commitment: str, consent_id: str, batch_id: str, encrypted: bytes) -> PrivateEntry:
    """The entry of one consent. Raises FieldError for a malformed name or more than 4096 bytes."""
    value = base64.b64encode(encrypted).decode()
    return PrivateEntry(key=entry_key(commitment, consent_id, batch_id), value=value)


def entries_root(entries: Sequence[PrivateEntry]) -> str:
    """`sha256:<hex>`, the Merkle root (RFC 9162) over key ‖ 0x00 ‖ base64 of the entries in their order."""
    leaves = [f"{entry.key}\0{entry.value}".encode("ascii") for entry in entries]
    return SHA256_PREFIX + merkle.root(leaves).hex()


def private_batch(batch_id: str, entries: Sequence[PrivateEntry]) -> PrivateBatch:
    """The batch entry of these entries; its digest is `sha256_digest(batch.to_bytes())`."""
    return PrivateBatch(batch_id=batch_id, count=len(entries), root=entries_root(entries))


def encode_entries(entries: Sequence[PrivateEntry]) -> bytes:
    """The transient field `entries`: a JSON object of keys and values, in the entries' order."""
    return json.dumps({entry.key: entry.value for entry in entries}, separators=(",", ":")).encode("ascii")


def decode_entries(data: bytes) -> tuple[PrivateEntry, ...]:
    """The entries of the transient field. Raises LedgerError JSON_INVALID (also for a doubled key),
    RECORD_NOT_OBJECT, TOO_LARGE, FieldError.
    """
    values = decode(data)
    if not isinstance(values, dict):
        raise FieldError("RECORD_NOT_OBJECT", {"record": "entries", "field": "", "got": describe(values)})
    if not 1 <= len(values) <= MAXIMUM_BATCH:
        raise LedgerError("TOO_LARGE", {"what": "entries", "maximum": MAXIMUM_BATCH, "got": len(values)})
    return tuple(PrivateEntry(key=key, value=value) for key, value in values.items())


def check_batch(batch: PrivateBatch, entries: Sequence[PrivateEntry]) -> None:
    """The batch entry fits the entries.

    Raises LedgerError BATCH_COUNT_DIFFERS, BATCH_KEY_DIFFERS (an entry is named for another batch) or
    BATCH_ROOT_DIFFERS.
    """
    if batch.count != len(entries):
        counts = {"expected": batch.count, "got": len(entries)}
        raise LedgerError("BATCH_COUNT_DIFFERS", {"batch_id": batch.batch_id, **counts})
    if not all(entry.key.endswith(batch.batch_id) for entry in entries):
        raise LedgerError("BATCH_KEY_DIFFERS", {"batch_id": batch.batch_id})
    if batch.root != entries_root(entries):
        raise LedgerError("BATCH_ROOT_DIFFERS", {"batch_id": batch.batch_id})


def read_associated_data(key: str) -> bytes:
    """What AES-GCM authenticates with a private read's value: "consentry/private-read/1" ‖ 0x00 ‖ the entry's
    key.
    """
    return _READ_LABEL + key.encode("ascii")
