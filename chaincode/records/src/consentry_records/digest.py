"""Digests as they are written in records."""

from __future__ import annotations

import hashlib
import hmac
import re

SHA256_PREFIX = "sha256:"
HMAC_SHA256_PREFIX = "hmac-sha256:"
MINIMUM_KEY_BYTES = 32
_WRITTEN = re.compile(r"(?:hmac-)?sha256:[0-9a-f]{64}")


def sha256_digest(data: bytes) -> str:
    """`sha256:<64 lower-case hex>` of the bytes (FIPS 180-4)."""
    return SHA256_PREFIX + hashlib.sha256(data).hexdigest()


def hmac_digest(key: bytes, data: bytes) -> str:
    """`hmac-sha256:<64 lower-case hex>` of the bytes under the key (RFC 2104).

    Digests of personal data are keyed: a bare hash of a row or a pseudonym can be guessed (DESIGN.md §6).
    Raises ValueError for a key under 32 bytes.
    """
    if len(key) < MINIMUM_KEY_BYTES:
        raise ValueError(f"expected a key of at least {MINIMUM_KEY_BYTES} bytes, got {len(key)}")
    return HMAC_SHA256_PREFIX + hmac.digest(key, data, "sha256").hex()


def digest_bytes(digest: str) -> bytes:
    """The 32 bytes of a written digest of either form. Raises ValueError for any other text."""
    if not _WRITTEN.fullmatch(digest):
        raise ValueError("expected sha256:<64 hex> or hmac-sha256:<64 hex>")
    return bytes.fromhex(digest.rpartition(":")[2])
