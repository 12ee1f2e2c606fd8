"""Who may call what: for every function the roles of which the caller needs one, and the kind of its
organization.

A function that is not in the table cannot be called. docs/ledger-format.md shows the table; a test compares
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .roles import DPO, ETHICS, REGULATOR, RESEARCHER, SERVICE, STEWARD
from .settings import HOSPITAL, REGULATOR_KIND


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What a function demands: one of `roles` (none: any), an organization of `kind` (None: any of the
    consortium).

    `transient` are the exact names of the transient fields; public transactions take none (DESIGN.md §8).
    """

    roles: tuple[str, ...] = ()
    kind: str | None = None
    transient: tuple[str, ...] = ()


_ANYBODY = Permission()
_STEWARD = Permission(roles=(STEWARD,), kind=HOSPITAL)
_CUSTODIAN = Permission(roles=(STEWARD, DPO), kind=HOSPITAL)
_DPO = Permission(roles=(DPO,), kind=HOSPITAL)
_RESEARCHER = Permission(roles=(RESEARCHER,))
_REVIEWER_ROLES = (STEWARD, DPO, ETHICS)
_REVIEWER = Permission(roles=_REVIEWER_ROLES, kind=HOSPITAL)
_REGULATOR = Permission(roles=(REGULATOR,), kind=REGULATOR_KIND)

PERMISSIONS: Mapping[str, Permission] = MappingProxyType(
    {
        "ledger:initialize": _REGULATOR,
        "ledger:settings": _ANYBODY,
        "ledger:vote": Permission(roles=(DPO, REGULATOR)),
        "ledger:votes": _ANYBODY,
        "consents:store_private": Permission(roles=(STEWARD,), kind=HOSPITAL, transient=("batch", "entries")),
        "consents:import_batch": _STEWARD,
        "consents:withdraw": _CUSTODIAN,
        "consents:change": _CUSTODIAN,
        "consents:get": _ANYBODY,
        "consents:permitted": _ANYBODY,
        "consents:read_private": Permission(roles=(STEWARD, DPO), kind=HOSPITAL, transient=("key",)),
        "subjects:opt_out": _CUSTODIAN,
        "subjects:get": _ANYBODY,
        "rights:receive": _CUSTODIAN,
        "rights:advance": _DPO,
        "rights:purge": _CUSTODIAN,
        "rights:fulfil": _DPO,
        "rights:notify": _CUSTODIAN,
        "rights:get": _ANYBODY,
        "rights:of_subject": _ANYBODY,
        "rights:unanswered": _ANYBODY,
        "datasets:register": _STEWARD,
        "datasets:update": _STEWARD,
        "datasets:retire": _CUSTODIAN,
        "datasets:get": _ANYBODY,
        "datasets:versions": _ANYBODY,
        "datasets:removed": _ANYBODY,
        "grants:request": _RESEARCHER,
        "grants:grant": _CUSTODIAN,
        "grants:change": _CUSTODIAN,
        "grants:renew": _CUSTODIAN,
        "grants:narrow": _CUSTODIAN,
        "grants:revoke": _CUSTODIAN,
        "grants:suspend": _REGULATOR,
        "grants:lift_suspension": _REGULATOR,
        "grants:get": _ANYBODY,
        "grants:get_suspension": _ANYBODY,
        "grants:get_request": _ANYBODY,
        "reviews:set_policy": Permission(roles=(DPO,), kind=HOSPITAL),
        "reviews:store_rationale": Permission(roles=_REVIEWER_ROLES, kind=HOSPITAL, transient=("rationale",)),
        "reviews:record": _REVIEWER,
        "reviews:list": _ANYBODY,
        "reviews:match": _ANYBODY,
        "reviews:read_rationale": Permission(roles=_REVIEWER_ROLES, kind=HOSPITAL, transient=("key",)),
        "access:attempt": _ANYBODY,
        "access:decide": Permission(roles=(SERVICE,), kind=HOSPITAL),
        "access:decide_batch": Permission(roles=(SERVICE,), kind=HOSPITAL),
        "access:get": _ANYBODY,
        "deliveries:record": Permission(roles=(SERVICE,), kind=HOSPITAL),
        "deliveries:may_go_on": _ANYBODY,
        "deliveries:outlook": _ANYBODY,
        "deliveries:of_attempt": _ANYBODY,
        "functions:register": _RESEARCHER,
        "functions:approve": _CUSTODIAN,
        "functions:revoke": _CUSTODIAN,
        "functions:get": _ANYBODY,
        "emergencies:review": Permission(roles=(DPO, ETHICS), kind=HOSPITAL),
        "emergencies:open": _ANYBODY,
        "training:start": _RESEARCHER,
        "training:record_round": _RESEARCHER,
        "training:record_rounds": _RESEARCHER,
        "training:finish": _RESEARCHER,
        "training:record_statement": _RESEARCHER,
        "training:get": _ANYBODY,
        "training:usage": _ANYBODY,
        "models:register": _RESEARCHER,
        "models:register_version": _RESEARCHER,
        "models:change_stage": Permission(roles=(STEWARD, DPO)),
        "models:get_stage": _ANYBODY,
        "models:get": _ANYBODY,
        "models:versions": _ANYBODY,
        "impact:of_consent": _ANYBODY,
        "impact:of_model_version": _ANYBODY,
        "breaches:record": _DPO,
        "breaches:advance": _DPO,
        "breaches:get": _ANYBODY,
        "trail:record_read": _ANYBODY,
        "trail:get": _ANYBODY,
        "epochs:close": Permission(roles=(SERVICE,), kind=HOSPITAL),
        "epochs:get": _ANYBODY,
    }
)
"""Function name on the wire → what it demands."""
