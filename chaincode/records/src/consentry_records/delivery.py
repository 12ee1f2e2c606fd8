"""What a custodian's data gate gave out under a permit, one record a connection (EHDS Art. 73)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from .errors import LedgerError
from .function import Computation
from .kinds import ACTOR, DIGEST, INSTANT, KEYED_DIGEST, MSP_ID, Choice, Integer, Nullable, Table, identifier
from .migrations import adding
from .record import Migration, Nested, Record, field_names

MAXIMUM_DELIVERIES = 999_999
ENDS: Mapping[str, str] = MappingProxyType(
    {
        "completed": "everything was given out",
        "recipient-gone": "the recipient's connection broke off",
        "resumed": "the recipient went on in another connection",
        "permit-ended": "the permit's time was over",
        "permit-overtaken": "the grant was revoked, changed or suspended, or the version retired",
        "ledger-unreachable": "the ledger could not be asked any more whether the permit holds",
        "gate-stopped": "the gate was stopped",
        "gate-restarted": "the gate broke down; recorded when it was back",
        "failed": "the gate could not go on",
        "function-failed": "the function ended with an error",
        "limit-exceeded": "the function went beyond its limits of time, memory or output",
        "outputs-refused": "the function's outputs were others than it declares; nothing left",
    }
)
"""Why a delivery ended."""
FUNCTION_ENDS = ("function-failed", "limit-exceeded", "outputs-refused")
LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "ended": "all consents of the subject were withdrawn, expired or entered in error",
        "erased": "the subject's data were erased",
        "limited": "an opt-out, objection or restriction of the subject forbids the use",
        "not-covered": "the subject's consents do not cover the use, or not at this time",
    }
)
"""Why a row was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery(Record):
    """A delivery as the gate submits it (argument of `deliveries:record`).

    Rows at positions [first_row, next_row) of the version were gone through; `row_count` of them were given
    out, the others were left out for the reasons counted in `left_out`. `delivered_root` is the Merkle root
    over the leaves of the rows given out, in their order; `content_digest` is keyed
    with the dataset's secret over the digests of those rows; where only some columns left, with a key of the
    attempt over the digests of their values (ADR 26). `number` counts the attempt's deliveries from 1;
    times are the gate's.

    Where a function ran (`computation`), the rows were given to it beside the data and did not leave;
    `byte_count` is then that of its outputs.
    """

    attempt_id: Annotated[str, identifier("attempt")]
    number: Annotated[int, Integer(1, MAXIMUM_DELIVERIES)]
    end: Annotated[str, Choice(ENDS)]
    first_row: Annotated[int, Integer(0, 10**12)]
    next_row: Annotated[int, Integer(0, 10**12)]
    row_count: Annotated[int, Integer(0, 10**12)]
    byte_count: Annotated[int, Integer(0, 2**53 - 1)]
    left_out: Annotated[Mapping[str, int], Table(Integer(1, 10**12), len(LEFT_OUT))]
    delivered_root: Annotated[str, DIGEST]
    content_digest: Annotated[str, KEYED_DIGEST]
    started_at: Annotated[str, INSTANT]
    ended_at: Annotated[str, INSTANT]
    computation: Annotated[Computation | None, Nullable(Nested(Computation))] = None

    def check(self) -> None:
        """Counts add up, reasons are known, it ended after its start, and a function's outputs left only
        where its run was completed; raises LedgerError DELIVERY_INVALID.
        """
        ran, gave = self.computation is not None, self.computation is not None and self.computation.outputs
        if (self.end in FUNCTION_ENDS and not ran) or (ran and bool(gave) != (self.end == "completed")):
            raise LedgerError("DELIVERY_INVALID")
        known = all(reason in LEFT_OUT for reason in self.left_out)
        counted = self.row_count + sum(self.left_out.values())
        if not known or counted != self.next_row - self.first_row or self.started_at > self.ended_at:
            raise LedgerError("DELIVERY_INVALID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(NewDelivery):
    """A delivery on the ledger, key `delivery/{attempt}/{number}`, never rewritten."""

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {"consentry.delivery/1": adding("consentry.delivery/2", {"computation": None})}
    )

    custodian: Annotated[str, MSP_ID]
    recorded_by: Annotated[str, ACTOR]
    recorded_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.delivery/2",))] = "consentry.delivery/2"

    @classmethod
    def recorded(cls, new: NewDelivery, *, custodian: str, recorded_by: str, recorded_at: str) -> Self:
        """The record of a delivery just reported."""
        submitted = {name: getattr(new, name) for name in field_names(NewDelivery)}
        return cls(**submitted, custodian=custodian, recorded_by=recorded_by, recorded_at=recorded_at)
