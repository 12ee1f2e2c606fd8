"""Attempts at access and the decisions on them (IHE BALP AuthZconsent: both outcomes are on record)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from .columns import COLUMNS
from .conditions import MAXIMUM_USES
from .emergency import EMERGENCY_REASONS
from .errors import LedgerError
from .kinds import (
    ACTOR,
    DIGEST,
    DISEASE,
    FLAG,
    INSTANT,
    MSP_ID,
    SLUG,
    TRANSACTION_ID,
    Choice,
    Integer,
    Many,
    Nullable,
    identifier,
)
from .migrations import adding
from .reasons import Reason
from .record import Migration, Nested, Record, field_names
from .request import MAXIMUM_DISEASES
from .roles import MAXIMUM_PROJECTS, ROLES
from .rule_catalogue import RULES
from .vocabulary import OUTPUTS, PURPOSES

PERMIT = "permit"
DENY = "deny"
MAXIMUM_REASONS = 32
MAXIMUM_DECISIONS = 64
ROWS = "rows"
AGGREGATE = "aggregate"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccessAttempt(Record):
    """An attempt as a member submits it (argument of `access:attempt`).

    `diseases` say what disease-specific research is about, `output` what of the data it would bring out,
    `session_id` the training session that it is made for, `emergency` why the glass is broken (none: it is
    not), `columns` which columns of the version it would use (none: all), `function_digest` the registered
    function that it would run on the data (none: no function).
    """

    attempt_id: Annotated[str, identifier("attempt")]
    version_id: Annotated[str, identifier("version")]
    purpose: Annotated[str, Choice(PURPOSES)]
    commercial: Annotated[bool, FLAG]
    diseases: Annotated[tuple[str, ...], Many(DISEASE, 0, MAXIMUM_DISEASES)] = ()
    output: Annotated[str, Choice(OUTPUTS)] = ROWS
    session_id: Annotated[str | None, Nullable(identifier("session"))] = None
    emergency: Annotated[str | None, Nullable(Choice(EMERGENCY_REASONS))] = None
    columns: Annotated[tuple[str, ...], COLUMNS] = ()
    function_digest: Annotated[str | None, Nullable(DIGEST)] = None

    def check(self) -> None:
        """A function gives no rows out and breaks no glass; raises LedgerError FUNCTION_USE_INVALID."""
        if self.function_digest is not None and (self.output != AGGREGATE or self.emergency is not None):
            raise LedgerError("FUNCTION_USE_INVALID")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionBatch(Record):
    """Argument of `access:decide_batch`: ids of the attempts to be decided, none twice."""

    attempts: Annotated[tuple[str, ...], Many(identifier("attempt"), 1, MAXIMUM_DECISIONS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAttempt(NewAccessAttempt):
    """An attempt on the ledger, key `attempt/{id}`: who tried what, committed before anybody decided on it.

    `roles` and `projects` are those of the requester's certificate; `proposal_time` is the requester's clock
    and decides nothing.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {
            "consentry.attempt/1": adding(
                "consentry.attempt/2",
                {"diseases": [], "output": ROWS, "session_id": None, "emergency": None, "projects": []},
            ),
            "consentry.attempt/2": adding("consentry.attempt/3", {"columns": [], "function_digest": None}),
        }
    )

    custodian: Annotated[str, MSP_ID]
    requester_msp: Annotated[str, MSP_ID]
    requester: Annotated[str, ACTOR]
    roles: Annotated[tuple[str, ...], Many(Choice(ROLES), 0, len(ROLES))]
    proposal_time: Annotated[str, INSTANT]
    projects: Annotated[tuple[str, ...], Many(SLUG, 0, MAXIMUM_PROJECTS)] = ()
    schema: Annotated[str, Choice(("consentry.attempt/3",))] = "consentry.attempt/3"

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
        projects: tuple[str, ...] = (),
    ) -> Self:
        """The record of an attempt just made."""
        return cls(
            **{name: getattr(new, name) for name in field_names(NewAccessAttempt)},
            custodian=custodian,
            requester_msp=requester_msp,
            requester=requester,
            roles=roles,
            proposal_time=proposal_time,
            projects=projects,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDecision(Record):
    """The custodian's decision, key `decision/{attempt}`, never rewritten.

    `rules` are ids of `rule_catalogue.RULES` that were applied; `epoch` is the transaction id that last wrote
    the custodian's epoch key (empty before the first); `decided_at` the clock of the custodian's service;
    `permit_not_after` the end of the permit, never after the grant's. `consent_root` is the Merkle root over
    the rows' consents of the version that was decided on; `purpose` and `session_id` are the attempt's;
    `use` is the number of the grant's uses that a permit takes where these are limited; `emergency` why the
    glass was broken where that is what permits.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {
            "consentry.decision/1": adding(
                "consentry.decision/2",
                {"purpose": None, "session_id": None, "consent_root": None, "use": None, "emergency": None},
            )
        }
    )

    attempt_id: Annotated[str, identifier("attempt")]
    custodian: Annotated[str, MSP_ID]
    outcome: Annotated[str, Choice((PERMIT, DENY))]
    rules: Annotated[tuple[str, ...], Many(Choice(RULES), 1, 24)]
    reasons: Annotated[tuple[Reason, ...], Many(Nested(Reason), 0, MAXIMUM_REASONS)]
    grant_id: Annotated[str | None, Nullable(identifier("grant"))]
    epoch: Annotated[str, TRANSACTION_ID]
    decided_at: Annotated[str, INSTANT]
    permit_not_after: Annotated[str | None, Nullable(INSTANT)]
    purpose: Annotated[str | None, Nullable(Choice(PURPOSES))] = None
    session_id: Annotated[str | None, Nullable(identifier("session"))] = None
    consent_root: Annotated[str | None, Nullable(DIGEST)] = None
    use: Annotated[int | None, Nullable(Integer(1, MAXIMUM_USES))] = None
    emergency: Annotated[str | None, Nullable(Choice(EMERGENCY_REASONS))] = None
    schema: Annotated[str, Choice(("consentry.decision/2",))] = "consentry.decision/2"

    @property
    def permits(self) -> bool:
        """Whether access was permitted; a permit ends at `permit_not_after`."""
        return self.outcome == PERMIT
