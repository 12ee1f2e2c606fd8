"""Failures of calls as the application's errors, each with what is known to be written."""

import inspect

import pytest

from consentry.errors import (
    ConsentryError,
    LedgerRefused,
    LedgerUnreachable,
    NetworkRefused,
    OutcomeUnknown,
    TransactionInvalid,
)
from consentry.transactions import EVALUATIONS, translated
from consentry_contracts import contracts
from consentry_records.errors import LedgerError, to_wire
from fabric_gateway import (
    CommitError,
    CommitStatus,
    CommitStatusError,
    EndorseError,
    EnvelopeError,
    ErrorDetail,
    EvaluateError,
    GatewayError,
    StreamError,
    SubmitError,
)
from fabric_gateway.failures import StatusFailure
from fabric_shim.contract import MARK

ID = "ab" * 32
REFUSAL = to_wire(LedgerError("VERSION_NOT_FOUND", {"version_id": "version-1"}))
MALICIOUS = '{"code":"X","fields":{},"message":"x","more":1}'


def detail(text: str) -> ErrorDetail:
    return ErrorDetail("peer:7051", "AMSP", text)


@pytest.mark.parametrize(
    "error",
    [
        EndorseError("failed", code="ABORTED", details=[detail(f"chaincode response 404, {REFUSAL}")]),
        EvaluateError(f"evaluate call … error: chaincode response 404, {REFUSAL}", code="UNKNOWN"),
        EndorseError("failed", code="ABORTED", details=[detail("slow"), detail(REFUSAL)]),
    ],
)
def test_the_contracts_refusals_keep_code_fields_and_sentence(error: GatewayError) -> None:
    refused = translated(error)
    assert isinstance(refused, LedgerRefused)
    assert (refused.code, refused.fields) == ("VERSION_NOT_FOUND", {"version_id": "version-1"})
    assert refused.message == "there is no dataset version version-1"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (EvaluateError("x", code="UNAVAILABLE"), LedgerUnreachable, "LEDGER_UNREACHABLE"),
        (EndorseError("x", code="DEADLINE_EXCEEDED"), LedgerUnreachable, "LEDGER_UNREACHABLE"),
        (EndorseError("x", code="FAILED_PRECONDITION"), NetworkRefused, "NETWORK_REFUSED"),
        (EndorseError("x", code="ABORTED", details=[detail(MALICIOUS)]), NetworkRefused, "NETWORK_REFUSED"),
        (EnvelopeError("x", code="TRANSACTION_DIFFERS"), NetworkRefused, "ENDORSEMENT_REJECTED"),
        (SubmitError("x", code="ABORTED"), NetworkRefused, "ORDERER_REFUSED"),
        (SubmitError(REFUSAL, code="ABORTED"), NetworkRefused, "ORDERER_REFUSED"),
        (
            EndorseError(
                "x", code="UNAVAILABLE", details=[detail("request unauthorized due to incorrect timestamp")]
            ),
            NetworkRefused,
            "PROPOSAL_TIME_REFUSED",
        ),
        (StreamError("x", code="UNAVAILABLE"), LedgerUnreachable, "LEDGER_UNREACHABLE"),
    ],
)
def test_every_failure_has_its_error(error: GatewayError, kind: type[ConsentryError], code: str) -> None:
    made = translated(error)
    assert type(made) is kind
    assert made.code == code


def test_an_invalid_transaction_names_its_validation_code() -> None:
    made = translated(CommitError(CommitStatus(ID, 10, "ENDORSEMENT_POLICY_FAILURE", 7)))
    assert isinstance(made, TransactionInvalid)
    assert (made.validation_code, made.transaction_id) == ("ENDORSEMENT_POLICY_FAILURE", ID)
    assert "had no effect" in str(made)


def test_an_unknown_outcome_names_the_transaction() -> None:
    made = translated(CommitStatusError("gone", code="UNAVAILABLE", transaction_id=ID))
    assert isinstance(made, OutcomeUnknown)
    assert made.transaction_id == ID


def test_evaluations_are_those_of_the_contracts() -> None:
    marked = {
        f"{contract.name}:{name}"
        for contract in contracts()
        for name in dir(type(contract))
        if getattr(inspect.getattr_static(type(contract), name), MARK, None) == "evaluation"
    }
    assert marked == EVALUATIONS


def test_transactions_that_were_overtaken_are_made_again_only_where_asked(gateway, ledger_of) -> None:
    ledger = ledger_of("RiversideMSP", "researcher")
    disagree = detail("ProposalResponsePayloads do not match")
    gateway.failures["endorse"] = [StatusFailure("ABORTED", "failed", (disagree,))]
    with pytest.raises(NetworkRefused):
        ledger.models.register("risk")
    gateway.failures["endorse"] = [StatusFailure("ABORTED", "failed", (disagree,))] * 2
    model = {"model_id": "model-" + "0" * 32, "name": "risk"}
    assert ledger.transactions.submit("models:register", model, tries=3) == b""


def test_other_organizations_peers_that_lag_are_waited_for(gateway, ledger_of) -> None:
    ledger = ledger_of("RiversideMSP", "researcher")
    lagging = StatusFailure(
        "ABORTED",
        "failed to collect enough transaction endorsements, see attached details for more info",
        (detail(f"chaincode response 404, {REFUSAL}"),),
    )
    gateway.failures["endorse"] = [lagging, lagging]
    ledger.models.register("risk")
    first = StatusFailure("ABORTED", "failed to endorse transaction", lagging.details)
    for refusals in ([first], [lagging] * 7):
        gateway.failures["endorse"] = refusals
        with pytest.raises(LedgerRefused) as caught:
            ledger.models.register("other")
        assert caught.value.code == "VERSION_NOT_FOUND"
        assert not gateway.failures["endorse"]


def test_what_the_own_peer_may_not_know_yet_of_others_is_waited_for(gateway, ledger_of) -> None:
    ledger = ledger_of("RiversideMSP", "researcher")
    reason = detail(f"chaincode response 404, {REFUSAL}")
    early = StatusFailure("ABORTED", "failed to endorse transaction", (reason,))
    for function, refusals, code in (
        # Made anew until the contract itself was asked, which finds no fields.
        ("grants:request", [early, early], "FIELD_MISSING"),
        ("grants:request", [early] * 7, "VERSION_NOT_FOUND"),
        ("grants:grant", [early], "VERSION_NOT_FOUND"),
    ):
        gateway.failures["endorse"] = refusals
        with pytest.raises(LedgerRefused) as caught:
            ledger.transactions.submit(function, {})
        assert caught.value.code == code
        assert not gateway.failures["endorse"]


def test_tries_are_positive(ledger_of) -> None:
    with pytest.raises(ValueError, match="expected at least 1"):
        ledger_of("RiversideMSP", "researcher").transactions.submit("models:register", {}, tries=0)
