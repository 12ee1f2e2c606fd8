"""Registers of breaches and of data subjects' requests, and how long what is reported has to be kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support import ledger_examples as examples
from support.story import NORTHGATE, Story, identifier

from consentry.index import IndexFollower, Trail, open_database
from consentry.reports import Report, breach_register, json, rights_register
from consentry.reports.retention import ABOUT_SUBJECTS, RULES, retention_of
from consentry.verification import memory_source
from consentry_records import keys
from consentry_records.breach import Breach, BreachEvent
from consentry_records.rights_request import RightsEvent, RightsRequest, StoreAttestation

AWARE, MADE_AT = "2026-01-10T00:00:00.000Z", "2026-02-20T00:00:00.000Z"
DIGEST = examples.digest("document")


def event(name: str, at: str, document: str | None = None) -> BreachEvent:
    return BreachEvent(
        event=name, happened_at=at, recorded_at=at, recorded_by="dpo-1", document_digest=document
    )


def breach(number: int, *events: BreachEvent) -> Breach:
    return Breach(
        breach_id=identifier("breach", number),
        aware_at=AWARE,
        natures=("confidentiality",),
        categories=("diagnosis",),
        subject_count=40,
        record_count=120,
        versions=(),
        facts_digest=DIGEST,
        custodian=NORTHGATE,
        state="open",
        events=(event("recorded", AWARE), *events),
    )


def rights(number: int, state: str, **changes: Any) -> RightsRequest:
    fields: dict[str, Any] = {
        "rights_request_id": identifier("rightsrequest", number),
        "right": "erasure",
        "subject": examples.commitment(),
        "received_at": AWARE,
        "purposes": (),
        "evidence_digest": None,
        "custodian": NORTHGATE,
        "state": state,
        "due_at": "2026-02-10T00:00:00.000Z",
        "events": (RightsEvent(event="received", recorded_at=AWARE, recorded_by="dpo-1", ground=None),),
        "purged": 0,
        "stores": (),
        "notices": (),
    }
    return RightsRequest(**(fields | changes))


def reported(records: dict[str, Any], compose: Any) -> Report:
    story = Story()
    for key, record in records.items():
        story.put({key: record})
    engine = open_database("sqlite://")
    IndexFollower(engine, "consentry", story.chain.anchor).follow(memory_source("peer", story.chain.blocks))
    report: Report = compose(Trail(engine), NORTHGATE, generated_at=MADE_AT)
    engine.dispose()
    assert json.render(report)
    return report


def field(report: Report, key: str) -> object:
    return next(entry.value for entry in report.fields if entry.key == key)


def test_the_72_hours_are_told_for_every_breach() -> None:
    in_time = event("authority-notified", "2026-01-13T00:00:00.000Z")
    late = event("authority-notified", "2026-01-13T00:00:00.001Z", DIGEST)
    not_needed = event("authority-not-notified", "2026-01-20T00:00:00.000Z")
    made = [breach(1, in_time), breach(2, late), breach(3, not_needed), breach(4)]
    report = reported({keys.breach(item.breach_id): item for item in made}, breach_register)
    rows = report.rows("breaches")
    assert [len(row.authority) for row in rows] == [1, 2, 1, 2]
    assert rows[1].authority[1] == f"late; the reasons for the delay are in document {DIGEST}"
    assert rows[3].authority == ("not notified yet", "late; no reasons for the delay are on record")
    assert rows[0].aware == (f"aware {AWARE}", "72 hours end 2026-01-13T00:00:00.000Z")
    assert (field(report, "count"), field(report, "late")) == ("4", "2")
    assert rows[0].events == (
        f"organization aware, {AWARE}; recorded {AWARE}",
        f"supervisory authority notified (Art. 33(1)), {in_time.happened_at}; recorded {in_time.recorded_at}",
    )


def test_one_person_is_told_as_one() -> None:
    made = replace(breach(1), subject_count=1, record_count=1)
    (row,) = reported({keys.breach(made.breach_id): made}, breach_register).rows("breaches")
    assert row.extent[:2] == ("about 1 person", "about 1 record")


def test_an_erasure_is_told_with_who_attests_what() -> None:
    stores = (
        StoreAttestation(store="collection", method="searched"),
        StoreAttestation(store="backups", method="key-destroyed"),
    )
    made = [rights(1, "fulfilled", purged=3, stores=stores), rights(2, "received")]
    report = reported({keys.rights(item.rights_request_id): item for item in made}, rights_register)
    done, waiting = report.rows("requests")
    assert done.done == "3 private entries purged, and the subject's key destroyed"
    assert done.attested[1] == "backups: what may be left is unreadable, for its key is destroyed"
    assert waiting.received[-1] == "overdue"
    assert (done.decision, waiting.decision) == (("fulfilled",), ("not decided yet",))
    assert str(waiting.attested).startswith("unavailable: no store was attested for")
    assert (field(report, "overdue"), field(report, "erasures")) == ("1", "1 of 2 asked for")


@pytest.mark.parametrize(
    ("state", "told"),
    [("requires-action", "not decided yet"), ("accepted", "accepted"), ("cancelled", "cancelled")],
)
def test_a_decision_is_told_once_there_is_one(state: str, told: str) -> None:
    made = rights(1, state, right="access")
    (row,) = reported({keys.rights(made.rights_request_id): made}, rights_register).rows("requests")
    assert row.decision == (told,)
    assert (row.done, row.attested) == ("nothing erased", "nothing to attest: not an erasure")


def test_every_report_has_a_time_to_be_kept() -> None:
    assert retention_of("gdpr-15", MADE_AT).keep_until == "2029-02-20T00:00:00.000Z"
    assert retention_of("ai-act-annex-iv", MADE_AT).keep_until == "2036-02-20T00:00:00.000Z"
    assert retention_of("ai-act-12", MADE_AT).conflict == ""
    for kind in RULES:
        kept = retention_of(kind, MADE_AT)
        assert kept.articles
        assert bool(kept.conflict) == (kind in ABOUT_SUBJECTS)
    with pytest.raises(KeyError):
        retention_of("gdpr-99", MADE_AT)
