"""Several gateways: what is asked of the next one, and what never is."""

from __future__ import annotations

import threading
from itertools import islice
from types import SimpleNamespace

import pytest
from fabric_protos.common import common_pb2
from support.fake_gateway import CHAINCODE, CHANNEL, Call, FakeGateway

from fabric_gateway import CommitStatusError, EvaluateError, Gateway, StreamPatience, SubmitError, Timeouts
from fabric_gateway.failures import StatusFailure
from fabric_gateway.fallback import FallbackTransport
from fabric_protocol.signatures import key_signer


def handler(call: Call) -> tuple[bytes, str, bytes]:
    return call.arguments[0], "Happened", call.arguments[0]


def gone(code: str = "UNAVAILABLE", *, not_sent: bool = False) -> StatusFailure:
    return StatusFailure(code, "gone", not_sent=not_sent)


@pytest.fixture
def pair() -> tuple[FakeGateway, FakeGateway]:
    """Two gateways of one ledger."""
    first = FakeGateway(handler)
    second = FakeGateway(handler, organizations=first.organizations)
    second.changed, second._pending = first.changed, first._pending
    second.statuses, second.submitted, second.events = first.statuses, first.submitted, first.events
    return first, second


def gateway(pair: tuple[FakeGateway, FakeGateway]) -> Gateway:
    client = pair[0].client
    return Gateway(
        FallbackTransport(pair),
        identity=client.serialized,
        signer=key_signer(client.key),
        timeouts=Timeouts(commit_status=0.5),
    )


def contract(pair):
    return gateway(pair).network(CHANNEL).contract(CHAINCODE)


def test_the_first_is_asked_while_it_answers(pair) -> None:
    basic = contract(pair)
    assert [basic.submit("put", "a"), basic.evaluate("get", "b")] == [b"a", b"b"]
    assert pair[1].requests == []


@pytest.mark.parametrize("step", ["evaluate", "endorse", "commit_status"])
def test_what_can_be_asked_twice_is_asked_of_the_next(pair, step: str) -> None:
    pair[0].failures[step] = [gone()]
    basic = contract(pair)
    assert (basic.evaluate if step == "evaluate" else basic.submit)("put", "a") == b"a"
    assert pair[1].requests
    assert len(pair[0].submitted) == (step != "evaluate")


def test_the_one_that_answered_last_is_asked_first(pair) -> None:
    pair[0].failures["evaluate"] = [gone()]
    basic = contract(pair)
    basic.evaluate("get", "a")
    before = len(pair[0].requests)
    basic.evaluate("get", "b")
    assert len(pair[0].requests) == before


def test_a_deadline_is_not_extended_but_the_next_call_goes_elsewhere(pair) -> None:
    pair[0].failures["evaluate"] = [gone("DEADLINE_EXCEEDED")]
    basic = contract(pair)
    with pytest.raises(EvaluateError):
        basic.evaluate("get", "a")
    assert basic.evaluate("get", "a") == b"a"
    assert len(pair[1].requests) == 1


@pytest.mark.parametrize("code", ["ABORTED", "PERMISSION_DENIED", "UNKNOWN", "INTERNAL"])
def test_an_answer_is_an_answer(pair, code: str) -> None:
    pair[0].failures["evaluate"] = [gone(code)]
    with pytest.raises(EvaluateError):
        contract(pair).evaluate("get", "a")
    assert pair[1].requests == []


def test_all_are_asked_once_and_the_last_failure_is_told(pair) -> None:
    for fake in pair:
        fake.failures["evaluate"] = [gone(), gone()]
    with pytest.raises(EvaluateError) as caught:
        contract(pair).evaluate("get", "a")
    assert caught.value.code == "UNAVAILABLE"
    assert [len(fake.requests) for fake in pair] == [1, 1]


def test_an_envelope_that_never_left_goes_to_the_next(pair) -> None:
    pair[0].failures["submit"] = [gone(not_sent=True)]
    pair[0].keep_unknown_outcomes = False
    assert contract(pair).submit("put", "a") == b"a"
    assert len(pair[0].submitted) == 1


def test_an_envelope_that_may_have_been_ordered_is_never_sent_again(pair) -> None:
    pair[0].failures["submit"] = [gone()]
    pair[0].keep_unknown_outcomes = False
    with pytest.raises(CommitStatusError):
        contract(pair).submit("put", "a")
    assert pair[0].submitted == []
    transaction = contract(pair).new_proposal("put", "b").endorse()
    pair[0].failures["submit"] = pair[1].failures["submit"] = [gone()]
    with pytest.raises(SubmitError) as caught:
        transaction.submit()
    assert caught.value.outcome_unknown


def test_a_stream_goes_on_at_the_next_gateway(pair) -> None:
    basic = contract(pair)
    for number in range(3):
        basic.submit("put", str(number))
    network = gateway(pair).network(CHANNEL)
    patience = StreamPatience(reconnect_for=60.0)

    def later() -> None:
        pair[0].break_streams()
        basic.submit("put", "3")

    with network.chaincode_events(CHAINCODE, start_block=1, patience=patience) as stream:
        seen = [event.payload for event in islice(stream, 3)]
        threading.Timer(0.05, later).start()
        seen += [event.payload for event in islice(stream, 1)]
    assert seen == [b"0", b"1", b"2", b"3"]
    assert pair[1].requests


class Scripted:
    """A stream that brings responses and then fails."""

    def __init__(self, responses: list[bytes], failure: StatusFailure | None = None) -> None:
        self._responses = responses
        self._failure = failure
        self.cancelled = False

    def __iter__(self):
        yield from self._responses
        if self._failure is not None:
            raise self._failure

    def cancel(self) -> None:
        self.cancelled = True


def streams(*scripts: Scripted) -> FallbackTransport:
    """Gateways, each of which answers every request with a scripted stream."""
    return FallbackTransport([SimpleNamespace(deliver=lambda _, script=script: script) for script in scripts])


def test_a_stream_that_brought_nothing_is_opened_at_the_next_gateway() -> None:
    transport = streams(Scripted([], gone()), Scripted([], gone()), Scripted([b"block"]))
    assert list(transport.deliver(common_pb2.Envelope())) == [b"block"]
    # The one that answered is asked first from now on.
    assert list(transport.deliver(common_pb2.Envelope())) == [b"block"]


def test_a_stream_that_brought_something_is_its_readers_to_open_again() -> None:
    transport = streams(Scripted([b"0"], gone()), Scripted([b"1"]))
    stream = iter(transport.deliver(common_pb2.Envelope()))
    assert next(stream) == b"0"
    with pytest.raises(StatusFailure):
        next(stream)
    assert list(transport.deliver(common_pb2.Envelope())) == [b"1"]


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "DEADLINE_EXCEEDED"])
def test_a_stream_that_was_answered_is_not_opened_elsewhere(code: str) -> None:
    transport = streams(Scripted([], gone(code)), Scripted([b"block"]))
    with pytest.raises(StatusFailure):
        list(transport.deliver(common_pb2.Envelope()))


def test_every_gateway_is_asked_for_a_stream_once() -> None:
    transport = streams(Scripted([], gone()), Scripted([], gone()))
    with pytest.raises(StatusFailure):
        list(transport.deliver(common_pb2.Envelope()))


def test_a_cancelled_stream_is_not_opened_again() -> None:
    first = Scripted([], gone())
    stream = streams(first, Scripted([b"block"])).deliver(common_pb2.Envelope())
    stream.cancel()
    assert first.cancelled
    with pytest.raises(StatusFailure):
        list(stream)


def test_none_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        FallbackTransport([])


def test_closing_closes_all(pair) -> None:
    gateway(pair).close()
    assert all(fake.closed for fake in pair)
