"""Names of things on the ledger: random ids with their kind, MSP ids, enrolment ids, slugs. ASCII only.

ASCII-only keeps look-alikes out ("а" in Cyrillic is not "a") and makes code-unit, code-point and UTF-8 order
the same.
"""

from __future__ import annotations

import hashlib
import re

KINDS = (
    "consent",
    "batch",
    "dataset",
    "version",
    "request",
    "grant",
    "attempt",
    "session",
    "model",
    "modelversion",
    "rightsrequest",
    "breach",
    "trailread",
)
"""Kinds of ids, each written `<kind>-<32 lower-case hex>`."""

RANDOM_BYTES = 16
MSP_ID_PATTERN = re.compile(r"[A-Za-z0-9.-]{1,64}")
ACTOR_PATTERN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CONSENT_LABEL = b"consentry/consent/2"
_FIRST_CONSENT_LABEL = b"consentry/consent/1"
_DIGITS_OF_BATCH = 28
SLUG_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def format_identifier(kind: str, random: bytes) -> str:
    """`<kind>-<32 hex>` from 16 random bytes, which the client draws (contracts know no randomness).

    Raises ValueError for an unknown kind or another number of bytes.
    """
    if kind not in KINDS:
        raise ValueError(f"expected a kind of {', '.join(KINDS)}")
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"expected {RANDOM_BYTES} random bytes, got {len(random)}")
    return f"{kind}-{random.hex()}"


def identifier_pattern(kind: str) -> re.Pattern[str]:
    """What an id of the kind looks like."""
    if kind not in KINDS:
        raise ValueError(f"expected a kind of {', '.join(KINDS)}")
    return re.compile(kind + r"-[0-9a-f]{32}")


def consent_identifiers(batch_id: str, count: int) -> list[str]:
    """The ids of a batch's consents, one after the other in the order of keys.

    Each is `consent-`, the first 28 hex of a SHA-256 over "consentry/consent/2" ‖ batch id, and the place in
    4 hex, counted from 0. Neighbours are written into the same pages of a database.

    Whoever wanted a consent that is there already would have to find a batch id for its first 112 bits.
    """
    start = hashlib.sha256(_CONSENT_LABEL + batch_id.encode("ascii")).hexdigest()[:_DIGITS_OF_BATCH]
    return [f"consent-{start}{place:04x}" for place in range(count)]


def first_consent_identifiers(batch_id: str, count: int) -> list[str]:
    """The ids of a batch's consents as the first release drew them: the first 32 hex of a SHA-256 each.

    It is taken of "consentry/consent/1" ‖ batch id ‖ place in 4 bytes, big-endian, counted from 0.
    """
    start = hashlib.sha256(_FIRST_CONSENT_LABEL + batch_id.encode("ascii"))
    identifiers = []
    for place in range(count):
        digest = start.copy()
        digest.update(place.to_bytes(4, "big"))
        identifiers.append(f"consent-{digest.hexdigest()[:32]}")
    return identifiers
