"""Roles that a certificate gives its holder, in its attribute `consentry.role` (a comma-separated list)."""

from __future__ import annotations

from .identifiers import SLUG_PATTERN

ROLE_ATTRIBUTE = "consentry.role"

STEWARD = "steward"
RESEARCHER = "researcher"
DPO = "dpo"
AUDITOR = "auditor"
REGULATOR = "regulator"
SERVICE = "service"
ETHICS = "ethics"
CLINICIAN = "clinician"

ROLES = (STEWARD, RESEARCHER, DPO, AUDITOR, REGULATOR, SERVICE, ETHICS, CLINICIAN)
"""Every role there is: data steward, researcher, data protection officer, auditor, regulator, a custodian's
service, ethics reviewer, and the clinician who may break the glass.
"""

PROJECT_ATTRIBUTE = "consentry.project"
MAXIMUM_PROJECTS = 16


def parse_roles(attribute: str | None) -> tuple[str, ...]:
    """The known roles in an attribute value, sorted and each once; anything else in it gives no role."""
    named = (attribute or "").split(",")
    return tuple(sorted(role for role in ROLES if role in named))


def parse_projects(attribute: str | None) -> tuple[str, ...]:
    """The projects that a certificate names its holder a member of (attribute `consentry.project`), sorted.

    What is no slug is left out; of more than 16 none count, for a cut list would hide some at random.
    """
    named = {name for name in (attribute or "").split(",") if SLUG_PATTERN.fullmatch(name)}
    return tuple(sorted(named)) if len(named) <= MAXIMUM_PROJECTS else ()
