"""Rows of a dataset as leaves of its Merkle tree (DESIGN.md §6, "consent reaches each data point")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import merkle
from .canonical import encode
from .digest import SHA256_PREFIX, digest_bytes, hmac_digest

_LABEL = b"consentry/row/1"


def row_digest(key: bytes, row: Mapping[str, str | int | bool | None] | bytes) -> str:
    """`hmac-sha256:<hex>` of one row under the dataset's secret key (at least 32 bytes).

    A row is bytes, or columns by name with decimal numbers as text: floats are refused, because their text
    differs between libraries. Raises ValueError for a short key, LedgerError VALUE_NOT_ENCODABLE for a value
    that JSON lacks.
    """
    data = row if isinstance(row, bytes) else encode(dict(row))
    return hmac_digest(key, _LABEL + data)


def row_leaf(digest: str, commitment: str, consent_id: str) -> bytes:
    """The entry of one row: canonical JSON of its keyed digest, its subject's commitment and the consent
    relied on.
    """
    return encode({"consent_id": consent_id, "row_digest": digest, "subject": commitment})


def rows_root(leaves: Sequence[bytes]) -> str:
    """`sha256:<hex>`, the Merkle root of a dataset version over its row leaves in row order."""
    return SHA256_PREFIX + merkle.root(leaves).hex()


def leaf_digest(leaf: bytes) -> str:
    """`sha256:<hex>`, RFC 9162's hash of a row's leaf; it says nothing without the row's keyed digest."""
    return SHA256_PREFIX + merkle.leaf_hash(leaf).hex()


def rows_root_of_digests(digests: Sequence[str]) -> str:
    """`sha256:<hex>`, the Merkle root of rows whose leaf digests are given, in their order."""
    return SHA256_PREFIX + merkle.root_of_hashes([digest_bytes(digest) for digest in digests]).hex()
