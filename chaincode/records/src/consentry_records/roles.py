"""Roles that a certificate gives its holder, in its attribute `consentry.role` (a comma-separated list)."""

from __future__ import annotations

ROLE_ATTRIBUTE = "consentry.role"

STEWARD = "steward"
RESEARCHER = "researcher"
DPO = "dpo"
AUDITOR = "auditor"
REGULATOR = "regulator"
SERVICE = "service"

ROLES = (STEWARD, RESEARCHER, DPO, AUDITOR, REGULATOR, SERVICE)
"""Every role there is: data steward, researcher, data protection officer, auditor, regulator, a custodian's
service.
"""


def parse_roles(attribute: str | None) -> tuple[str, ...]:
    """The known roles in an attribute value, sorted and each once; anything else in it gives no role."""
    named = (attribute or "").split(",")
    return tuple(sorted(role for role in ROLES if role in named))
