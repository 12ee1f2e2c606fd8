"""Names for what the ledger knows, as other formats want them: URIs. They are names, not addresses."""

from __future__ import annotations

import base64

from consentry_records.digest import digest_bytes, sha256_digest
from consentry_records.record import Record

NAMESPACE = "urn:consentry:"


def system(kind: str) -> str:
    """The URI of a family of names: `consent`, `msp`, `enrolment`, `subject`, `pseudonym`, …"""
    return NAMESPACE + kind


def name(kind: str, value: str) -> str:
    """The URI of one thing of a family."""
    return f"{NAMESPACE}{kind}:{value}"


def digest_uri(digest: str) -> str:
    """`sha256:<hex>` as a named-information URI (RFC 6920)."""
    encoded = base64.urlsafe_b64encode(digest_bytes(digest)).rstrip(b"=").decode("ascii")
    return f"ni:///sha-256;{encoded}"


def record_digest(record: Record) -> str:
    """The digest of a record's canonical bytes: who has both can tell that a rendering is of that record."""
    return sha256_digest(record.to_bytes())
