"""Many calls at once: their results and errors, how many there may be, and how they are waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from fabric_protos.gateway import gateway_pb2
from support.fake_gateway import CHAINCODE, CHANNEL, Call, ChaincodeRefusal, FakeGateway

from fabric_gateway import (
    CommitError,
    CommitStatusError,
    Contract,
    EndorseError,
    EvaluateError,
    Gateway,
    SubmitError,
    Timeouts,
)
from fabric_gateway.failures import StatusFailure
from fabric_gateway.fallback import FallbackTransport
from fabric_gateway.transport import GrpcTransport
from fabric_protocol.errors import ProposalError
from fabric_protocol.signatures import key_signer

SECONDS = 20
MVCC_READ_CONFLICT = 11


def echo(call: Call) -> bytes:
    return b"|".join([call.function.encode(), *call.arguments])


def refuse(call: Call) -> bytes:
    raise ChaincodeRefusal("no")


def contract(gateway: Any, **options: Any) -> Contract:
    found: Contract = gateway.gateway(**options).network(CHANNEL).contract(CHAINCODE)
    return found


class SlowGateway(FakeGateway):
    """Answers nothing before it is told to, and counts what waits."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.waiting: list[Callable[[], None]] = []

    def start(self, method: str, request: Any, timeout: float, answered: Callable[[Any], None]) -> None:
        self.waiting.append(lambda: super(SlowGateway, self).start(method, request, timeout, answered))

    def answer(self) -> None:
        """Answer what waits, and what its answers lead to."""
        while self.waiting:
            self.waiting.pop(0)()


def test_submits_and_evaluates_have_their_results() -> None:
    gateway = FakeGateway(echo)
    with contract(gateway).in_flight(4) as calls:
        written = [calls.submit("put", f"key-{number}", b"value") for number in range(20)]
        read = [calls.evaluate("get", f"key-{number}") for number in range(20)]
    assert [future.result() for future in written] == [b"put|key-%d|value" % n for n in range(20)]
    assert [future.result() for future in read] == [b"get|key-%d" % n for n in range(20)]
    assert len({call.transaction_id for _, call in gateway.calls}) == 40
    assert len(gateway.submitted) == 20


def test_a_proposal_carries_what_it_was_given() -> None:
    gateway = FakeGateway(echo)
    with contract(gateway).in_flight() as calls:
        calls.submit("put", transient={"secret": b"s"}, endorsing_organizations=["AMSP"])
    ((_, call),) = gateway.calls
    assert call.transient == {"secret": b"s"}
    assert list(gateway.requests[0].endorsing_organizations) == ["AMSP"]


def test_what_the_chaincode_refuses_is_the_error_of_its_step() -> None:
    with contract(FakeGateway(refuse)).in_flight() as calls:
        submitted, evaluated = calls.submit("put"), calls.evaluate("get")
    assert isinstance(submitted.exception(), EndorseError)
    assert isinstance(evaluated.exception(), EvaluateError)


def test_what_the_orderer_refuses_is_an_error() -> None:
    failure = StatusFailure("ABORTED", "no")
    gateway = FakeGateway(echo, failures={"submit": [failure]}, keep_unknown_outcomes=False)
    with contract(gateway).in_flight() as calls:
        error = calls.submit("put").exception()
    assert isinstance(error, SubmitError)
    assert not error.outcome_unknown


def test_what_is_invalid_is_an_error_and_is_not_tried_again() -> None:
    gateway = FakeGateway(echo, commit_codes=[MVCC_READ_CONFLICT])
    with contract(gateway).in_flight() as calls:
        error = calls.submit("put").exception()
    assert isinstance(error, CommitError)
    assert error.code == "MVCC_READ_CONFLICT"
    assert len(gateway.submitted) == 1


def test_an_unknown_outcome_is_found_out_through_broken_connections() -> None:
    gone = StatusFailure("UNAVAILABLE", "gone")
    gateway = FakeGateway(echo, failures={"submit": [gone], "commit_status": [gone]})
    with contract(gateway).in_flight() as calls:
        future = calls.submit("put", "a")
    assert future.result() == b"put|a"
    assert [step for step, _ in gateway.calls] == ["endorse"]


def test_an_outcome_that_nobody_tells_stays_unknown() -> None:
    failures = {"submit": [StatusFailure("UNAVAILABLE", "gone")]}
    gateway = FakeGateway(echo, failures=failures, keep_unknown_outcomes=False)
    with contract(gateway, timeouts=Timeouts(commit_status=0.3)).in_flight() as calls:
        error = calls.submit("put").exception()
    assert isinstance(error, CommitStatusError)


def test_no_more_than_the_limit_is_on_its_way_and_as_many_again_are_kept() -> None:
    gateway = SlowGateway(echo)
    calls = contract(gateway).in_flight(2)
    futures = [calls.evaluate("get", str(number)) for number in range(4)]
    fifth: list[Any] = []
    thread = threading.Thread(target=lambda: fifth.append(calls.evaluate("get", "4")))
    thread.start()
    thread.join(0.05)
    assert (thread.is_alive(), len(gateway.waiting)) == (True, 2)
    gateway.answer()
    thread.join(SECONDS)
    gateway.answer()
    calls.wait()
    found = [future.result(SECONDS) for future in [*futures, *fifth]]
    assert found == [b"get|%d" % number for number in range(5)]


def test_what_is_kept_is_made_and_timed_when_it_is_sent_of_what_it_was_given() -> None:
    gateway, times = SlowGateway(echo), iter(range(1, 9))
    caller = gateway.gateway(clock=lambda: datetime(2026, 1, next(times), tzinfo=UTC))
    calls = caller.network(CHANNEL).contract(CHAINCODE).in_flight(1)
    secret = {"secret": b"first"}
    calls.evaluate("get", "a")
    kept = calls.evaluate("get", "b", transient=secret)
    secret["secret"] = b"second"
    assert next(times) == 2
    gateway.answer()
    assert kept.result(SECONDS) == b"get|b"
    call = gateway.calls[-1][1]
    assert call.transient == {"secret": b"first"}
    assert call.proposal_time.day == 3


def test_what_is_kept_can_be_cancelled_and_is_not_sent() -> None:
    gateway = SlowGateway(echo)
    calls = contract(gateway).in_flight(2)
    sent, _, cancelled, kept = (calls.evaluate("get", name) for name in "abcd")
    assert (sent.cancel(), cancelled.cancel()) == (False, True)
    gateway.answer()
    calls.wait()
    assert (sent.result(SECONDS), kept.result(SECONDS)) == (b"get|a", b"get|d")
    assert len(gateway.calls) == 3


def test_a_proposal_that_cannot_be_made_is_the_futures_error_and_takes_no_place() -> None:
    gateway = FakeGateway(echo)
    with contract(gateway).in_flight(1) as calls:
        without_zone = calls.evaluate("get", "a", proposal_time=datetime(2026, 1, 1))
        assert calls.evaluate("get", "b").result(SECONDS) == b"get|b"
    assert isinstance(without_zone.exception(), ProposalError)


def test_leaving_waits_for_what_is_on_its_way() -> None:
    gateway = SlowGateway(echo)
    answering = threading.Timer(0.05, gateway.answer)
    with contract(gateway).in_flight() as calls:
        future = calls.submit("put", "a")
        assert not future.done()
        answering.start()
    assert future.done()
    answering.join(SECONDS)


def test_leaving_by_an_exception_waits_for_nothing() -> None:
    gateway = SlowGateway(echo)
    futures: list[Any] = []

    def interrupted() -> None:
        with contract(gateway).in_flight() as calls:
            futures.append(calls.evaluate("get", "a"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not futures[0].done()
    gateway.answer()
    assert futures[0].result(SECONDS) == b"get|a"


def test_leaving_by_an_exception_cancels_what_has_not_been_sent() -> None:
    gateway = SlowGateway(echo)
    futures: list[Any] = []

    def interrupted() -> None:
        with contract(gateway).in_flight(1) as calls:
            futures.extend(calls.evaluate("get", name) for name in "ab")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    gateway.answer()
    assert (futures[0].result(SECONDS), futures[1].cancelled()) == (b"get|a", True)
    assert len(gateway.calls) == 1


def test_an_argument_that_is_refused_takes_no_place() -> None:
    calls = contract(FakeGateway(echo)).in_flight(1)
    with pytest.raises(TypeError, match="expected bytes or str"):
        calls.submit("put", 1)  # type: ignore[arg-type]
    assert calls.submit("put", "a").result(SECONDS) == b"put|a"
    calls.wait()


def test_a_signer_that_fails_on_the_way_is_the_futures_error() -> None:
    gateway = SlowGateway(echo)
    keys = [key_signer(gateway.client.key)]

    def sign(digest: bytes) -> bytes:
        return keys.pop()(digest)

    caller = Gateway(gateway, identity=gateway.client.serialized, signer=sign)
    calls = caller.network(CHANNEL).contract(CHAINCODE).in_flight()
    future = calls.submit("put", "a")
    gateway.answer()
    assert future.exception(SECONDS).code == "SIGNER_FAILED"  # type: ignore[union-attr]
    calls.wait()


def test_an_interrupt_while_a_call_is_made_is_the_callers_and_takes_no_place() -> None:
    gateway = FakeGateway(echo)
    signers = [key_signer(gateway.client.key)]

    def sign(digest: bytes) -> bytes:
        if len(signers) == 1:
            signers.append(signers[0])
            raise KeyboardInterrupt
        return signers[0](digest)

    caller = Gateway(gateway, identity=gateway.client.serialized, signer=sign)
    calls = caller.network(CHANNEL).contract(CHAINCODE).in_flight(1)
    with pytest.raises(KeyboardInterrupt):
        calls.evaluate("get", "a")
    assert calls.evaluate("get", "a").result(SECONDS) == b"get|a"


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "2", None])
def test_a_limit_is_a_number_of_calls(limit: Any) -> None:
    with pytest.raises(ValueError, match="expected a number, 1 or more"):
        contract(FakeGateway(echo)).in_flight(limit)


def test_the_next_gateway_is_asked_where_it_may_be() -> None:
    first = FakeGateway(echo, failures={"evaluate": [StatusFailure("UNAVAILABLE", "gone")]})
    second = FakeGateway(echo, organizations=first.organizations)
    signer = key_signer(first.client.key)
    gateway = Gateway(FallbackTransport([first, second]), identity=first.client.serialized, signer=signer)
    with gateway.network(CHANNEL).contract(CHAINCODE).in_flight() as calls:
        assert calls.evaluate("get", "a").result(SECONDS) == b"get|a"
        # The one that answered last is asked first.
        assert calls.evaluate("get", "b").result(SECONDS) == b"get|b"
    assert (len(first.calls), len(second.calls)) == (0, 2)


def test_an_envelope_that_may_have_arrived_is_not_sent_to_the_next() -> None:
    first = FakeGateway(echo, failures={"submit": [StatusFailure("UNAVAILABLE", "gone")]})
    second = FakeGateway(echo, organizations=first.organizations)
    outcomes: list[Any] = []
    FallbackTransport([first, second]).start(
        "submit", gateway_pb2.SubmitRequest(transaction_id="t"), 1.0, outcomes.append
    )
    assert [outcome.code for outcome in outcomes] == ["UNAVAILABLE"]
    assert second.requests == []


def test_a_closed_connection_is_a_failure() -> None:
    transport = GrpcTransport(grpc.insecure_channel("localhost:1"))
    transport.close()
    outcomes: list[Any] = []
    transport.start("evaluate", gateway_pb2.EvaluateRequest(), 1.0, outcomes.append)
    assert [(outcome.code, outcome.not_sent) for outcome in outcomes] == [("CANCELLED", True)]
