"""The reports that laws ask for, of the story that the ledger tells."""

from __future__ import annotations

import json as standard_json
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest
from support.story import (
    NORTHGATE,
    OTHER_SUBJECT,
    RIVERSIDE,
    SUBJECT,
    attempt,
    identifier,
    instant,
    permit,
    tell,
)

from consentry.errors import InputRejected
from consentry.index import IndexFault, IndexFollower, Trail, open_database
from consentry.reports import (
    Details,
    Report,
    Unavailable,
    consent_evidence,
    csv,
    dataset_access_report,
    disclosures_report,
    html,
    json,
    model_dossier,
    model_log,
    person_access_report,
    processing_report,
)
from consentry.reports.values import lines
from consentry.verification import memory_source
from consentry_records import keys

MADE_AT = "2026-02-01T00:00:00.000Z"
MODEL_VERSION = identifier("modelversion", 1)


@pytest.fixture(scope="module")
def trail() -> Iterator[Trail]:
    story = tell()
    # Two more permitted accesses to the same data for the same purpose, and one for care.
    for number in (4, 5):
        story.put({keys.attempt(identifier("attempt", number)): attempt(number)}, by=story.researcher)
        story.put({keys.decision(identifier("attempt", number)): permit(number)}, by=story.service)
    story.put({keys.attempt(identifier("attempt", 6)): attempt(6, purpose="TREAT")}, by=story.researcher)
    story.put({keys.decision(identifier("attempt", 6)): permit(6)}, by=story.service)
    engine = open_database("sqlite://")
    IndexFollower(engine, "consentry", story.chain.anchor).follow(memory_source("peer", story.chain.blocks))
    yield Trail(engine)
    engine.dispose()


def manifest(_consent: str, subject: str) -> list[str]:
    return [identifier("version", 1)] if subject == SUBJECT else []


COMPOSED: dict[str, Callable[[Trail], Report]] = {
    "gdpr-7": lambda trail: consent_evidence(trail, SUBJECT, generated_at=MADE_AT),
    "gdpr-30": lambda trail: processing_report(trail, NORTHGATE, generated_at=MADE_AT),
    "hipaa-164-528": lambda trail: disclosures_report(
        trail, SUBJECT, generated_at=MADE_AT, manifest=manifest
    ),
    "ehds-9": lambda trail: person_access_report(trail, SUBJECT, generated_at=MADE_AT, manifest=manifest),
    "ehds-73": lambda trail: dataset_access_report(trail, "biopsies", generated_at=MADE_AT),
    "ai-act-annex-iv": lambda trail: model_dossier(trail, MODEL_VERSION, generated_at=MADE_AT),
    "ai-act-12": lambda trail: model_log(trail, MODEL_VERSION, generated_at=MADE_AT),
}


@pytest.mark.parametrize(("kind", "compose"), COMPOSED.items(), ids=COMPOSED.keys())
def test_every_statement_names_its_law_and_none_is_blank(
    trail: Trail, kind: str, compose: Callable[[Trail], Report]
) -> None:
    report = compose(trail)
    assert report.kind == kind
    assert all(entry.article and lines(entry.value) for entry in report.fields)
    assert all(column.article and column.label for table in report.tables for column in table.columns)
    assert all(lines(cell) for table in report.tables for row in table.cells for cell in row)
    assert report.completeness.anchored
    jsonschema.validate(standard_json.loads(json.render(report)), json.schema())
    assert report.title in html.render(report)
    assert set(csv.render(report)) == {"statements.csv", *(f"{table.key}.csv" for table in report.tables)}


def field(report: Report, key: str) -> object:
    return next(entry.value for entry in report.fields if entry.key == key)


def test_every_event_of_a_consent_is_told_with_what_was_then_allowed(trail: Trail) -> None:
    given, withdrawn = COMPOSED["gdpr-7"](trail).rows("events")
    assert (given.event, withdrawn.event) == ("given", "withdrawn")
    assert withdrawn.when == f"recorded {instant(8)}"
    assert given.terms[0] == "health, medical or biomedical research (DUO:0000006)"
    with pytest.raises(IndexFault, match="SUBJECT_NOT_INDEXED"):
        consent_evidence(trail, "hmac-sha256:" + "f" * 64, generated_at=MADE_AT)


def test_processing_activities_are_datasets_with_the_grants_on_them(trail: Trail) -> None:
    report = COMPOSED["gdpr-30"](trail)
    (activity,) = report.rows("activities")
    assert activity.dataset == ("biopsies", identifier("dataset", 1))
    assert activity.recipients == (RIVERSIDE,)
    assert activity.legal_bases == ("explicit consent (GDPR-9-2-a)",)
    assert report.rows("received") == ()
    assert isinstance(field(report, "dpo_contact"), Unavailable)
    assert report.figures[0].description.endswith("4 permitted, 1 denied, 1 open.")


def test_what_an_organization_received_is_processing_too(trail: Trail) -> None:
    report = processing_report(trail, RIVERSIDE, generated_at=MADE_AT)
    assert report.rows("activities") == ()
    (received,) = report.rows("received")
    assert (received.controller, received.uses) == (NORTHGATE, "4 since the ledger began")
    assert received.grants == (f"{identifier('grant', 1)} (active)",)


def test_what_the_organization_states_itself_is_marked(trail: Trail) -> None:
    details = Details({"dpo_contact": "Office of data protection"})
    report = processing_report(trail, NORTHGATE, generated_at=MADE_AT, details=details)
    assert field(report, "dpo_contact") == (
        "Office of data protection",
        "stated by the organization, not by the ledger",
    )


def test_repeated_disclosures_are_told_once_with_number_and_last_date(trail: Trail) -> None:
    report = COMPOSED["hipaa-164-528"](trail)
    (row,) = report.rows("disclosures")
    assert row.date == instant(5, 1)
    assert row.repeated == ("2 more", f"the last on {instant(5, 5)}")
    assert field(report, "count") == "3"
    assert field(report, "excepted") == "1 attempt"


def test_disclosures_before_the_six_years_are_left_out(trail: Trail) -> None:
    report = disclosures_report(trail, SUBJECT, generated_at="2033-01-01T00:00:00.000Z", manifest=manifest)
    assert report.rows("disclosures") == ()
    assert report.facts[2] == ("Period", "since 2027-01-01T00:00:00.000Z")


def test_a_person_is_told_of_accesses_only(trail: Trail) -> None:
    rows = COMPOSED["ehds-9"](trail).rows("accesses")
    assert [row.when for row in rows] == [instant(5, hour) for hour in (1, 4, 5, 6)]
    report = person_access_report(trail, OTHER_SUBJECT, generated_at=MADE_AT, manifest=manifest)
    assert report.rows("accesses") == ()


def test_a_datasets_log_has_attempts_that_were_not_permitted_too(trail: Trail) -> None:
    report = COMPOSED["ehds-73"](trail)
    assert [row.outcome for row in report.rows("accesses")][1:3] == [
        ("denied", "the requester's certificate lacks the role researcher (ROLE_MISSING)"),
        "open: the custodian has not decided",
    ]
    assert report.rows("accesses")[0].activities == (f"training session {identifier('session', 1)}",)
    assert field(report, "people") == "2"
    with pytest.raises(IndexFault, match="DATASET_NOT_INDEXED"):
        dataset_access_report(trail, "nothing", generated_at=MADE_AT)


def test_a_dossier_goes_back_to_the_data(trail: Trail) -> None:
    report = COMPOSED["ai-act-annex-iv"](trail)
    assert report.facts == (("Model version", MODEL_VERSION), ("Owner", RIVERSIDE))
    (data,) = report.rows("data")
    assert data.provenance == (f"held by {NORTHGATE}", "trained on")
    (version,) = report.rows("versions")
    assert version.metrics == ("auc 0.9",)
    assert isinstance(field(report, "provider"), Unavailable)


def test_a_log_is_in_order_of_time(trail: Trail) -> None:
    events = COMPOSED["ai-act-12"](trail).rows("events")
    assert [row.what for row in events] == [
        "access to training data decided",
        "training started",
        f"round 1 of {identifier('session', 1)}",
        "training completed",
        "model version registered",
    ]
    assert [row.when for row in events] == sorted(row.when for row in events)
    with pytest.raises(IndexFault, match="MODEL_VERSION_NOT_INDEXED"):
        model_log(trail, identifier("modelversion", 9), generated_at=MADE_AT)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("- a list", "DETAILS_INVALID"),
        ("dpo: somebody", "DETAILS_INVALID"),
        ("dpo_contact: 7", "DETAILS_INVALID"),
        ("dpo_contact: ''", "DETAILS_INVALID"),
        ("{", "DETAILS_INVALID"),
        ("", "DETAILS_INVALID"),
    ],
)
def test_details_of_another_form_are_refused(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "details.yaml"
    path.write_text(text)
    with pytest.raises(InputRejected) as refused:
        Details.read(path)
    assert refused.value.code == code


def test_details_are_read_from_yaml_and_json(tmp_path: Path) -> None:
    path = tmp_path / "details"
    for text in ("dpo_contact: 'Office '", '{"dpo_contact": "Office"}'):
        path.write_text(text)
        assert lines(Details.read(path).field("dpo_contact", "DPO", "Art.", "-").value)[0] == "Office"
    with pytest.raises(InputRejected, match="DETAILS_UNREADABLE"):
        Details.read(tmp_path / "missing.yaml")
