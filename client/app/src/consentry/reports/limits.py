"""Limits on the use of a subject's data over time: opt-outs, objections, restrictions, erasures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Connection

from consentry.index.record_kinds import SUBJECT
from consentry.index.schema import changes
from consentry.reports.claimed_times import claimed_by_custodian
from consentry.reports.evidence import LedgerWrite
from consentry.reports.report import Table, make_table
from consentry.reports.values import Reported, Value
from consentry.reports.wording import purpose_words
from consentry.reports.written_values import as_write, select_writes
from consentry_records.errors import LedgerError
from consentry_records.subject import (
    ERASURE,
    OBJECTION,
    OPT_OUT,
    RESTRICTION,
    ProcessingLimit,
    SubjectConsents,
)

_WORDS = {
    OPT_OUT: "opt-out from secondary use (EHDS Art. 71)",
    OBJECTION: "objection (GDPR Art. 21)",
    RESTRICTION: "restriction of processing (GDPR Art. 18)",
    ERASURE: "erasure (GDPR Art. 17)",
}


@dataclass(frozen=True)
class LimitRow:
    """One limit that holds or held."""

    kind: Annotated[Value, Reported("Limit", "GDPR Art. 15(1)(e), 17, 18, 21; EHDS Art. 71")]
    purposes: Annotated[Value, Reported("Uses that it forbids", "GDPR Art. 18, 21")]
    period: Annotated[Value, Reported("Holds", "GDPR Art. 18, 21")]
    basis: Annotated[Value, Reported("Rests on", "GDPR Art. 12(3)")]
    record: Annotated[Value, Reported("On record", "GDPR Art. 5(2)")]


@dataclass(frozen=True)
class _Written:
    """The limits that one write left in force."""

    write: LedgerWrite
    limits: tuple[ProcessingLimit, ...]


class LimitsOverTime:
    """What limited the use of one subject's data at any instant.

    Args:
        writes: of the subject's record, in ledger order; what its custodian did not endorse limits nothing.
    """

    def __init__(self, writes: Iterable[LedgerWrite] = ()) -> None:
        self._states = [_Written(write, _limits_in(write)) for write in writes if write.endorsed]

    def forbid(self, purpose: str, at: str) -> bool:
        """Whether a limit that was on record at an instant forbade use for a purpose."""
        past = [state for state in self._states if state.write.recorded_at <= at]
        return bool(past) and any(limit.forbids(purpose) for limit in past[-1].limits)

    def table(self, title: str) -> Table:
        """Every limit that there was, in the order in which they were recorded."""
        nothing = "None: no opt-out, objection, restriction or erasure is on the ledger."
        return make_table("limits", title, nothing, LimitRow, self._rows())

    def _rows(self) -> Iterator[LimitRow]:
        first: dict[ProcessingLimit, LedgerWrite] = {}
        lifted: dict[ProcessingLimit, str] = {}
        for state in self._states:
            for limit in state.limits:
                first.setdefault(limit, state.write)
            for limit in first.keys() - set(state.limits):
                lifted.setdefault(limit, state.write.recorded_at)
        return (_row(limit, write, lifted.get(limit)) for limit, write in first.items())


def limits_over_time(connection: Connection, subject: str) -> LimitsOverTime:
    """The limits on one subject's data that the index has."""
    table = changes.c
    query = select_writes().where(table.kind == SUBJECT, table.record_id == subject)
    rows = connection.execute(query.order_by(table.block, table.position))
    return LimitsOverTime(map(as_write, rows))


def _limits_in(write: LedgerWrite) -> tuple[ProcessingLimit, ...]:
    try:
        return SubjectConsents.from_bytes(write.value).limits if write.value else ()
    except LedgerError:
        # What is no record is a finding, which the report names.
        return ()


def _row(limit: ProcessingLimit, write: LedgerWrite, lifted: str | None) -> LimitRow:
    objected = tuple(map(purpose_words, limit.purposes))
    every = "all secondary use" if limit.kind == OPT_OUT else "all use"
    return LimitRow(
        kind=_WORDS[limit.kind],
        purposes=objected or every,
        period=(
            f"since {limit.since}",
            *claimed_by_custodian(limit),
            f"lifted {lifted}" if lifted else "in force",
        ),
        basis=limit.rights_request_id or "a statement to the custodian",
        record=(write.record_id, f"block {write.block}", f"transaction {write.transaction_id}"),
    )
