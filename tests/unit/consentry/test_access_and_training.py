"""From a dataset to a model version under permits, with the real contracts; denials with their reasons."""

import threading
from contextlib import suppress
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from support import ledger_examples as examples
from support.consent_frames import CARE, RESEARCH, consent_frame

from consentry.decider import DecisionService
from consentry.errors import (
    AccessDenied,
    DecisionPending,
    FrameRejected,
    InputRejected,
    LedgerRefused,
    LedgerUnreachable,
    NetworkRefused,
    OutcomeUnknown,
)
from consentry.training import participant
from consentry_records.merkle import inclusion_proof, verify_inclusion
from consentry_records.rows import row_digest, row_leaf
from fabric_gateway.errors import ErrorDetail
from fabric_gateway.failures import StatusFailure

NORTHGATE = "NorthgateMSP"
RIVERSIDE = "RiversideMSP"
MONTH = timedelta(days=30)
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"], "duo_terms": [RESEARCH]}


def data(**columns):
    return pd.DataFrame(
        {"pseudonym": ["p", "q"], "radius": [17.99, 20.57], "benign": [False, True], **columns}
    )


@pytest.fixture
def steward(ledger_of):
    ledger = ledger_of(NORTHGATE, "steward")
    ledger.consents.import_frame(consent_frame(["p", "q"]))
    return ledger


@pytest.fixture
def version(steward):
    return steward.datasets.register_frame(data(), name="cells", **TERMS)


@pytest.fixture
def researcher(ledger_of):
    return ledger_of(RIVERSIDE, "researcher")


@pytest.fixture
def service(ledger_of):
    return ledger_of(NORTHGATE, "service")


@pytest.fixture
def deciding(service):
    """Run the custodian's decision service."""
    stop = threading.Event()
    decider = DecisionService(service, service.profile.directory / "decider" / "checkpoint.json")
    thread = threading.Thread(target=decider.run, args=(stop,), daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(timeout=60)
    assert not thread.is_alive()


def grant(steward, researcher, version, **options):
    request = researcher.grants.request([version.version_id], purposes=[RESEARCH], duration=MONTH)
    return steward.grants.grant(
        request.request_id,
        **{"versions": [version.version_id], "purposes": [RESEARCH], "duration": MONTH, **options},
    )


def test_a_version_ties_each_row_to_its_consent(steward, version):
    assert (version.number, version.row_count, version.custodian) == (1, 2, NORTHGATE)
    manifest = steward.datasets.manifest(version.version_id)
    secret = steward.datasets.secret("cells")
    leaves = [row_leaf(row.row_digest, row.commitment, row.consent_id) for row in manifest]
    root = bytes.fromhex(version.merkle_root.removeprefix("sha256:"))
    assert all(
        verify_inclusion(leaf, i, 2, inclusion_proof(leaves, i), root) for i, leaf in enumerate(leaves)
    )
    assert manifest[0].row_digest == row_digest(secret.secret, {"radius": "17.99", "benign": False})
    assert manifest[0].consent_id == steward.subjects.latest_consents(["p"])["p"]
    commitment = steward.subjects.find(["p"])["p"].commitment
    assert steward.subjects.manifests.versions_with(commitment) == (version.version_id,)
    assert steward.datasets.get(version.version_id) == version


def test_versions_of_a_dataset_are_numbered_and_keep_its_secret(steward, version):
    before = steward.datasets.secret("cells")
    second = steward.datasets.register_frame(data(), name="cells", **TERMS)
    assert (second.number, second.dataset_id) == (2, version.dataset_id)
    assert second.content_digest == version.content_digest
    assert steward.datasets.versions(version.dataset_id) == (version, second)
    assert steward.datasets.secret("cells").secret == before.secret
    assert "secret=" not in repr(before)


def test_rows_without_a_consent_are_all_listed_by_position(gateway, steward):
    frame = data(pseudonym=["p", "stranger"])
    gateway.calls.clear()
    with pytest.raises(FrameRejected) as caught:
        steward.datasets.register_frame(frame, name="cells", **TERMS)
    assert [(problem.row, problem.code) for problem in caught.value.problems] == [(1, "NO_CONSENT")]
    assert "stranger" not in str(caught.value)
    assert gateway.calls == []


def test_a_refused_version_leaves_no_manifest(steward):
    steward.datasets.register_frame(data(), name="cells", **TERMS)
    stranger = {"derived_from": ["version-" + "0" * 32], "transformation": examples.transformation()}
    with pytest.raises(LedgerRefused) as caught:
        steward.datasets.register_frame(data(), name="cells", **TERMS, **stranger)
    assert caught.value.code == "VERSION_NOT_FOUND"
    assert steward.datasets.register_frame(data(), name="cells", **TERMS).number == 2


def test_a_version_of_unknown_outcome_counts_once_it_is_found(gateway, steward):
    gateway.failures["commit_status"] = [StatusFailure("PERMISSION_DENIED", "no")]
    with pytest.raises(OutcomeUnknown):
        steward.datasets.register_frame(data(), name="cells", **TERMS)
    assert steward.datasets.register_frame(data(), name="cells", **TERMS).number == 2


def test_a_version_that_never_arrived_does_not_count(gateway, steward):
    steward.datasets.register_frame(data(), name="cells", **TERMS)
    gateway.failures["endorse"] = [StatusFailure("UNAVAILABLE", "gone")]
    with pytest.raises(LedgerUnreachable):
        steward.datasets.register_frame(data(), name="cells", **TERMS)
    assert steward.datasets.register_frame(data(), name="cells", **TERMS).number == 2


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"name": "Not A Slug"}, "FIELD_INVALID"),
        ({"categories": []}, "FIELD_INVALID"),
        ({"legal_bases": ["because"]}, "FIELD_INVALID"),
        ({"duo_terms": ["DUO:9999999"]}, "FIELD_INVALID"),
        ({"derived_from": ["version-" + "0" * 32]}, "DERIVATION_INVALID"),
        ({"subject_column": "subject"}, "FRAME_COLUMNS"),
    ],
)
def test_bad_terms_are_refused_before_anything_is_sent(gateway, steward, options, code):
    gateway.calls.clear()
    with pytest.raises(InputRejected) as caught:
        steward.datasets.register_frame(data(), **{"name": "cells", **TERMS, **options})
    assert caught.value.code == code
    assert gateway.calls == []


def test_a_grant_holds_what_was_asked_for(steward, researcher, version):
    given = grant(steward, researcher, version)
    assert (given.custodian, given.grantee, given.revision) == (NORTHGATE, RIVERSIDE, 1)
    assert (given.not_before, given.not_after) == ("2026-01-01T11:59:58.000Z", "2026-01-31T11:59:58.000Z")
    changed = steward.grants.change(given.grant_id, not_after=steward.clock() + timedelta(days=1))
    assert (changed.revision, changed.not_after) == (2, "2026-01-02T12:00:00.000Z")
    steward.grants.revoke(given.grant_id)
    assert steward.grants.get(given.grant_id).state == "revoked"
    with pytest.raises(LedgerRefused) as caught:
        steward.grants.revoke(given.grant_id)
    assert caught.value.code == "GRANT_ALREADY_REVOKED"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"duration": None}, "PERIOD_AMBIGUOUS"),
        ({"duration": timedelta(days=-1)}, "PERIOD_INVALID"),
        ({"duration": timedelta.max}, "PERIOD_INVALID"),
        ({"purposes": []}, "FIELD_INVALID"),
        ({"versions": ["version-1"]}, "FIELD_INVALID"),
    ],
)
def test_malformed_grants_are_refused_before_anything_is_sent(
    gateway, steward, researcher, version, options, code
):
    request = researcher.grants.request([version.version_id], purposes=[RESEARCH], duration=MONTH)
    gateway.calls.clear()
    arguments = {"versions": [version.version_id], "purposes": [RESEARCH], "duration": MONTH, **options}
    with pytest.raises(InputRejected) as caught:
        steward.grants.grant(request.request_id, **arguments)
    assert caught.value.code == code
    assert "endorse" not in [step for step, _ in gateway.calls]


def test_a_time_without_a_zone_is_refused(steward, researcher, version):
    end = (steward.clock() + MONTH).replace(tzinfo=None)
    with pytest.raises(InputRejected) as caught:
        grant(steward, researcher, version, duration=None, not_after=end)
    assert caught.value.code == "TIME_INVALID"


def test_a_longer_grant_than_asked_for_is_refused(steward, researcher, version):
    with pytest.raises(LedgerRefused) as caught:
        grant(steward, researcher, version, duration=2 * MONTH)
    assert caught.value.code == "GRANT_TOO_LONG"


def test_a_permit_names_its_grant_and_its_end(steward, researcher, version, deciding):
    given = grant(steward, researcher, version)
    permit = researcher.access.request_access(version.version_id, purpose=RESEARCH)
    assert (permit.outcome, permit.grant_id, permit.custodian) == ("permit", given.grant_id, NORTHGATE)
    assert permit.permit_not_after is not None
    assert permit.permit_not_after <= given.not_after


def test_a_denial_is_a_record_with_reasons_in_words(steward, researcher, version, deciding):
    grant(steward, researcher, version)
    with pytest.raises(AccessDenied) as caught:
        researcher.access.request_access(version.version_id, purpose=CARE)
    decision = caught.value.decision
    assert (decision.outcome, decision.custodian) == ("deny", NORTHGATE)
    (reason,) = decision.reasons
    assert caught.value.reasons == (f"grant {reason.parameters['grant_id']} does not cover purpose {CARE}",)
    assert all(reason in str(caught.value) for reason in caught.value.reasons)
    assert researcher.access.get(decision.attempt_id).decision == decision


def test_an_attempt_without_a_grant_or_a_role_is_on_record_too(ledger_of, researcher, version, deciding):
    with pytest.raises(AccessDenied) as caught:
        researcher.access.request_access(version.version_id, purpose=RESEARCH)
    assert "NO_GRANT" in {reason.code for reason in caught.value.decision.reasons}
    with pytest.raises(AccessDenied) as caught:
        ledger_of(RIVERSIDE, "auditor").access.request_access(version.version_id, purpose=RESEARCH)
    assert "ROLE_MISSING" in {reason.code for reason in caught.value.decision.reasons}


def test_an_open_attempt_says_who_has_to_decide(researcher, version):
    attempt = researcher.access.attempt(version.version_id, purpose=RESEARCH)
    assert researcher.access.get(attempt).decision is None
    with pytest.raises(DecisionPending) as caught:
        researcher.access.wait_for_decision(attempt, timeout=0.1)
    assert caught.value.fields == {"attempt_id": attempt, "custodian": NORTHGATE}


def test_a_suspended_grant_denies(ledger_of, steward, researcher, version, deciding):
    given = grant(steward, researcher, version)
    ledger_of("RegulatorMSP", "regulator").grants.suspend(given.grant_id)
    with pytest.raises(AccessDenied) as caught:
        researcher.access.request_access(version.version_id, purpose=RESEARCH)
    assert {reason.code for reason in caught.value.decision.reasons} == {"GRANT_SUSPENDED"}


def test_a_training_session_leaves_its_whole_trail(steward, researcher, version, deciding):
    grant(steward, researcher, version)
    weights = {"coefficients": np.arange(3.0), "intercept": np.float64(0.5)}
    with researcher.training(
        model="risk",
        datasets=[version.version_id],
        purpose=RESEARCH,
        hyperparameters={"rate": 0.1, "rounds": 2},
        columns=["radius"],
    ) as session:
        for number in (1, 2):
            update = participant(NORTHGATE, version.version_id, rows=2, update={"w": np.ones(2) * number})
            recorded = session.record_round([update], aggregate=weights, metrics={"loss": 0.25 / number})
            assert recorded.number == number
        made = session.register_version(
            weights=weights, architecture={"kind": "logistic"}, metrics={"auc": 0.9649}
        )
    assert made.sessions == (session.session_id,)
    assert made.metrics == {"auc": "0.9649"}
    assert researcher.models.get(made.model_version_id) == made
    ended = researcher.transactions.evaluate("training:get", session.session_id)
    assert (ended["state"], ended["versions"]) == ("completed", [version.version_id])
    assert ended["attempts"] == [permit.attempt_id for permit in session.permits]
    assert researcher.access.get(ended["attempts"][0]).attempt.columns == ("radius",)


def test_the_same_model_can_be_trained_again_from_its_last_version(steward, researcher, version, deciding):
    grant(steward, researcher, version)
    parent = None
    for number in (1, 2):
        with researcher.training(model="risk", datasets=[version.version_id], purpose=RESEARCH) as session:
            made = session.register_version(
                weights={"w": np.ones(number)}, architecture={}, metrics={}, parent=parent
            )
        assert made.parent == parent
        parent = made.model_version_id
    assert researcher.models.ensure("risk") == made.model_id
    of_model = {one.model_version_id for one in researcher.models.versions(made.model_id)}
    assert of_model == {made.model_version_id, made.parent}
    assert researcher.models.ensure(made.model_id) == made.model_id


@pytest.mark.parametrize(
    ("error", "state"), [(RuntimeError("diverged"), "failed"), (KeyboardInterrupt(), "aborted")]
)
def test_an_exception_ends_the_session_and_goes_on(steward, researcher, version, deciding, error, state):
    grant(steward, researcher, version)
    training = researcher.training(model="risk", datasets=[version.version_id], purpose=RESEARCH)
    with pytest.raises(type(error)) as caught, training as session:
        raise error
    assert caught.value is error
    assert researcher.transactions.evaluate("training:get", session.session_id)["state"] == state


def test_an_end_that_cannot_be_recorded_is_a_note_on_the_exception(
    gateway, steward, researcher, version, deciding
):
    grant(steward, researcher, version)
    training = researcher.training(model="risk", datasets=[version.version_id], purpose=RESEARCH)

    def train() -> None:
        with training:
            gateway.failures["endorse"] = [StatusFailure("PERMISSION_DENIED", "gone")]
            raise RuntimeError("diverged")

    with pytest.raises(RuntimeError) as caught:
        train()
    assert "end is not on record: " in caught.value.__notes__[0]


@pytest.mark.parametrize(("error", "state"), [(None, "completed"), (RuntimeError("diverged"), "failed")])
def test_an_end_that_finds_no_peer_waits_in_the_outbox(
    gateway, steward, researcher, version, deciding, error, state
):
    grant(steward, researcher, version)
    gone = StatusFailure("UNAVAILABLE", "failed to connect to all addresses", not_sent=True)
    with (
        suppress(RuntimeError),
        researcher.training(model="risk", datasets=[version.version_id], purpose=RESEARCH) as session,
    ):
        gateway.failures["endorse"] = [gone] * 100
        if error is not None:
            raise error
    assert [entry.what for entry in researcher.outbox.entries()] == [f"end: {state}"]
    assert researcher.outbox.holds(session.session_id)
    gateway.failures["endorse"] = []
    assert researcher.outbox.send().recorded == 1
    assert researcher.transactions.evaluate("training:get", session.session_id)["state"] == state


def test_a_denial_starts_no_session(gateway, researcher, version, deciding):
    with (
        pytest.raises(AccessDenied),
        researcher.training(model="risk", datasets=[version.version_id], purpose=RESEARCH),
    ):
        pytest.fail("the session must not start")
    assert ("endorse", "training:start") not in gateway.calls


def test_a_session_needs_datasets_and_starts_once(steward, researcher, version, deciding):
    with pytest.raises(InputRejected) as caught:
        researcher.training(model="risk", datasets=[], purpose=RESEARCH).__enter__()
    assert caught.value.code == "DATASETS_MISSING"
    grant(steward, researcher, version)
    training = researcher.training(model="risk", datasets=[version.version_id], purpose=RESEARCH)
    with training:
        pass
    with pytest.raises(InputRejected) as caught:
        training.__enter__()
    assert caught.value.code == "SESSION_STARTED"


def test_a_clock_that_is_far_off_is_named(gateway, researcher, version):
    refused = ErrorDetail("p:1", RIVERSIDE, "request unauthorized due to incorrect timestamp")
    gateway.failures["endorse"] = [StatusFailure("ABORTED", "failed to endorse", (refused,))]
    with pytest.raises(NetworkRefused) as caught:
        researcher.access.attempt(version.version_id, purpose=RESEARCH)
    assert caught.value.code == "PROPOSAL_TIME_REFUSED"


@pytest.mark.parametrize(
    ("version_id", "purpose"), [("version-1", RESEARCH), ("version-" + "0" * 32, "curiosity"), ("", "")]
)
def test_malformed_attempts_are_refused_before_anything_is_sent(gateway, researcher, version_id, purpose):
    gateway.calls.clear()
    with pytest.raises(InputRejected) as caught:
        researcher.access.attempt(version_id, purpose=purpose)
    assert caught.value.code == "FIELD_INVALID"
    assert gateway.calls == []


def test_unknown_ids_have_codes(researcher):
    for ask, code in (
        (lambda: researcher.access.attempt("version-" + "0" * 32, purpose=RESEARCH), "VERSION_NOT_FOUND"),
        (lambda: researcher.access.get("attempt-" + "0" * 32), "ATTEMPT_NOT_FOUND"),
        (lambda: researcher.datasets.get("version-" + "0" * 32), "VERSION_NOT_FOUND"),
        (lambda: researcher.grants.get("grant-" + "0" * 32), "GRANT_NOT_FOUND"),
        (lambda: researcher.models.get("modelversion-" + "0" * 32), "MODEL_VERSION_NOT_FOUND"),
        (lambda: researcher.consents.get(["consent-" + "0" * 32]), "CONSENT_NOT_FOUND"),
    ):
        with pytest.raises(LedgerRefused) as caught:
            ask()
        assert caught.value.code == code
