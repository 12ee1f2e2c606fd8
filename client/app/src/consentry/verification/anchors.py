"""Anchors: hashes of genesis headers, pinned outside the ledger (DESIGN §9)."""

import re

from consentry.verification.errors import VerificationError


def normalized_anchor(anchor: str | None) -> str | None:
    """An anchor in lower case, without the spaces around it.

    Raises:
        VerificationError: ANCHOR_INVALID if it is not 64 hex digits.
    """
    if anchor is None:
        return None
    text = anchor.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise VerificationError(
            "ANCHOR_INVALID",
            f"An anchor is the SHA-256 of the genesis header in 64 hex digits; got {len(text)} characters.",
        )
    return text
