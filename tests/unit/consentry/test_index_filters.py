"""Accesses by reason and by time: what the tables behind them must hold, whoever lies about the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Engine, select
from support.chains import Effects
from support.epochs import index
from support.story import (
    LAKESIDE,
    NORTHGATE,
    RIVERSIDE,
    Story,
    attempt,
    denial,
    identifier,
    instant,
    permit,
    tell,
)

from consentry.errors import InputRejected
from consentry.index import AccessFilter, PageRequest, Trail, TransactionFilter, open_database
from consentry.index.pages import all_items
from consentry.index.schema import block_hours, denials
from consentry_records import keys
from consentry_records.reasons import Reason

NO_GRANT = Reason(code="NO_GRANT", parameters={"msp_id": RIVERSIDE, "version_id": identifier("version", 1)})
NO_ROLE = Reason(code="ROLE_MISSING", parameters={"role": "researcher"})


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = open_database("sqlite://")
    yield made
    made.dispose()


@pytest.fixture
def story() -> Story:
    return tell()


def found(engine: Engine, **wanted: str) -> list[int]:
    items = Trail(engine).accesses(AccessFilter(**wanted)).items  # type: ignore[arg-type]
    return [int(access.attempt_id[-2:], 16) for access in items]


def test_attempts_are_found_by_each_reason_of_their_denial(story: Story, engine: Engine) -> None:
    story.put({keys.attempt(identifier("attempt", 4)): attempt(4)}, by=story.researcher)
    twice = permit(4, outcome="deny", reasons=(NO_GRANT, NO_ROLE), grant_id=None, permit_not_after=None)
    story.put({keys.decision(identifier("attempt", 4)): twice}, by=story.service)
    index(story, engine)
    assert found(engine, reason="ROLE_MISSING") == [2, 4]
    assert found(engine, reason="NO_GRANT") == [4]
    assert found(engine, reason="NO_GRANT", outcome="permit") == []
    assert found(engine, reason="ROLE_MISSING", requester="clerk-1") == [2]
    assert found(engine, reason="GRANT_EXPIRED") == []
    with pytest.raises(InputRejected, match="REASON_UNKNOWN"):
        found(engine, reason="NO_SUCH_REASON")


def test_pages_by_reason_hold_each_attempt_once_in_both_orders(story: Story, engine: Engine) -> None:
    for number in range(4, 9):
        story.put({keys.attempt(identifier("attempt", number)): attempt(number)}, by=story.researcher)
        story.put({keys.decision(identifier("attempt", number)): denial(number, NO_ROLE)}, by=story.service)
    index(story, engine)
    trail, wanted = Trail(engine), AccessFilter(reason="ROLE_MISSING")
    ids = [
        int(access.attempt_id[-2:], 16)
        for access in all_items(lambda page: trail.accesses(wanted, page), size=2)
    ]
    assert ids == [2, 4, 5, 6, 7, 8]
    newest = trail.accesses(wanted, PageRequest(2, newest_first=True))
    assert [access.attempt_id for access in newest.items] == [
        identifier("attempt", 8),
        identifier("attempt", 7),
    ]


def test_a_denial_that_does_not_count_has_no_reason(story: Story, engine: Engine) -> None:
    """One by somebody else, and one on an attempt that is decided already."""
    foreign = denial(3, NO_GRANT).to_dict() | {"custodian": LAKESIDE}
    forged = type(denial(3, NO_GRANT)).from_dict(foreign)
    story.put({keys.decision(identifier("attempt", 3)): forged}, by=story.service)
    story.put({keys.decision(identifier("attempt", 1)): denial(1, NO_GRANT)}, by=story.service)
    index(story, engine)
    assert found(engine, reason="NO_GRANT") == []
    with engine.connect() as connection:
        assert connection.scalars(select(denials.c.attempt_id)).all() == [identifier("attempt", 2)]


def test_what_was_submitted_late_is_found_by_its_own_time(story: Story, engine: Engine) -> None:
    for number, at in ((4, instant(3)), (5, instant(20)), (6, instant(9))):
        made = attempt(number, proposal_time=at)
        effects = Effects(writes={keys.attempt(made.attempt_id): made.to_bytes()}, function="access:attempt")
        envelope = story.chain.transaction(
            effects,
            creator=story.researcher,
            endorsers=(NORTHGATE, RIVERSIDE, LAKESIDE),
            time=datetime.fromisoformat(at),
        )
        story.chain.commit([envelope])
    index(story, engine)
    assert found(engine, since=instant(3), until=instant(4)) == [4]
    assert found(engine, since=instant(9)) == [5, 6]
    assert found(engine, until=instant(5, 2)) == [1, 4]
    assert found(engine, since=instant(9), until=instant(9)) == []
    assert found(engine, since=instant(25)) == []
    trail = Trail(engine)
    late = trail.transactions(TransactionFilter(since=instant(9), until=instant(10))).items
    assert [row.proposal_time for row in late] == [instant(9)]


def test_an_attempt_that_states_another_time_than_its_transaction_is_found_by_what_it_states(
    story: Story, engine: Engine
) -> None:
    story.put(
        {keys.attempt(identifier("attempt", 4)): attempt(4, proposal_time="2031-05-05T05:00:00.000Z")},
        by=story.researcher,
    )
    index(story, engine)
    assert found(engine, since="2031-05-05T04:00:00.000Z") == [4]


def test_an_hour_names_its_first_and_last_block(story: Story, engine: Engine) -> None:
    index(story, engine)
    trail, expected = Trail(engine), dict[str, set[int]]()
    for row in all_items(lambda page: trail.transactions(TransactionFilter(), page)):
        expected.setdefault(row.proposal_time[:13], set()).add(row.block)
    with engine.connect() as connection:
        rows = {row.hour: row for row in connection.execute(select(block_hours))}
    for hour, blocks in expected.items():
        assert (rows[hour].first_block, rows[hour].last_block) == (min(blocks), max(blocks))
