"""Requests for access and the grants that answer them (ODRL agreement, GA4GH ControlledAccessGrants, EHDS
Art. 68).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

from .errors import LedgerError
from .instants import milliseconds_between
from .kinds import ACTOR, DIGEST, INSTANT, MSP_ID, Choice, Integer, Many, Nullable, identifier
from .record import Record, field_names
from .vocabulary import ETHICS_APPROVAL, PURPOSES, RESTRICTIONS, covers

ACTIVE = "active"
REVOKED = "revoked"
MAXIMUM_VERSIONS = 64
MAXIMUM_DURATION_SECONDS = 10 * 366 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccessRequest(Record):
    """A request as a researcher submits it (argument of `grants:request`).

    `duration_seconds` is the longest period asked for, at most ten years (EHDS Art. 68).
    """

    request_id: Annotated[str, identifier("request")]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 1, MAXIMUM_VERSIONS)]
    purposes: Annotated[tuple[str, ...], Many(Choice(PURPOSES), 1, 16)]
    restrictions: Annotated[tuple[str, ...], Many(Choice(RESTRICTIONS), 0, 16)]
    duration_seconds: Annotated[int, Integer(1, MAXIMUM_DURATION_SECONDS)]
    ethics_approval_digest: Annotated[str | None, Nullable(DIGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest(NewAccessRequest):
    """A request on the ledger, key `request/{id}`; `requester` is the enrolment id of who asked."""

    requester_msp: Annotated[str, MSP_ID]
    requester: Annotated[str, ACTOR]
    requested_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.request/1",))] = "consentry.request/1"

    @classmethod
    def requested(
        cls, new: NewAccessRequest, *, requester_msp: str, requester: str, requested_at: str
    ) -> Self:
        """The record of a request just made."""
        submitted = {name: getattr(new, name) for name in field_names(NewAccessRequest)}
        return cls(**submitted, requester_msp=requester_msp, requester=requester, requested_at=requested_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant(Record):
    """A grant as a custodian submits it (argument of `grants:grant`); holds over [not_before, not_after).

    The grantee (the requester's organization) and the ethics approval come from the request.
    """

    grant_id: Annotated[str, identifier("grant")]
    request_id: Annotated[str, identifier("request")]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 1, MAXIMUM_VERSIONS)]
    purposes: Annotated[tuple[str, ...], Many(Choice(PURPOSES), 1, 16)]
    restrictions: Annotated[tuple[str, ...], Many(Choice(RESTRICTIONS), 0, 16)]
    not_before: Annotated[str, INSTANT]
    not_after: Annotated[str, INSTANT]

    def check(self) -> None:
        """The period is not empty; raises LedgerError PERIOD_INVALID."""
        if self.not_before >= self.not_after:
            raise LedgerError("PERIOD_INVALID", {"record": type(self).__name__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(NewGrant):
    """A grant on the ledger, key `grant/{id}`, under its custodian's key-level policy.

    `grantee` is an MSP id; `revision` counts from 1 and grows with every change.
    """

    custodian: Annotated[str, MSP_ID]
    grantee: Annotated[str, MSP_ID]
    ethics_approval_digest: Annotated[str | None, Nullable(DIGEST)]
    state: Annotated[str, Choice((ACTIVE, REVOKED))]
    revision: Annotated[int, Integer(1, 1_000_000)]
    schema: Annotated[str, Choice(("consentry.grant/1",))] = "consentry.grant/1"

    @classmethod
    def granted(cls, new: NewGrant, request: AccessRequest, *, custodian: str) -> Self:
        """The record of a grant just given on a request."""
        return cls(
            **{name: getattr(new, name) for name in field_names(NewGrant)},
            custodian=custodian,
            grantee=request.requester_msp,
            ethics_approval_digest=request.ethics_approval_digest,
            state=ACTIVE,
            revision=1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantChange(Record):
    """Argument of `grants:change`: another end for a grant, earlier or within the duration that was asked
    for.
    """

    grant_id: Annotated[str, identifier("grant")]
    not_after: Annotated[str, INSTANT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension(Record):
    """A regulator's suspension, key `suspension/{grant}`, under the regulator's own key-level policy
    (DESIGN.md §9).
    """

    grant_id: Annotated[str, identifier("grant")]
    regulator: Annotated[str, MSP_ID]
    suspended_by: Annotated[str, ACTOR]
    suspended_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.suspension/1",))] = "consentry.suspension/1"


def check_grant_answers_request(grant: NewGrant, request: AccessRequest) -> None:
    """A grant gives nothing that was not asked for and drops no restriction of the request.

    Raises LedgerError GRANT_VERSION_NOT_REQUESTED, GRANT_PURPOSE_NOT_REQUESTED, GRANT_RESTRICTION_DROPPED or
    GRANT_ETHICS_APPROVAL_MISSING. Its length is checked apart, for a change of the end needs that check too.
    """
    for version_id in grant.versions:
        if version_id not in request.versions:
            raise LedgerError("GRANT_VERSION_NOT_REQUESTED", {"version_id": version_id})
    for purpose in grant.purposes:
        if not covers(request.purposes, purpose):
            raise LedgerError("GRANT_PURPOSE_NOT_REQUESTED", {"purpose": purpose})
    for restriction in request.restrictions:
        if restriction not in grant.restrictions:
            raise LedgerError("GRANT_RESTRICTION_DROPPED", {"restriction": restriction})
    if ETHICS_APPROVAL in grant.restrictions and request.ethics_approval_digest is None:
        raise LedgerError("GRANT_ETHICS_APPROVAL_MISSING")


def check_grant_length(not_before: str, not_after: str, request: AccessRequest) -> None:
    """A period is not empty and not longer than asked for; raises LedgerError PERIOD_INVALID or
    GRANT_TOO_LONG.
    """
    if not_before >= not_after:
        raise LedgerError("PERIOD_INVALID", {"record": "Grant"})
    if milliseconds_between(not_before, not_after) > request.duration_seconds * 1000:
        raise LedgerError("GRANT_TOO_LONG", {"maximum": request.duration_seconds})
