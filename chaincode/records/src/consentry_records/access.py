"""Attempts at access and the decisions on them (IHE BALP AuthZconsent: both outcomes are on record)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

from .kinds import ACTOR, FLAG, INSTANT, MSP_ID, TRANSACTION_ID, Choice, Many, Nullable, identifier
from .reasons import Reason
from .record import Nested, Record, field_names
from .roles import ROLES
from .rule_catalogue import RULES
from .vocabulary import PURPOSES

PERMIT = "permit"
DENY = "deny"
MAXIMUM_REASONS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccessAttempt(Record):
    """An attempt as a member submits it (argument of `access:attempt`)."""

    attempt_id: Annotated[str, identifier("attempt")]
    version_id: Annotated[str, identifier("version")]
    purpose: Annotated[str, Choice(PURPOSES)]
    commercial: Annotated[bool, FLAG]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAttempt(NewAccessAttempt):
    """An attempt on the ledger, key `attempt/{id}`: who tried what, committed before anybody decided on it.

    `proposal_time` is the requester's clock and decides nothing.
    """

    custodian: Annotated[str, MSP_ID]
    requester_msp: Annotated[str, MSP_ID]
    requester: Annotated[str, ACTOR]
    roles: Annotated[tuple[str, ...], Many(Choice(ROLES), 0, len(ROLES))]
    proposal_time: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.attempt/1",))] = "consentry.attempt/1"

    @classmethod
    def made(
        cls,
        new: NewAccessAttempt,
        *,
        custodian: str,
        requester_msp: str,
        requester: str,
        roles: tuple[str, ...],
        proposal_time: str,
    ) -> Self:
        """The record of an attempt just made."""
        return cls(
            **{name: getattr(new, name) for name in field_names(NewAccessAttempt)},
            custodian=custodian,
            requester_msp=requester_msp,
            requester=requester,
            roles=roles,
            proposal_time=proposal_time,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDecision(Record):
    """The custodian's decision, key `decision/{attempt}`, never rewritten.

    `rules` are ids of `rule_catalogue.RULES` that were applied; `epoch` is the transaction id that last wrote
    the custodian's epoch key (empty before the first); `decided_at` the clock of the custodian's service;
    `permit_not_after` the end of the permit, never after the grant's.
    """

    attempt_id: Annotated[str, identifier("attempt")]
    custodian: Annotated[str, MSP_ID]
    outcome: Annotated[str, Choice((PERMIT, DENY))]
    rules: Annotated[tuple[str, ...], Many(Choice(RULES), 1, 16)]
    reasons: Annotated[tuple[Reason, ...], Many(Nested(Reason), 0, MAXIMUM_REASONS)]
    grant_id: Annotated[str | None, Nullable(identifier("grant"))]
    epoch: Annotated[str, TRANSACTION_ID]
    decided_at: Annotated[str, INSTANT]
    permit_not_after: Annotated[str | None, Nullable(INSTANT)]
    schema: Annotated[str, Choice(("consentry.decision/1",))] = "consentry.decision/1"

    @property
    def permits(self) -> bool:
        """Whether access was permitted; a permit ends at `permit_not_after`."""
        return self.outcome == PERMIT
