"""What pages show, read from the index: consents over time, and grants as they stand at an instant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from support.story import NORTHGATE, RIVERSIDE, grant, instant

from consentry.index import RecordRow, Trail, open_database
from consentry.index.consent_rows import store_consent_days
from consentry.web.views.consents_over_time import MOST_INTERVALS, consents_over_time
from consentry.web.views.records import grant_state


@pytest.fixture
def engine() -> Iterator[Engine]:
    opened = open_database("sqlite://")
    yield opened
    opened.dispose()


def store(engine: Engine, changed: dict[tuple[str, str, bool], int]) -> None:
    with engine.begin() as connection:
        store_consent_days(connection, Counter(changed))


@pytest.mark.parametrize(("days", "unit"), [(20, "day"), (400, "month"), (4000, "year")])
def test_intervals_are_as_long_as_it_takes_to_be_few(engine, days, unit):
    begin = date(2015, 1, 1)
    store(
        engine,
        {(NORTHGATE, (begin + timedelta(days=number)).isoformat(), True): 1 for number in range(days)},
    )
    with Trail(engine).snapshot() as connection:
        found = consents_over_time(connection, NORTHGATE)
        assert consents_over_time(connection, RIVERSIDE).intervals == ()
    assert found.unit == unit
    assert len(found.intervals) <= MOST_INTERVALS
    assert found.intervals[-1].in_force == days


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 9000), st.booleans()), st.integers(1, 50), min_size=1, max_size=60
    )
)
@settings(deadline=None, max_examples=40)
def test_what_is_in_force_at_the_end_is_what_began_and_did_not_end(changes) -> None:
    opened = open_database("sqlite://")
    begin = date(2000, 1, 1)
    store(
        opened,
        {
            (NORTHGATE, (begin + timedelta(days=day)).isoformat(), holds): number
            for (day, holds), number in changes.items()
        },
    )
    with Trail(opened).snapshot() as connection:
        found = consents_over_time(connection, NORTHGATE)
    opened.dispose()
    began = sum(number for (_, holds), number in changes.items() if holds)
    ended = sum(number for (_, holds), number in changes.items() if not holds)
    assert found.intervals[-1].in_force == began - ended
    assert [entry.name for entry in found.intervals] == sorted(entry.name for entry in found.intervals)
    for before, after in zip(found.intervals, found.intervals[1:], strict=False):
        assert after.in_force == before.in_force + after.began - after.ended


@pytest.mark.parametrize(
    ("state", "at", "expected"),
    [
        ("active", instant(3), "not-yet"),
        ("active", instant(4), "active"),
        ("active", instant(13, 23), "active"),
        ("active", instant(14), "expired"),
        ("revoked", instant(5), "revoked"),
        ("suspended", instant(20), "suspended"),
    ],
)
def test_a_grant_is_what_it_is_at_an_instant(state, at, expected):
    body = grant(1).to_dict()
    row = RecordRow("grant", "grant-1", NORTHGATE, state, True, body, 1, 1, "t", instant(4))
    assert grant_state(row, at) == expected
