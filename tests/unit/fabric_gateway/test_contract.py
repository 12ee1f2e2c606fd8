"""Evaluate and submit through every step, with the outcomes of each."""

import time
from datetime import UTC, datetime

import pytest
from support.fake_gateway import CHAINCODE, CHANNEL, Call, ChaincodeRefusal, FakeGateway

from fabric_gateway import (
    CommitError,
    CommitStatusError,
    Contract,
    EndorseError,
    EvaluateError,
    SubmitError,
    Timeouts,
)
from fabric_gateway.failures import StatusFailure
from fabric_protocol.identities import parse_identity
from fabric_protocol.signatures import verify

PROPOSAL_TIME = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
QUICK = Timeouts(commit_status=0.5)
MVCC_READ_CONFLICT = 11


def echo(call: Call) -> bytes:
    return b"|".join([call.function.encode(), *call.arguments])


def contract(gateway: FakeGateway, **options: object) -> Contract:
    return gateway.gateway(**options).network(CHANNEL).contract(CHAINCODE)


def refuse(call: Call) -> bytes:
    raise ChaincodeRefusal('{"code":"NO","fields":{},"message":"no"}')


def test_evaluate_returns_the_result_and_writes_nothing() -> None:
    gateway = FakeGateway(echo)
    assert contract(gateway).evaluate("read", "kéy", b"\xff") == b"read|k\xc3\xa9y|\xff"
    assert gateway.submitted == []


def test_submit_returns_the_result_of_a_valid_transaction() -> None:
    gateway = FakeGateway(echo)
    assert contract(gateway).submit("put", "key", b"value") == b"put|key|value"
    (envelope,) = gateway.submitted
    client = parse_identity(gateway.client.serialized)
    verify(client.public_key, envelope.signature, envelope.payload)


def test_a_proposal_carries_the_callers_clock_transient_data_and_organizations() -> None:
    gateway = FakeGateway(echo)
    contract(gateway, clock=lambda: PROPOSAL_TIME).submit(
        "put", transient={"secret": b"s"}, endorsing_organizations=["AMSP"]
    )
    ((_, call),) = gateway.calls
    assert call.proposal_time == PROPOSAL_TIME
    assert call.transient == {"secret": b"s"}
    assert list(gateway.requests[0].endorsing_organizations) == ["AMSP"]
    assert b"secret" not in gateway.submitted[0].payload


def test_steps_can_be_taken_one_by_one() -> None:
    gateway = FakeGateway(echo)
    proposal = contract(gateway).new_proposal("put", "a")
    transaction = proposal.endorse()
    assert transaction.result == b"put|a"
    assert transaction.endorsers == ("AMSP", "BMSP")
    status = transaction.submit().status()
    assert (status.transaction_id, status.name, status.block_number) == (proposal.transaction_id, "VALID", 1)
    assert status.successful


def test_every_proposal_has_a_transaction_id_of_its_own() -> None:
    basic = contract(FakeGateway(echo))
    assert len({basic.new_proposal("f").transaction_id for _ in range(20)}) == 20


def test_a_refusal_of_the_chaincode_carries_each_nodes_message() -> None:
    basic = contract(FakeGateway(refuse))
    with pytest.raises(EvaluateError) as evaluated:
        basic.evaluate("f")
    with pytest.raises(EndorseError) as endorsed:
        basic.submit("f")
    assert evaluated.value.code == "UNKNOWN"
    assert endorsed.value.code == "ABORTED"
    (detail,) = endorsed.value.details
    assert detail.msp_id == "AMSP"
    assert '"code":"NO"' in detail.message
    assert endorsed.value.transaction_id in str(endorsed.value)


def test_an_invalid_transaction_is_an_error_with_its_validation_code() -> None:
    gateway = FakeGateway(echo, commit_codes=[MVCC_READ_CONFLICT])
    with pytest.raises(CommitError) as caught:
        contract(gateway).submit("put")
    assert caught.value.code == "MVCC_READ_CONFLICT"
    assert caught.value.status.block_number == 1
    assert not caught.value.status.successful


def test_an_unknown_outcome_of_submit_is_found_out_and_nothing_is_proposed_again() -> None:
    failure = StatusFailure("UNAVAILABLE", "insufficient number of orderers")
    gateway = FakeGateway(echo, failures={"submit": [failure]})
    assert contract(gateway).submit("put", "a") == b"put|a"
    assert [step for step, _ in gateway.calls] == ["endorse"]
    assert len(gateway.submitted) == 1


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "UNKNOWN", "INTERNAL", "CANCELLED"])
def test_a_transaction_lost_on_the_way_is_reported_as_unknown(code: str) -> None:
    gateway = FakeGateway(
        echo, failures={"submit": [StatusFailure(code, "gone")]}, keep_unknown_outcomes=False
    )
    with pytest.raises(CommitStatusError) as caught:
        contract(gateway, timeouts=QUICK).submit("put")
    assert caught.value.transaction_id == gateway.calls[0][1].transaction_id
    assert [step for step, _ in gateway.calls] == ["endorse"]


@pytest.mark.parametrize("code", ["ABORTED", "FAILED_PRECONDITION", "INVALID_ARGUMENT", "UNAUTHENTICATED"])
def test_a_definite_refusal_of_submit_is_an_error_at_once(code: str) -> None:
    gateway = FakeGateway(echo, failures={"submit": [StatusFailure(code, "no")]}, keep_unknown_outcomes=False)
    with pytest.raises(SubmitError) as caught:
        contract(gateway).submit("put")
    assert not caught.value.outcome_unknown
    assert caught.value.code == code


def test_submit_itself_says_that_its_outcome_is_unknown() -> None:
    gateway = FakeGateway(echo, failures={"submit": [StatusFailure("UNAVAILABLE", "gone")]})
    transaction = contract(gateway).new_proposal("put").endorse()
    with pytest.raises(SubmitError) as caught:
        transaction.submit()
    assert caught.value.outcome_unknown
    assert transaction.prepare_commit().status().successful


def test_the_status_is_asked_for_again_through_broken_connections() -> None:
    broken = StatusFailure("UNAVAILABLE", "connection refused")
    gateway = FakeGateway(echo, failures={"commit_status": [broken, broken]})
    assert contract(gateway).submit("put") == b"put"
    assert len(gateway.submitted) == 1


def test_a_status_that_nobody_may_see_is_not_asked_for_again() -> None:
    gateway = FakeGateway(echo, failures={"commit_status": [StatusFailure("PERMISSION_DENIED", "no")]})
    started = time.monotonic()
    with pytest.raises(CommitStatusError) as caught:
        contract(gateway).submit("put")
    assert caught.value.code == "PERMISSION_DENIED"
    assert time.monotonic() - started < Timeouts().commit_status / 2


def test_submit_async_returns_before_the_status_is_known() -> None:
    gateway = FakeGateway(echo, failures={"submit": [StatusFailure("DEADLINE_EXCEEDED", "slow")]})
    submitted = contract(gateway).submit_async("put", "a")
    assert submitted.result == b"put|a"
    assert submitted.commit.resolve().successful


def test_an_unknown_validation_code_is_no_success() -> None:
    gateway = FakeGateway(echo, commit_codes=[77])
    with pytest.raises(CommitError) as caught:
        contract(gateway).submit("put")
    assert caught.value.code == "UNKNOWN_CODE_77"


@pytest.mark.parametrize("argument", [1, None, ["a"], 1.5])
def test_arguments_are_bytes_or_text(argument: object) -> None:
    with pytest.raises(TypeError, match="expected bytes or str"):
        contract(FakeGateway(echo)).evaluate("f", argument)  # type: ignore[arg-type]


def test_empty_names_are_refused() -> None:
    gateway = FakeGateway(echo).gateway()
    with pytest.raises(ValueError, match="network name"):
        gateway.network("")
    with pytest.raises(ValueError, match="chaincode"):
        gateway.network(CHANNEL).contract("")


def test_leaving_the_gateway_closes_its_transport() -> None:
    transport = FakeGateway(echo)
    with transport.gateway():
        assert not transport.closed
    assert transport.closed


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_timeouts_are_positive_seconds(seconds: float) -> None:
    with pytest.raises(ValueError, match="positive number of seconds"):
        Timeouts(submit=seconds)


def test_timeouts_are_numbers() -> None:
    with pytest.raises(TypeError, match="expected seconds"):
        Timeouts(endorse="5")  # type: ignore[arg-type]
