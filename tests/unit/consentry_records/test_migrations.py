"""Records of earlier forms are read as the present one, and only those."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from support import earlier_ledger, record_documents, rendering_examples
from support import ledger_examples as examples

from consentry_records import (
    ClosedEpoch,
    Consent,
    ConsentBatch,
    DatasetVersion,
    FieldError,
    Grant,
    PrivateConsent,
    RecordedBatch,
    Settings,
    SubjectConsents,
)
from consentry_records.earlier_consents import Consent1, SubjectConsents1
from consentry_records.errors import LedgerError
from consentry_records.identifiers import consent_identifiers, first_consent_identifiers

# What the first release wrote, byte for byte.
CONSENT_1 = (
    '{"categories":["measurements"],"consent_id":"consent-00000000000000000000000000000001",'
    '"controller":"NorthgateMSP","custodian":"NorthgateMSP","not_after":"2026-03-31T00:00:00.000Z",'
    '"not_before":"2026-03-01T00:00:00.000Z","notice_digest":"sha256:' + "1" * 64 + '",'
    '"purposes":["TREAT","DUO:0000006"],"recipients":["ANY_MEMBER"],'
    '"recorded_at":"2026-03-01T00:00:00.000Z","restrictions":["DUO:0000046"],'
    '"schema":"consentry.consent/1","state":"withdrawn","subject":"hmac-sha256:' + "2" * 64 + '",'
    '"withdrawn_at":"2026-03-02T00:00:00.000Z"}'
)


def test_a_consent_of_the_first_release_is_read_with_its_events() -> None:
    consent = Consent.from_bytes(CONSENT_1)
    assert [(event.event, event.recorded_at) for event in consent.events] == [
        ("given", "2026-03-01T00:00:00.000Z"),
        ("withdrawn", "2026-03-02T00:00:00.000Z"),
    ]
    assert {event.recorded_by for event in consent.events} == {None}
    assert (consent.state, consent.withdrawn_at) == ("withdrawn", "2026-03-02T00:00:00.000Z")
    assert Consent.from_bytes(consent.to_bytes()) == consent
    assert consent.schema == "consentry.consent/2"


@given(record_documents.documents(Consent1))
def test_every_consent_of_the_first_release_is_read(document: dict[str, Any]) -> None:
    if document["not_before"] >= document["not_after"]:
        with pytest.raises(LedgerError) as caught:
            Consent.from_dict(document)
        assert caught.value.code == "PERIOD_INVALID"
        return
    consent = Consent.from_bytes(json.dumps(document))
    kept = [name for name in document if name not in ("recorded_at", "withdrawn_at", "schema")]
    assert {name: consent.to_dict()[name] for name in kept} == {name: document[name] for name in kept}
    assert (consent.recorded_at, consent.withdrawn_at) == (document["recorded_at"], document["withdrawn_at"])


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "consentry.consent/2"},
        {"schema": "consentry.consent/3"},
        {"schema": None},
        {"schema": ["consentry.consent/1"]},
        {"purposes": ["ETREAT"]},
        {"recorded_at": None},
        {"events": []},
    ],
)
def test_a_mixture_of_forms_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        Consent.from_dict({**json.loads(CONSENT_1), **changes})


def test_lists_and_batches_of_the_first_release_are_read() -> None:
    earlier = SubjectConsents1(
        subject=examples.commitment(),
        custodian=examples.NORTHGATE,
        consents=(examples.identifier("consent"),),
    )
    assert SubjectConsents.from_bytes(earlier.to_bytes()).limits == ()
    batch = {
        "batch_id": examples.identifier("batch"),
        "custodian": examples.NORTHGATE,
        "private_entry_digest": examples.digest(),
        "count": 3,
        "recorded_at": examples.START,
        "schema": "consentry.batch/1",
    }
    assert RecordedBatch.from_dict(batch).contents == "consents"


def test_an_import_that_the_first_release_prepared_keeps_the_ids_of_its_consents() -> None:
    body = {
        "batch_id": examples.identifier("batch"),
        "custodian": examples.NORTHGATE,
        "private_entry_digest": examples.digest(),
        "terms": [examples.terms().to_dict()],
        "subjects": [examples.commitment()] * 2,
        "chosen": [0, 0],
        "claimed_at": [],
    }
    batch = ConsentBatch.from_dict(body)
    assert batch.identifiers == first_consent_identifiers(batch.batch_id, 2)
    assert ConsentBatch.from_bytes(batch.to_bytes()) == batch
    present = replace(batch, consent_ids="adjacent")
    assert present.identifiers == consent_identifiers(batch.batch_id, 2)
    with pytest.raises(FieldError):
        ConsentBatch.from_dict({**body, "consent_ids": "adjacent"})
    with pytest.raises(FieldError):
        ConsentBatch.from_dict({**body, "schema": "consentry.consent-batch/1"})


def test_a_private_document_of_the_first_release_is_read() -> None:
    document = {
        "pseudonym": "p",
        "salt": "0" * 64,
        "notice_version": "2025-1",
        "evidence_digest": examples.digest(),
        "method": "paper form",
        "language": "English",
    }
    first = PrivateConsent.from_dict(document)
    assert first.declared_by == "subject"
    added_last = (
        "processing_methods",
        "processing_locations",
        "geographic_restrictions",
        "optional_categories",
    )
    assert [getattr(first, name) for name in added_last] == [(), (), None, None]
    third = {name: value for name, value in first.to_dict().items() if name not in added_last}
    assert PrivateConsent.from_dict({**third, "schema": "consentry.private-consent/3"}) == first
    added = ("consent_type", "storage_locations", "retained_until")
    assert [getattr(first, name) for name in added] == [None, (), None]
    second = {name: value for name, value in third.items() if name not in added}
    assert PrivateConsent.from_dict({**second, "schema": "consentry.private-consent/2"}) == first


@pytest.mark.parametrize(
    "changes",
    [
        {"processing_methods": ["sell"]},
        {"processing_methods": ["use", "use"]},
        {"processing_methods": None},
        {"processing_locations": ["Bavaria"]},
        {"processing_locations": ["EEA"]},
        {"processing_locations": [f"DE-{number}" for number in range(17)]},
        {"geographic_restrictions": ["eea"]},
        {"geographic_restrictions": "EEA"},
        {"geographic_restrictions": [f"DE-{number}" for number in range(65)]},
        {"optional_categories": ["Free text"]},
        {"optional_categories": "imaging"},
    ],
)
def test_a_private_document_refuses_what_is_no_such_code(changes: dict[str, Any]) -> None:
    document = rendering_examples.private().to_dict()
    assert PrivateConsent.from_dict(document).to_dict() == document
    with pytest.raises(FieldError) as caught:
        PrivateConsent.from_dict({**document, **changes})
    assert str(caught.value.fields["field"]).partition("[")[0] in changes


VERSION_1 = {
    **earlier_ledger.VERSION_1,
    "derived_from": [examples.identifier("version", 2)],
    "transformation_digest": examples.digest("code"),
}


def test_a_dataset_version_of_the_first_release_is_read() -> None:
    version = DatasetVersion.from_bytes(json.dumps(VERSION_1))
    assert (version.state, version.supersedes, version.removed_count) == ("active", None, 0)
    assert version.transformation == examples.transformation(kinds=("unspecified",))
    alone = {**VERSION_1, "derived_from": [], "transformation_digest": None}
    assert DatasetVersion.from_dict(alone).transformation is None
    assert DatasetVersion.from_bytes(version.to_bytes()) == version


@pytest.mark.parametrize("changes", [{"state": "active"}, {"removed_count": 3}, {"comment": "x"}])
def test_a_dataset_version_of_the_first_release_has_no_later_fields(changes: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        DatasetVersion.from_dict({**VERSION_1, **changes})
    with pytest.raises(FieldError):
        DatasetVersion.from_dict({k: v for k, v in VERSION_1.items() if k != "transformation_digest"})


def test_settings_of_the_second_form_give_five_minutes_to_decide() -> None:
    now = examples.settings().to_dict()
    second = {name: value for name, value in now.items() if name not in ("decision_period_ms", "revision")}
    second["schema"] = "consentry.settings/2"
    countries = [{k: v for k, v in entry.items() if k != "country"} for entry in now["organizations"]]
    first = {**second, "organizations": countries, "schema": "consentry.settings/1"}
    for earlier in (second, first):
        read = Settings.from_dict(earlier)
        assert read.decision_period_ms == 300_000
        assert read.schema == "consentry.settings/3"


@pytest.mark.parametrize(
    ("record", "kind"),
    [(examples.request(), "request"), (examples.attempt(), "attempt"), (examples.grant(), "grant")],
)
def test_what_was_written_before_columns_could_be_named_is_for_all(record: Any, kind: str) -> None:
    now = record.to_dict()
    before = {name: value for name, value in now.items() if name != "columns"}
    before["schema"] = f"consentry.{kind}/2"
    if kind == "grant":
        added = ("columns", "data_categories")
        before["conditions"] = {k: v for k, v in now["conditions"].items() if k not in added}
    assert type(record).from_bytes(json.dumps(before)) == record
    with pytest.raises(FieldError):
        type(record).from_dict({**before, "schema": f"consentry.{kind}/3"})


@pytest.mark.parametrize("conditions", [None, [], "", 1, {"columns": [], "countries": []}])
def test_a_grant_of_the_second_form_with_other_conditions_is_refused(conditions: object) -> None:
    document = {**examples.grant().to_dict(), "schema": "consentry.grant/2", "conditions": conditions}
    with pytest.raises(FieldError):
        Grant.from_dict(document)


def test_an_epoch_that_was_closed_without_limits_says_so() -> None:
    fields = {
        "number": 1,
        "first_block": 0,
        "last_block": 5,
        "header_hash": "a" * 64,
        "chain_count": 2,
        "root": examples.digest("root"),
        "custodian": "NorthgateMSP",
        "closed_at": "2026-01-01T00:00:00.000Z",
    }
    earlier = {**fields, "schema": "consentry.closedepoch/1"}
    assert not ClosedEpoch.from_bytes(json.dumps(earlier)).limits
    assert ClosedEpoch(**fields).limits  # type: ignore[arg-type]
    with pytest.raises(FieldError):
        ClosedEpoch.from_dict({**fields, "schema": "consentry.closedepoch/2"})
