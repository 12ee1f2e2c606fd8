"""Every record: strict reading, canonical bytes, nothing repeated in errors."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support import ledger_examples as examples
from support import record_documents

import consentry_records
from consentry_records import FieldError, FinishedSession, LedgerError, OptOut, OptOutBatch, Record
from consentry_records.record import field_names

RECORDS = sorted(
    (
        value
        for value in vars(consentry_records).values()
        if isinstance(value, type) and issubclass(value, Record) and value is not Record
    ),
    key=lambda record: record.__name__,
)
EVERY_RECORD = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
SLOW = settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
SECRET = "Jane Doe, born 1961"


def test_public_names_are_pinned() -> None:
    errors, functions = {"LedgerError", "FieldError"}, {"consent_permits", "decide", "from_wire", "to_wire"}
    others = {*errors, *functions, "Record", "Decision"}
    assert {record.__name__ for record in RECORDS} | others == set(consentry_records.__all__)
    assert " ".join(record.__name__ for record in RECORDS) == (
        "AccessAttempt AccessDecision AccessRequest Breach BreachEvent BreachStep ClosedEpoch "
        "Computation ComputedOutput Conditions Consent ConsentBatch ConsentChange "
        "ConsentChangeBatch ConsentEvent ConsentTerms Dataset DatasetVersion DecisionBatch "
        "Delivery EmergencyAccess EmergencyReview FinishedSession Function FunctionApproval "
        "FunctionName FunctionOutput Grant GrantChange Impact ImpactQuery ManifestSignature Model "
        "ModelStage ModelVersion NarrowedGrant NewAccessAttempt NewAccessRequest NewBreach "
        "NewClosedEpoch NewDatasetVersion NewDelivery NewFunction NewFunctionApproval NewGrant "
        "NewModel NewModelVersion NewRetirement NewReview NewReviewPolicy NewRightsRequest "
        "NewTrailRead NewTrainingRound NewTrainingRounds NewTrainingSession NewTrainingStatement "
        "OptOut OptOutBatch OrganizationSetting Origin Participant PermittedQuery PrivateBatch "
        "PrivateChange PrivateConsent ProcessingLimit PurgeOrder Reason RecipientNotice "
        "RecordedBatch RemovedRows Retirement Review ReviewPolicy RightsEvent RightsFulfilment "
        "RightsNotices RightsRequest RightsStep Settings SettingsVote SignedTrainingStatement "
        "StageChange StoreAttestation SubjectConsents Suspension TrailRead TrainingRound "
        "TrainingSession TrainingStatement Transformation UsedVersion VersionUpdate"
    )


@EVERY_RECORD
@SLOW
@given(data=st.data())
def test_a_record_goes_through_dict_and_bytes(record: type[Record], data: st.DataObject) -> None:
    document = data.draw(record_documents.documents(record))
    try:
        made = record.from_dict(document)
    except FieldError:
        raise
    except LedgerError:
        assume(False)
        raise
    assert record.from_dict(made.to_dict()) == made
    assert record.from_bytes(made.to_bytes()) == made
    assert made.to_bytes() == rfc8785.dumps(made.to_dict())


@EVERY_RECORD
@SLOW
@given(data=st.data())
def test_any_other_value_in_any_field_is_refused_or_kept(record: type[Record], data: st.DataObject) -> None:
    document = data.draw(record_documents.documents(record))
    name = data.draw(st.sampled_from(field_names(record)))
    odd = data.draw(
        st.sampled_from(
            [None, True, 1.5, -1, 2**60, "", "x" * 5000, SECRET, "ＡＢＣ", "a\x00b", [], [None], {}, {"a": 1}]
        )
    )
    message = ""
    try:
        kept = json.loads(record.from_dict({**document, name: odd}).to_bytes())[name]
    except LedgerError as error:
        kept, message = odd, str(error)
    assert kept == odd
    assert SECRET not in message
    assert "x" * 100 not in message


@EVERY_RECORD
def test_what_is_no_object_is_refused(record: type[Record]) -> None:
    for value in (None, [], "text", 1, True):
        with pytest.raises(FieldError) as caught:
            record.from_dict(value)
        assert caught.value.code == "RECORD_NOT_OBJECT"


@EVERY_RECORD
def test_missing_and_unknown_fields_are_refused(record: type[Record]) -> None:
    with pytest.raises(FieldError) as missing:
        record.from_dict({})
    assert missing.value.code == "FIELD_MISSING"
    assert missing.value.fields["field"] == field_names(record)[0]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("comment", "comment"), (SECRET, "(not shown)"), ("purpоse", "(not shown)"), (7, "(not shown)")],
)
def test_an_unknown_field_is_named_only_if_it_looks_like_a_name(name: Any, shown: str) -> None:
    document = examples.settings().to_dict() | {name: "value"}
    with pytest.raises(FieldError) as caught:
        consentry_records.Settings.from_dict(document)
    assert caught.value.code == "FIELD_UNKNOWN"
    assert caught.value.fields["field"] == shown


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"controller": "Nоrthgate"}, "controller"),  # a Cyrillic letter
        ({"purposes": []}, "purposes"),
        ({"purposes": ["TREAT", "TREAT"]}, "purposes"),
        ({"purposes": ["TREAT", "treat"]}, "purposes[1]"),
        ({"purposes": "TREAT"}, "purposes"),
        ({"restrictions": ["DUO:0000021"]}, "restrictions[0]"),
        ({"categories": ["Ｘ-ray"]}, "categories[0]"),
        ({"recipients": ["A", "any member"]}, "recipients[1]"),
        ({"not_before": "2026-03-01T00:00:00Z"}, "not_before"),
        ({"not_before": "2026-02-30T00:00:00.000Z"}, "not_before"),
        ({"not_before": "２026-03-01T00:00:00.000Z"}, "not_before"),
        ({"not_after": 20260301}, "not_after"),
        ({"notice_digest": "sha256:" + "A" * 64}, "notice_digest"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(FieldError) as caught:
        examples.terms(**changes)
    assert caught.value.code == "FIELD_INVALID"
    assert (caught.value.fields["record"], caught.value.fields["field"]) == ("ConsentTerms", path)
    assert "expected" in caught.value.message


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"consent_id": examples.identifier("grant")}, "consent_id"),
        ({"consent_id": examples.identifier("consent").upper()}, "consent_id"),
        ({"consent_id": examples.identifier("consent") + "\n"}, "consent_id"),
        ({"consent_id": "consent/" + "0" * 32}, "consent_id"),
        ({"subject": examples.digest()}, "subject"),
        ({"events": []}, "events"),
    ],
)
def test_an_id_is_of_its_kind_to_the_letter(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(FieldError) as caught:
        examples.consent(**changes)
    assert caught.value.fields["field"] == path


def test_a_wrong_field_of_a_record_inside_is_named_by_its_whole_path() -> None:
    document = {
        "batch_id": examples.identifier("batch"),
        "custodian": examples.NORTHGATE,
        "private_entry_digest": examples.digest(),
        "terms": [examples.terms().to_dict(), examples.terms().to_dict() | {"purposes": ["X"]}],
        "subjects": [examples.commitment()],
        "chosen": [0],
        "claimed_at": [],
    }
    with pytest.raises(FieldError) as caught:
        consentry_records.ConsentBatch.from_dict(document)
    assert caught.value.fields["record"] == "ConsentBatch"
    assert caught.value.fields["field"] == "terms[1].purposes[0]"


def test_a_record_of_another_type_inside_is_refused() -> None:
    with pytest.raises(FieldError) as caught:
        consentry_records.Settings(organizations=(examples.consent(),), time_tolerance_ms=0)  # type: ignore[arg-type]
    assert caught.value.fields["field"] == "organizations[0]"


def test_records_are_frozen_and_changed_by_replacement_only() -> None:
    consent = examples.consent()
    with pytest.raises(dataclasses.FrozenInstanceError):
        consent.state = "withdrawn"  # type: ignore[misc]
    with pytest.raises(FieldError):
        dataclasses.replace(consent, state="gone")


def test_metrics_cannot_be_changed_from_outside() -> None:
    metrics = {"accuracy": "0.9649"}
    version = consentry_records.NewModelVersion(
        model_version_id=examples.identifier("modelversion"),
        model_id=examples.identifier("model"),
        weights_digest=examples.digest("weights"),
        architecture_digest=examples.digest("architecture"),
        parent=None,
        sessions=(examples.identifier("session"),),
        metrics=metrics,
        test_set_digest=None,
    )
    metrics["accuracy"] = "1"
    assert version.metrics == {"accuracy": "0.9649"}
    assert version.to_dict()["metrics"] == {"accuracy": "0.9649"}


@pytest.mark.parametrize("metric", [0.9649, "0.9649 ", "NaN", "1e3", ".5", "05", "٠.٥", "1" * 17, {"a": "1"}])
def test_a_metric_is_decimal_text(metric: Any) -> None:
    with pytest.raises(FieldError):
        consentry_records.NewTrainingRound(
            session_id=examples.identifier("session"),
            number=1,
            participants=(
                consentry_records.Participant(
                    msp="A",
                    version_id=examples.identifier("version"),
                    update_digest=examples.digest(),
                    rows=1,
                ),
            ),
            aggregate_digest=examples.digest(),
            metrics={"accuracy": metric},
        )


@pytest.mark.parametrize(
    "text", [b"\xff", b"{", b'{"a":1,"a":2}', b'{"a":1.0}', b"[" * 3000, b'"\\ud800"', b"NaN"]
)
def test_bytes_that_are_no_document_are_refused(text: bytes) -> None:
    with pytest.raises(LedgerError) as caught:
        consentry_records.Settings.from_bytes(text)
    assert caught.value.code == "JSON_INVALID"


def test_sizes_are_limited() -> None:
    def batch(count: int) -> consentry_records.ConsentBatch:
        return consentry_records.ConsentBatch(
            batch_id=examples.identifier("batch"),
            custodian=examples.NORTHGATE,
            private_entry_digest=examples.digest(),
            terms=(examples.terms(),),
            subjects=(examples.commitment(),) * count,
            chosen=(0,) * count,
            claimed_at=(),
        )

    assert len(batch(1000).subjects) == 1000
    for count in (0, 1001):
        with pytest.raises(FieldError):
            batch(count)


@pytest.mark.parametrize(("start", "end"), [(examples.END, examples.START), (examples.START, examples.START)])
def test_an_empty_period_is_refused(start: str, end: str) -> None:
    for make in (examples.terms, examples.new_grant):
        with pytest.raises(LedgerError) as caught:
            make(not_before=start, not_after=end)
        assert caught.value.code == "PERIOD_INVALID"


@pytest.mark.parametrize(
    "organizations",
    [
        [("A", "hospital")],
        [("A", "regulator"), ("A", "hospital")],
    ],
)
def test_settings_need_a_regulator_and_name_nobody_twice(organizations: list[tuple[str, str]]) -> None:
    document = {
        "organizations": [
            {"msp_id": msp_id, "kind": kind, "country": None} for msp_id, kind in organizations
        ],
        "time_tolerance_ms": 0,
        "decision_period_ms": 1_000,
        "revision": 1,
        "schema": "consentry.settings/3",
    }
    with pytest.raises(LedgerError) as caught:
        consentry_records.Settings.from_dict(document)
    assert caught.value.code == "SETTINGS_INVALID"


def test_a_transformation_belongs_to_a_derivation() -> None:
    for changes in (
        {"derived_from": (examples.identifier("version", 2),)},
        {"transformation": examples.transformation()},
    ):
        with pytest.raises(LedgerError) as caught:
            examples.new_version(**changes)
        assert caught.value.code == "DERIVATION_INVALID"


def test_a_completed_session_has_no_failure() -> None:
    with pytest.raises(LedgerError) as caught:
        FinishedSession(session_id=examples.identifier("session"), state="completed", failure="INTERRUPTED")
    assert caught.value.code == "FAILURE_UNFOUNDED"


def test_a_batch_of_opt_outs_names_nobody_twice() -> None:
    entries = tuple(
        OptOut(subject=examples.commitment(), opted_out=opted_out, claimed_at=None)
        for opted_out in (True, False)
    )
    with pytest.raises(LedgerError) as caught:
        OptOutBatch(batch_id=examples.identifier("batch"), custodian=examples.NORTHGATE, entries=entries)
    assert caught.value.code == "SUBJECT_DOUBLED"
