"""What one custodian holds of one subject: the consents, and what limits any use whatever they say.

Limits are opt-outs (EHDS Art. 71), objections (GDPR Art. 21), restrictions of processing (Art. 18) and
erasures (Art. 17).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from .earlier_consents import subject_from_version_1
from .errors import LedgerError
from .kinds import ACTOR, COMMITMENT, FLAG, INSTANT, MSP_ID, Choice, Many, Nullable, identifier
from .record import Migration, Nested, Record
from .vocabulary import PURPOSES, covers, is_secondary_use

OPT_OUT = "opt-out"
OBJECTION = "objection"
RESTRICTION = "restriction"
ERASURE = "erasure"
LIMITS = (OPT_OUT, OBJECTION, RESTRICTION, ERASURE)
MAXIMUM_CONSENTS_OF_SUBJECT = 64
MAXIMUM_LIMITS = 64
MAXIMUM_OPT_OUTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingLimit(Record):
    """One limit on the use of a subject's data.

    An objection is to `purposes`; the others have none: an opt-out is from all secondary use, a restriction
    or erasure leaves no use at all. `rights_request_id` is the request that it rests on, null for an opt-out.
    """

    kind: Annotated[str, Choice(LIMITS)]
    purposes: Annotated[tuple[str, ...], Many(Choice(PURPOSES), 0, 16)]
    since: Annotated[str, INSTANT]
    claimed_at: Annotated[str | None, Nullable(INSTANT)]
    recorded_by: Annotated[str, ACTOR]
    rights_request_id: Annotated[str | None, Nullable(identifier("rightsrequest"))]

    def forbids(self, purpose: str) -> bool:
        """Whether no data of the subject may be used for a purpose."""
        return limit_forbids(self.kind, self.purposes, purpose)


def limit_forbids(kind: str, purposes: Collection[str], purpose: str) -> bool:
    """Whether a limit of a kind, an objection with the purposes objected to, forbids use for a purpose."""
    if kind in (RESTRICTION, ERASURE):
        return True
    if kind == OPT_OUT:
        return is_secondary_use(purpose)
    # A use for a broader purpose takes in the one that was objected to.
    return covers(purposes, purpose) or any(covers((purpose,), named) for named in purposes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectConsents(Record):
    """Consents of one subject at one custodian, oldest first, and the limits; key `subject/{commitment}`."""

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {"consentry.subject/1": subject_from_version_1}
    )

    subject: Annotated[str, COMMITMENT]
    custodian: Annotated[str, MSP_ID]
    consents: Annotated[tuple[str, ...], Many(identifier("consent"), 0, MAXIMUM_CONSENTS_OF_SUBJECT)]
    limits: Annotated[tuple[ProcessingLimit, ...], Many(Nested(ProcessingLimit), 0, MAXIMUM_LIMITS)]
    schema: Annotated[str, Choice(("consentry.subject/2",))] = "consentry.subject/2"

    @property
    def erased(self) -> bool:
        """Whether the subject's data were erased or are about to be; a new consent needs a new commitment."""
        return any(limit.kind == ERASURE for limit in self.limits)

    def with_limit(self, limit: ProcessingLimit) -> Self:
        """The same with one limit more; raises LedgerError LIMITS_FULL."""
        # One place is kept for an opt-out, which is never refused.
        if len(self.limits) >= MAXIMUM_LIMITS - 1:
            raise LedgerError("LIMITS_FULL", {"maximum": MAXIMUM_LIMITS})
        return replace(self, limits=(*self.limits, limit))

    def without(self, *, kind: str, rights_request_id: str | None = None) -> Self:
        """The same without the limits of a kind that rest on a request, or on none."""
        kept = tuple(
            limit
            for limit in self.limits
            if (limit.kind, limit.rights_request_id) != (kind, rights_request_id)
        )
        return replace(self, limits=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut(Record):
    """One entry for the opt-out register: whose, in or out, and when it was said if earlier than recorded."""

    subject: Annotated[str, COMMITMENT]
    opted_out: Annotated[bool, FLAG]
    claimed_at: Annotated[str | None, Nullable(INSTANT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutBatch(Record):
    """Argument of `subjects:opt_out`: up to 400 entries; a batch is recorded once."""

    batch_id: Annotated[str, identifier("batch")]
    custodian: Annotated[str, MSP_ID]
    entries: Annotated[tuple[OptOut, ...], Many(Nested(OptOut), 1, MAXIMUM_OPT_OUTS)]

    def check(self) -> None:
        """No subject twice; raises LedgerError SUBJECT_DOUBLED."""
        if len({entry.subject for entry in self.entries}) != len(self.entries):
            raise LedgerError("SUBJECT_DOUBLED", {"batch_id": self.batch_id})
