"""How a subject appears on the channel: a keyed commitment, one salt per subject and custodian (DESIGN.md
§8).
"""

from __future__ import annotations

from .digest import hmac_digest

SALT_BYTES = 32
_LABEL = b"consentry/subject/1"


def subject_commitment(salt: bytes, pseudonym: str) -> str:
    """`hmac-sha256:<hex>` of "consentry/subject/1" ‖ pseudonym (UTF-8) under the subject's 32-byte random
    salt.

    Once the salt is gone nobody can link the commitment to the pseudonym; until then it is pseudonymised data
    in the sense of GDPR Art. 4(5). Raises ValueError for a salt of another length or an empty pseudonym.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"expected a salt of {SALT_BYTES} bytes, got {len(salt)}")
    if not pseudonym:
        raise ValueError("expected a pseudonym, got empty text")
    return hmac_digest(salt, _LABEL + pseudonym.encode("utf-8"))
