"""Claimed times stand beside the times of record, and no rule or order uses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from support.epochs import index
from support.story import DIGEST, SUBJECT, consent, identifier, instant, tell

from consentry.index import Trail, open_database
from consentry.reports import consent_evidence, model_log, subject_access_report
from consentry_records import keys
from consentry_records.training_statement import TrainingStatement

MADE_AT = "2026-02-01T00:00:00.000Z"
SESSION = identifier("session", 1)
CLAIMED_ROUND, CLAIMED_END, CLAIMED_CONSENT = instant(1, 3), instant(1, 4), instant(1, 5)


def statement(sequence: int, claimed: str, **states: object) -> TrainingStatement:
    fields = {"round_number": None, "end_state": None} | states
    return TrainingStatement(
        session_id=SESSION,
        sequence=sequence,
        claimed_time=claimed,
        statement_digest=DIGEST,
        signature="00" * 64,
        recorded_at=instant(6, 3),
        **fields,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def trail() -> Iterator[Trail]:
    story, engine = tell(), open_database("sqlite://")
    for number, made in enumerate(
        (statement(1, CLAIMED_ROUND, round_number=1), statement(2, CLAIMED_END, end_state="completed")), 1
    ):
        story.put({keys.training_statement(SESSION, number): made}, by=story.researcher)
    given = consent(5)
    (event,) = given.events
    claimed = replace(given, events=(replace(event, claimed_at=CLAIMED_CONSENT),))
    story.put({keys.consent(claimed.consent_id): claimed})
    index(story, engine)
    yield Trail(engine)
    engine.dispose()


def test_the_log_of_a_model_shows_both_and_keeps_the_order_of_record(trail: Trail) -> None:
    rows = model_log(trail, identifier("modelversion", 1), generated_at=MADE_AT).rows("events")
    by_event = {row.what: row.when for row in rows}
    assert by_event[f"round 1 of {SESSION}"] == (instant(6, 1), f"the trainer claims {CLAIMED_ROUND}")
    assert by_event["training completed"] == (instant(6, 2), f"the trainer claims {CLAIMED_END}")
    assert by_event["training started"] == instant(6, 1)
    order = [row.when if isinstance(row.when, str) else row.when[0] for row in rows]
    assert order == sorted(order)


def test_a_subject_is_shown_both(trail: Trail) -> None:
    report = subject_access_report(trail, SUBJECT, generated_at=MADE_AT)
    (session,) = report.rows("sessions")
    assert session.period[-1] == f"the trainer claims {CLAIMED_END}"
    assert session.rounds == ("1 recorded", f"round 000001: the trainer claims {CLAIMED_ROUND}")
    given = {row.consent_id: row.recorded for row in report.rows("consents")}
    assert given[identifier("consent", 5)][-1] == f"the custodian claims {CLAIMED_CONSENT}"
    assert len(given[identifier("consent", 1)]) == 2
    assert "no rule uses it" in report.note


def test_evidence_of_consent_shows_both(trail: Trail) -> None:
    rows = consent_evidence(trail, SUBJECT, generated_at=MADE_AT).rows("events")
    assert (f"recorded {instant(2)}", f"the custodian claims {CLAIMED_CONSENT}") in [row.when for row in rows]
