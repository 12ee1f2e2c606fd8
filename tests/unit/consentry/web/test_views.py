"""What pages show, read from the index: consents over time, and grants as they stand at an instant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from benchmarks.trail_events import HOSPITALS
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from support.story import NORTHGATE, RIVERSIDE, Story, grant, identifier, instant

from consentry.index import IndexFollower, PageRequest, RecordRow, Trail, open_database
from consentry.index.consent_rows import store_consent_days
from consentry.index.schema import metadata
from consentry.verification import memory_source
from consentry.web.views.consents_over_time import MOST_INTERVALS, consents_over_time
from consentry.web.views.datasets import list_datasets, view_dataset
from consentry.web.views.grants import view_grant
from consentry.web.views.impact import view_impact
from consentry.web.views.models import list_models, view_model, view_model_version
from consentry.web.views.records import grant_state
from consentry.web.views.registers import breach_register, rights_register
from consentry.web.views.subject import view_subject
from consentry_records import keys


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


def test_no_page_reads_a_table_from_one_end_to_the_other(filled):
    engine, filling = filled
    trail = Trail(engine)
    consents = (trail.record("consent", consent_id) for consent_id in filling.consents)
    own = next(row for row in consents if row is not None and row.owner == HOSPITALS[0])
    held = [row.record_id for row in trail.records("version", owner=HOSPITALS[0])]
    at, page = instant(9), PageRequest(50)
    with planned(engine) as steps, trail.snapshot() as connection:
        list_datasets(connection, None)
        view_dataset(connection, filling.datasets[0], at, None)
        list_models(connection, None)
        view_model(connection, filling.models[0], None)
        view_model_version(connection, filling.model_versions[-1], at)
        view_impact(connection, own.record_id, lambda *_: held, at)
        view_subject(connection, str(own.body["subject"]), lambda *_: held, at, page)
        rights_register(connection, HOSPITALS[0], at, None)
        breach_register(connection, HOSPITALS[0], at, None)
    assert len(steps) > 100
    tables = "|".join(metadata.tables)
    # Every link of a kind is as much as a table.
    whole = re.compile(rf"SCAN ({tables})\b|SEARCH links .*\(from_kind=\?\)$")
    assert [step for step in steps if whole.match(step)] == []


@contextmanager
def planned(engine: Engine) -> Iterator[list[str]]:
    """The steps in which SQLite answers what is asked meanwhile."""
    steps: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            cursor = connection.connection.cursor()
            steps.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield steps
    finally:
        event.remove(engine, "before_cursor_execute", explain)


def test_each_write_of_a_grant_is_called_what_it_did(engine):
    story, key = Story(), keys.grant(identifier("grant", 1))
    writes = [
        ("grants:grant", {}),
        ("grants:change", {"not_after": instant(13)}),
        ("grants:renew", {"not_after": instant(20), "renewals": 1}),
        ("grants:narrow", {"not_after": instant(19), "renewals": 1}),
        ("grants:revoke", {"not_after": instant(19), "renewals": 1, "state": "revoked"}),
    ]
    for revision, (function, changes) in enumerate(writes, 1):
        story.put({key: grant(1, revision=revision, **changes)}, by=story.steward, function=function)
    IndexFollower(engine, "consentry").follow(memory_source("peer", story.chain.blocks))
    with Trail(engine).snapshot() as connection:
        found = view_grant(connection, identifier("grant", 1), instant(12))
    assert [one.what for one in found.changes] == ["given", "changed", "renewed", "narrowed", "revoked"]
