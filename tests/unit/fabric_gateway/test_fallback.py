"""Several gateways: what is asked of the next one, and what never is."""

from __future__ import annotations

import threading
from itertools import islice

import pytest
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
    patience = StreamPatience(reconnect_for=5.0)
    with network.chaincode_events(CHAINCODE, start_block=1, patience=patience) as stream:
        seen = [event.payload for event in islice(stream, 3)]
        threading.Timer(0.05, pair[0].break_streams).start()
        threading.Timer(0.15, lambda: basic.submit("put", "3")).start()
        seen += [event.payload for event in islice(stream, 1)]
    assert seen == [b"0", b"1", b"2", b"3"]
    assert pair[1].requests


def test_none_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        FallbackTransport([])


def test_closing_closes_all(pair) -> None:
    gateway(pair).close()
    assert all(fake.closed for fake in pair)
