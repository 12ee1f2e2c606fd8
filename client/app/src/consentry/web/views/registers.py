"""Registers of one organization with their clocks: requests of data subjects (one month), breaches (72 h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sqlalchemy import Connection, select

from consentry.index.nearby import newest, oldest
from consentry.index.rows import RecordRow, get_record
from consentry.index.schema import records
from consentry.web.views.clocks import Clock, ClockState, clock
from consentry_records.breach import AUTHORITY_NOT_NOTIFIED, AUTHORITY_NOTIFIED, Breach
from consentry_records.breach import OPEN as BREACH_OPEN
from consentry_records.rights_request import (
    EXTENDED,
    FULFILLED,
    OPEN_STATES,
    REJECTED,
    RightsEvent,
    RightsRequest,
)

DONE_A_PAGE = 50
MOST_OPEN = 200
_RIGHTS_SOON_HOURS = 7 * 24
_BREACH_SOON_HOURS = 24
_ANSWERS = (FULFILLED, REJECTED)

Entry = TypeVar("Entry", bound="_Clocked")


@dataclass(frozen=True, slots=True)
class RightsEntry:
    """One request of a data subject with its clock; `answered_at` is empty while it is open."""

    request: RightsRequest
    clock: Clock
    answered_at: str
    is_extended: bool
    grounds: tuple[tuple[str, str], ...]
    block: int
    honoured: bool


@dataclass(frozen=True, slots=True)
class BreachEntry:
    """One breach with its clock; `decided` is what was decided about the authority, empty if nothing."""

    breach: Breach
    clock: Clock
    decided: str
    decided_at: str
    block: int
    honoured: bool


@dataclass(frozen=True, slots=True)
class Register(Generic[Entry]):
    """Entries of one organization: those open, the oldest first, and a page of the others, newest first.

    Attributes:
        organization: MSP id of whose register it is.
        open: at most 200, the soonest due first.
        open_count: how many are open.
        overdue: how many of those shown are late.
        done: a page of the others.
        done_count: how many those are.
        next: id after which the next page begins.
    """

    organization: str
    open: tuple[Entry, ...]
    open_count: int
    overdue: int
    done: tuple[Entry, ...]
    done_count: int
    next: str | None


def rights_register(
    connection: Connection, organization: str, at: str, after: str | None
) -> Register[RightsEntry]:
    """The requests of data subjects that an organization (MSP id) recorded, their clocks read at an instant.

    Raises:
        InputRejected: PAGE_INVALID.
    """
    kind = _Kind("rights", OPEN_STATES, _rights_entry)
    return _register(connection, kind, organization, at, after)


def breach_register(
    connection: Connection, organization: str, at: str, after: str | None
) -> Register[BreachEntry]:
    """The breaches that an organization (MSP id) recorded, their clocks read at an instant.

    Raises:
        InputRejected: PAGE_INVALID.
    """
    kind = _Kind("breach", (BREACH_OPEN,), _breach_entry)
    return _register(connection, kind, organization, at, after)


def find_breach(connection: Connection, breach_id: str, at: str) -> BreachEntry | None:
    """One breach with its clock read at an instant, or None."""
    row = get_record(connection, "breach", breach_id)
    return None if row is None or not row.body else _breach_entry(row, at)


class _Clocked(Protocol):
    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True)
class _Kind(Generic[Entry]):
    name: str
    open_states: tuple[str, ...]
    read: Callable[[RecordRow, str], Entry]


def _register(
    connection: Connection, kind: _Kind[Entry], organization: str, at: str, after: str | None
) -> Register[Entry]:
    table = records.c
    ids = select(table.record_id).where(table.kind == kind.name, table.owner == organization)
    opened = oldest(connection, kind.name, ids.where(table.state.in_(kind.open_states)), MOST_OPEN)
    others = ids.where(table.state.not_in(kind.open_states))
    done = newest(connection, kind.name, others, DONE_A_PAGE, after)
    entries = sorted(
        (kind.read(row, at) for row in opened.rows if row.body), key=lambda entry: entry.clock.due_at
    )
    return Register(
        organization=organization,
        open=tuple(entries),
        open_count=opened.count,
        overdue=sum(entry.clock.state is ClockState.OVERDUE for entry in entries),
        done=tuple(kind.read(row, at) for row in done.rows if row.body),
        done_count=done.count,
        next=done.next,
    )


def _rights_entry(row: RecordRow, at: str) -> RightsEntry:
    request = RightsRequest.from_dict(row.body)
    answer = _answer(request)
    answered_at = answer.recorded_at if answer is not None else None
    if not request.is_open and answered_at is None:
        # Cancelled by the person: nothing has to be answered any more.
        answered_at = request.events[-1].recorded_at
    return RightsEntry(
        request=request,
        clock=clock(request.due_at, at, answered_at, soon_hours=_RIGHTS_SOON_HOURS),
        answered_at=answered_at or "",
        is_extended=any(event.event == EXTENDED for event in request.events),
        grounds=tuple((event.event, event.ground) for event in request.events if event.ground is not None),
        block=row.first_block,
        honoured=row.honoured,
    )


def _answer(request: RightsRequest) -> RightsEvent | None:
    return next((event for event in request.events if event.event in _ANSWERS), None)


def _breach_entry(row: RecordRow, at: str) -> BreachEntry:
    breach = Breach.from_dict(row.body)
    decision = breach.event(AUTHORITY_NOTIFIED, AUTHORITY_NOT_NOTIFIED)
    done_at = decision.happened_at if decision is not None else None
    if decision is not None and decision.event == AUTHORITY_NOT_NOTIFIED:
        # The 72 hours are those of a notification: where none is due they bind nobody.
        done_at = min(decision.happened_at, breach.notify_before)
    return BreachEntry(
        breach=breach,
        clock=clock(breach.notify_before, at, done_at, soon_hours=_BREACH_SOON_HOURS),
        decided=decision.event if decision is not None else "",
        decided_at=decision.happened_at if decision is not None else "",
        block=row.first_block,
        honoured=row.honoured,
    )
