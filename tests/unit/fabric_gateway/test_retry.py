"""Conflicts are answered by new transactions, nothing else is."""

import pytest
from support.fake_gateway import CHAINCODE, CHANNEL, Call, FakeGateway

from fabric_gateway import (
    CommitError,
    ConflictRetry,
    Contract,
    EndorseError,
    GatewayError,
    SubmitError,
    Timeouts,
)
from fabric_gateway.errors import ErrorDetail
from fabric_gateway.failures import StatusFailure

CONFLICT, PHANTOM, POLICY = 11, 12, 10
QUICK = ConflictRetry(tries=3, first_pause=0.0, longest_pause=0.0)
DISAGREE = StatusFailure(
    "ABORTED", "failed", (ErrorDetail("peer:7051", "AMSP", "ProposalResponsePayloads do not match"),)
)


def contract(gateway: FakeGateway) -> Contract:
    return gateway.gateway(timeouts=Timeouts(commit_status=0.2)).network(CHANNEL).contract(CHAINCODE)


def echo(call: Call) -> bytes:
    return call.arguments[0]


def ids(gateway: FakeGateway) -> list[str]:
    return [call.transaction_id for _, call in gateway.calls]


@pytest.mark.parametrize("code", [CONFLICT, PHANTOM])
def test_a_conflict_is_answered_by_new_transactions(code: int) -> None:
    gateway = FakeGateway(echo, commit_codes=[code, code])
    assert contract(gateway).submit("put", "a", retry=QUICK) == b"a"
    assert len(set(ids(gateway))) == 3


def test_endorsers_that_disagree_are_asked_again() -> None:
    gateway = FakeGateway(echo, failures={"endorse": [DISAGREE]})
    assert contract(gateway).submit("put", "a", retry=QUICK) == b"a"
    assert len(gateway.submitted) == 1


def test_tries_are_bounded() -> None:
    gateway = FakeGateway(echo, commit_codes=[CONFLICT] * 9)
    with pytest.raises(CommitError) as caught:
        contract(gateway).submit("put", "a", retry=QUICK)
    assert caught.value.code == "MVCC_READ_CONFLICT"
    assert len(gateway.submitted) == 3


def test_without_a_policy_nothing_is_retried() -> None:
    gateway = FakeGateway(echo, commit_codes=[CONFLICT])
    with pytest.raises(CommitError):
        contract(gateway).submit("put", "a")
    assert len(gateway.submitted) == 1


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        ({"commit_codes": [POLICY]}, CommitError),
        ({"failures": {"endorse": [StatusFailure("ABORTED", "no")]}}, EndorseError),
        ({"failures": {"submit": [StatusFailure("ABORTED", "no")]}}, SubmitError),
        (
            {"failures": {"submit": [StatusFailure("UNAVAILABLE", "gone")]}, "keep_unknown_outcomes": False},
            GatewayError,
        ),
    ],
)
def test_anything_else_is_not_retried(faults: dict[str, object], error: type[GatewayError]) -> None:
    gateway = FakeGateway(echo, **faults)  # type: ignore[arg-type]
    with pytest.raises(error):
        contract(gateway).submit("put", "a", retry=QUICK)
    assert len(gateway.requests) <= 3
    assert len(set(ids(gateway))) <= 1


@pytest.mark.parametrize(
    "options",
    [{"tries": 0}, {"tries": 1.5}, {"tries": True}, {"first_pause": -1}, {"longest_pause": float("nan")}],
)
def test_a_policy_that_is_none_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        ConflictRetry(**options)  # type: ignore[arg-type]
