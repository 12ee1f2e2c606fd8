"""A gateway that lies, over a real socket.

The client never signs what it did not ask for, and never reports a success that it was not told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import chaincode_event_pb2, events_pb2
from support.fake_gateway import CHAINCODE, CHANNEL, Call, FakeGateway
from support.hostile_gateway import HostileGateway, Refusal, altered_payload, hostile_gateway

from fabric_gateway import (
    CommitError,
    CommitStatusError,
    Contract,
    EndorseError,
    EnvelopeError,
    EvaluateError,
    GatewayError,
    Network,
    StreamError,
    StreamPatience,
    SubmitError,
    Timeouts,
)

pytestmark = pytest.mark.integration

STATUSES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
DEFINITE = {
    "ABORTED", "FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "UNAUTHENTICATED", "UNIMPLEMENTED",
}  # fmt: skip


@pytest.fixture
def hostile() -> Iterator[HostileGateway]:
    with hostile_gateway(FakeGateway(handler)) as server:
        yield server


def handler(call: Call) -> bytes:
    return b"|".join(call.arguments)


@pytest.fixture
def network(hostile: HostileGateway) -> Iterator[Network]:
    with hostile.gateway() as gateway:
        yield gateway.network(CHANNEL)


@pytest.fixture
def contract(network: Network) -> Contract:
    return network.contract(CHAINCODE)


def signed_payloads(hostile: HostileGateway) -> list[Any]:
    return [request.prepared_transaction for name, request in hostile.requests if name == "Submit"]


def refuse(code: grpc.StatusCode) -> Callable[[Any], Any]:
    def lie(answer: Any) -> Any:
        raise Refusal(code)

    return lie


def test_without_lies_everything_works(hostile: HostileGateway, contract: Contract) -> None:
    assert contract.submit("put", "a", "b") == b"a|b"
    assert contract.evaluate("get", "a") == b"a"


def another_proposals_transaction(hostile: HostileGateway) -> Callable[[Any], Any]:
    other = hostile.honest.gateway().network(CHANNEL).contract(CHAINCODE).new_proposal("put", "stolen")
    stolen = other.endorse().envelope
    payload = common_pb2.Envelope.FromString(stolen).payload

    def lie(answer: Any) -> Any:
        answer.prepared_transaction.payload = payload
        return answer

    return lie


def another_transaction_id(hostile: HostileGateway) -> Callable[[Any], Any]:
    def change(payload: Any) -> None:
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
        header.tx_id = "0" * 64
        payload.header.channel_header = header.SerializeToString(deterministic=True)

    return lambda answer: altered_payload(answer, change)


def another_channel(hostile: HostileGateway) -> Callable[[Any], Any]:
    def change(payload: Any) -> None:
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
        header.channel_id = "other"
        payload.header.channel_header = header.SerializeToString(deterministic=True)

    return lambda answer: altered_payload(answer, change)


def altered_bytes(old: bytes, new: bytes) -> Callable[[HostileGateway], Callable[[Any], Any]]:
    def lie(answer: Any) -> Any:
        assert old in answer.prepared_transaction.payload
        answer.prepared_transaction.payload = answer.prepared_transaction.payload.replace(old, new)
        return answer

    return lambda hostile: lie


def nothing(hostile: HostileGateway) -> Callable[[Any], Any]:
    return lambda answer: gateway_pb2.EndorseResponse()


def noise(hostile: HostileGateway) -> Callable[[Any], Any]:
    def lie(answer: Any) -> Any:
        answer.prepared_transaction.payload = os.urandom(200)
        return answer

    return lie


@pytest.mark.parametrize(
    "lie",
    [
        another_proposals_transaction,
        another_transaction_id,
        another_channel,
        altered_bytes(b"writes", b"WRITES"),
        altered_bytes(b"mine", b"your"),
        nothing,
        noise,
    ],
    ids=["stolen", "transaction-id", "channel", "writes", "result", "nothing", "noise"],
)
def test_what_was_not_asked_for_is_not_signed(hostile, contract, lie) -> None:
    hostile.lies["Endorse"] = lie(hostile)
    with pytest.raises(EnvelopeError):
        contract.submit("put", "mine")
    assert signed_payloads(hostile) == []


def test_a_signature_of_the_gateways_is_not_kept(hostile, contract) -> None:
    def sign(answer: Any) -> Any:
        answer.prepared_transaction.signature = b"theirs"
        return answer

    hostile.lies["Endorse"] = sign
    assert contract.submit("put", "a") == b"a"
    assert signed_payloads(hostile)[0].signature != b"theirs"


@pytest.mark.parametrize("code", STATUSES, ids=lambda code: code.name)
@pytest.mark.parametrize("method", ["Evaluate", "Endorse"])
def test_every_status_before_submitting_is_an_error_of_its_step(hostile, contract, method, code) -> None:
    hostile.lies[method] = refuse(code)
    expected = EvaluateError if method == "Evaluate" else EndorseError
    with pytest.raises(expected) as caught:
        (contract.evaluate if method == "Evaluate" else contract.submit)("put", "a")
    assert caught.value.code == code.name
    assert caught.value.transaction_id
    assert hostile.called("Submit") == 0


@pytest.mark.parametrize("code", STATUSES, ids=lambda code: code.name)
def test_every_status_of_submit_is_a_refusal_or_resolved_by_id(hostile, contract, code) -> None:
    hostile.lies["Submit"] = refuse(code)
    if code.name in DEFINITE:
        with pytest.raises(SubmitError) as caught:
            contract.submit("put", "a")
        assert not caught.value.outcome_unknown
        assert hostile.called("CommitStatus") == 0
    else:
        assert contract.submit("put", "a") == b"a"
        assert hostile.called("CommitStatus") == 1
    assert (hostile.called("Endorse"), hostile.called("Submit")) == (1, 1)


@pytest.mark.parametrize("code", STATUSES, ids=lambda code: code.name)
def test_no_status_of_commit_status_is_a_success(hostile, contract, code) -> None:
    hostile.lies["CommitStatus"] = refuse(code)
    with pytest.raises(CommitStatusError) as caught:
        contract.submit("put", "a")
    assert caught.value.transaction_id
    assert (hostile.called("Endorse"), hostile.called("Submit")) == (1, 1)


def test_an_unknown_outcome_stays_unknown_where_the_ledger_does_not_know(hostile, contract) -> None:
    hostile.lies["Submit"] = refuse(grpc.StatusCode.UNAVAILABLE)
    hostile.lies["CommitStatus"] = refuse(grpc.StatusCode.DEADLINE_EXCEEDED)
    with pytest.raises(CommitStatusError):
        contract.submit("put", "a")
    assert hostile.called("Endorse") == 1


def test_an_empty_status_is_no_success(hostile, contract) -> None:
    hostile.lies["CommitStatus"] = lambda answer: gateway_pb2.CommitStatusResponse()
    with pytest.raises(CommitStatusError) as caught:
        contract.submit("put", "a")
    assert caught.value.code == "INVALID_RESPONSE"


@pytest.mark.parametrize("result", [1, 11, 77, 255, -1])
def test_no_code_but_valid_is_a_success(hostile, contract, result) -> None:
    hostile.lies["CommitStatus"] = lambda answer: gateway_pb2.CommitStatusResponse(
        result=result, block_number=3
    )
    with pytest.raises(CommitError):
        contract.submit("put", "a")


def test_an_empty_evaluation_is_no_result(hostile, contract) -> None:
    hostile.lies["Evaluate"] = lambda answer: gateway_pb2.EvaluateResponse()
    with pytest.raises(EvaluateError) as caught:
        contract.evaluate("get", "a")
    assert caught.value.code == "INVALID_RESPONSE"


@pytest.mark.parametrize("method", ["Evaluate", "Endorse", "Submit", "CommitStatus"])
def test_bytes_that_are_no_message_are_an_error(hostile, contract, method) -> None:
    hostile.lies[method] = lambda answer: b"\xff\xff\xff"
    if method == "Submit":
        # The envelope was received; what became of it, its id tells.
        assert contract.submit("put", "a") == b"a"
        return
    with pytest.raises(GatewayError):
        (contract.evaluate if method == "Evaluate" else contract.submit)("put", "a")


@pytest.mark.parametrize("method", ["Evaluate", "Endorse", "CommitStatus"])
def test_a_call_that_is_never_answered_ends_by_its_deadline(hostile, method) -> None:
    hostile.lies[method] = hostile.never_answer
    timeouts = Timeouts(evaluate=0.3, endorse=0.3, commit_status=0.3)
    with hostile.gateway(timeouts=timeouts) as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        call = contract.evaluate if method == "Evaluate" else contract.submit
        with pytest.raises(GatewayError) as caught:
            call("put", "a")
    assert caught.value.code == "DEADLINE_EXCEEDED"


def test_a_stalled_submit_is_resolved_by_its_id(hostile) -> None:
    hostile.lies["Submit"] = hostile.never_answer
    with hostile.gateway(timeouts=Timeouts(submit=0.3)) as gateway:
        assert gateway.network(CHANNEL).contract(CHAINCODE).submit("put", "a") == b"a"
    assert (hostile.called("Endorse"), hostile.called("Submit")) == (1, 1)


def test_a_stalled_stream_is_broken_off(hostile, network) -> None:
    def stall(_: Any) -> Iterator[bytes]:
        yield delivered(0)
        hostile.stall.wait()

    hostile.lies["Deliver"] = stall
    stream = network.blocks(0, 5, patience=StreamPatience(idle_timeout=2.0))
    assert common_pb2.Block.FromString(next(stream)).header.number == 0
    with pytest.raises(StreamError) as caught:
        next(stream)
    assert caught.value.code == "STALLED"


@pytest.mark.parametrize("responses", [[b"\xff"], [], [b""]], ids=["noise", "nothing", "empty"])
def test_a_stream_of_anything_else_is_an_error(hostile, network, responses) -> None:
    hostile.lies["Deliver"] = lambda _: iter(responses)
    with pytest.raises(StreamError):
        next(network.blocks(0, 5))


def test_events_of_others_are_an_error(hostile, network) -> None:
    event = chaincode_event_pb2.ChaincodeEvent(chaincode_id="other", tx_id="t", event_name="n")
    answer = gateway_pb2.ChaincodeEventsResponse(events=[event], block_number=5).SerializeToString()
    hostile.lies["ChaincodeEvents"] = lambda _: iter([answer])
    with pytest.raises(StreamError) as caught:
        next(network.chaincode_events(CHAINCODE, start_block=1))
    assert caught.value.code == "INVALID_RESPONSE"


@pytest.mark.parametrize("code", STATUSES, ids=lambda code: code.name)
def test_every_status_of_a_stream_is_an_error(hostile, network, code) -> None:
    hostile.lies["Deliver"] = hostile.lies["ChaincodeEvents"] = refuse(code)
    for stream in (network.blocks(0, 1), network.chaincode_events(CHAINCODE, start_block=0)):
        with pytest.raises(StreamError) as caught:
            next(stream)
        assert caught.value.code == code.name


def delivered(number: int) -> bytes:
    block = common_pb2.Block(header=common_pb2.BlockHeader(number=number))
    return bytes(events_pb2.DeliverResponse(block=block).SerializeToString())
