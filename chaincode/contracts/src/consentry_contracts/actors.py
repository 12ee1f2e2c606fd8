"""Who calls: taken from the certificate alone, never from an argument."""

from __future__ import annotations

from dataclasses import dataclass

from consentry_records.errors import LedgerError
from consentry_records.identifiers import ACTOR_PATTERN
from consentry_records.permissions import PERMISSIONS
from consentry_records.roles import PROJECT_ATTRIBUTE, ROLE_ATTRIBUTE, parse_projects, parse_roles
from consentry_records.settings import Settings
from fabric_shim import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The caller's organization (MSP id), random enrolment id (its certificate's common name), roles and
    projects, both sorted.
    """

    msp_id: str
    enrolment_id: str
    roles: tuple[str, ...]
    projects: tuple[str, ...]


def actor_of(ctx: Context) -> Actor:
    """The caller; raises LedgerError ACTOR_INVALID where the common name cannot be an enrolment id."""
    caller = ctx.caller
    if not ACTOR_PATTERN.fullmatch(caller.common_name):
        raise LedgerError("ACTOR_INVALID")
    roles = parse_roles(caller.attributes.get(ROLE_ATTRIBUTE))
    projects = parse_projects(caller.attributes.get(PROJECT_ATTRIBUTE))
    return Actor(msp_id=caller.msp_id, enrolment_id=caller.common_name, roles=roles, projects=projects)


def member(ctx: Context, settings: Settings) -> Actor:
    """The caller as a member of the consortium, of the kind that the called function demands.

    Raises LedgerError ORGANIZATION_UNKNOWN, ORGANIZATION_KIND_WRONG or ACTOR_INVALID.
    """
    actor = actor_of(ctx)
    kind, expected = settings.kind_of(actor.msp_id), PERMISSIONS[ctx.function].kind
    if kind is None:
        raise LedgerError("ORGANIZATION_UNKNOWN", {"msp_id": actor.msp_id})
    if expected is not None and kind != expected:
        raise LedgerError("ORGANIZATION_KIND_WRONG", {"msp_id": actor.msp_id, "expected": expected})
    return actor


def check_custodian(actor: Actor, custodian: str) -> None:
    """Refuse a caller of another organization than the custodian; raises LedgerError NOT_CUSTODIAN."""
    if actor.msp_id != custodian:
        raise LedgerError("NOT_CUSTODIAN", {"custodian": custodian, "msp_id": actor.msp_id})
