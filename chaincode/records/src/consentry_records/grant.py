"""Grants that answer requests for access (ODRL agreement, GA4GH ControlledAccessGrants, EHDS Art. 68)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from .conditions import MAXIMUM_USES, Conditions
from .duo import MATCH_OUTCOMES
from .errors import LedgerError
from .kinds import ACTOR, DIGEST, DISEASE, INSTANT, MSP_ID, SLUG, Choice, Integer, Many, Nullable, identifier
from .migrations import adding
from .record import Migration, Nested, Record, field_names
from .request import MAXIMUM_DISEASES, MAXIMUM_VERSIONS, AccessRequest, NewAccessRequest
from .vocabulary import PURPOSES, RESTRICTIONS

__all__ = [
    "ACTIVE",
    "LIFTED",
    "REVOKED",
    "SUSPENDED",
    "AccessRequest",
    "Grant",
    "GrantChange",
    "NarrowedGrant",
    "NewAccessRequest",
    "NewGrant",
    "Suspension",
]

ACTIVE = "active"
REVOKED = "revoked"
SUSPENDED = "suspended"
LIFTED = "lifted"
MAXIMUM_REVISIONS = 1_000_000
NO_CONDITIONS = Conditions()
_ADDED_CONDITIONS: Mapping[str, Any] = {"columns": [], "data_categories": []}
_ADDED: Mapping[str, Any] = {
    "diseases": [],
    "conditions": NO_CONDITIONS.to_dict(),
    "project": None,
    "match": None,
    "renewals": 0,
    "use_slots": None,
}


def _without_columns(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """From the second form to the third: a grant of the second bounds neither columns nor categories."""
    conditions = value.get("conditions")
    if isinstance(conditions, Mapping):
        conditions = {**_ADDED_CONDITIONS, **conditions}
    return {**value, "conditions": conditions, "schema": "consentry.grant/3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant(Record):
    """A grant as a custodian submits it (argument of `grants:grant`); holds over [not_before, not_after).

    The grantee (the requester's organization), the project and the ethics approval come from the request.
    `diseases` bound disease-specific research; none: what the purposes say.
    """

    grant_id: Annotated[str, identifier("grant")]
    request_id: Annotated[str, identifier("request")]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 1, MAXIMUM_VERSIONS)]
    purposes: Annotated[tuple[str, ...], Many(Choice(PURPOSES), 1, 16)]
    restrictions: Annotated[tuple[str, ...], Many(Choice(RESTRICTIONS), 0, 16)]
    not_before: Annotated[str, INSTANT]
    not_after: Annotated[str, INSTANT]
    diseases: Annotated[tuple[str, ...], Many(DISEASE, 0, MAXIMUM_DISEASES)] = ()
    conditions: Annotated[Conditions, Nested(Conditions)] = NO_CONDITIONS

    def check(self) -> None:
        """The period is not empty; raises LedgerError PERIOD_INVALID."""
        if self.not_before >= self.not_after:
            raise LedgerError("PERIOD_INVALID", {"record": type(self).__name__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(NewGrant):
    """A grant on the ledger, key `grant/{id}`, under its custodian's key-level policy.

    `grantee` is an MSP id; `revision` counts from 1 and grows with every change, `renewals` with every
    renewal. `match` is what the datasets' DUO terms said to the request (`duo.match`), never "no".
    `use_slots` is how many keys `use/{grant}/{number}` share its uses: the maximum at first; a smaller
    maximum closes some.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {
            "consentry.grant/1": adding("consentry.grant/2", _ADDED),
            "consentry.grant/2": _without_columns,
        }
    )

    custodian: Annotated[str, MSP_ID]
    grantee: Annotated[str, MSP_ID]
    ethics_approval_digest: Annotated[str | None, Nullable(DIGEST)]
    state: Annotated[str, Choice((ACTIVE, REVOKED))]
    revision: Annotated[int, Integer(1, MAXIMUM_REVISIONS)]
    project: Annotated[str | None, Nullable(SLUG)] = None
    match: Annotated[str | None, Nullable(Choice(MATCH_OUTCOMES))] = None
    renewals: Annotated[int, Integer(0, MAXIMUM_REVISIONS)] = 0
    use_slots: Annotated[int | None, Nullable(Integer(1, MAXIMUM_USES))] = None
    schema: Annotated[str, Choice(("consentry.grant/3",))] = "consentry.grant/3"

    @classmethod
    def granted(
        cls, new: NewGrant, request: AccessRequest, *, custodian: str, match: str | None = None
    ) -> Self:
        """The record of a grant just given on a request."""
        return cls(
            **{name: getattr(new, name) for name in field_names(NewGrant)},
            custodian=custodian,
            grantee=request.requester_msp,
            ethics_approval_digest=request.ethics_approval_digest,
            state=ACTIVE,
            revision=1,
            project=request.project,
            match=match,
            use_slots=new.conditions.maximum_uses,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantChange(Record):
    """Argument of `grants:change` and `grants:renew`: another end for a grant.

    A change stays within the duration that was asked for; a renewal begins that duration anew.
    """

    grant_id: Annotated[str, identifier("grant")]
    not_after: Annotated[str, INSTANT]


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrowedGrant(Record):
    """Argument of `grants:narrow`: what the grant is to be from now on, each field as before or narrower."""

    grant_id: Annotated[str, identifier("grant")]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 1, MAXIMUM_VERSIONS)]
    purposes: Annotated[tuple[str, ...], Many(Choice(PURPOSES), 1, 16)]
    restrictions: Annotated[tuple[str, ...], Many(Choice(RESTRICTIONS), 0, 16)]
    diseases: Annotated[tuple[str, ...], Many(DISEASE, 0, MAXIMUM_DISEASES)]
    conditions: Annotated[Conditions, Nested(Conditions)]
    not_after: Annotated[str, INSTANT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension(Record):
    """A regulator's suspension, key `suspension/{grant}`, under the regulator's own key-level policy
    (DESIGN.md §9).

    While its state is suspended the grant permits nothing; the regulator alone lifts it.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {"consentry.suspension/1": adding("consentry.suspension/2", {"state": SUSPENDED, "lifted_at": None})}
    )

    grant_id: Annotated[str, identifier("grant")]
    regulator: Annotated[str, MSP_ID]
    suspended_by: Annotated[str, ACTOR]
    suspended_at: Annotated[str, INSTANT]
    state: Annotated[str, Choice((SUSPENDED, LIFTED))] = SUSPENDED
    lifted_at: Annotated[str | None, Nullable(INSTANT)] = None
    schema: Annotated[str, Choice(("consentry.suspension/2",))] = "consentry.suspension/2"
