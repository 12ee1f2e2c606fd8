"""New random ids: drawn by the client, for contracts know no randomness."""

from __future__ import annotations

import secrets

from consentry_records.identifiers import RANDOM_BYTES, format_identifier


def new_identifier(kind: str) -> str:
    """Return `<kind>-<32 hex>` with 128 random bits."""
    return format_identifier(kind, secrets.token_bytes(RANDOM_BYTES))
