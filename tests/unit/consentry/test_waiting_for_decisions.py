"""Waiting for the decision on an attempt at a peer that is not as far as the requester's."""

from types import SimpleNamespace

import pytest

from consentry.access import Access
from consentry.errors import DecisionPending, LedgerRefused
from consentry.peer_lag import await_arrival

ATTEMPT = "attempt-" + "0" * 32
OPEN = SimpleNamespace(attempt=SimpleNamespace(custodian="NorthgateMSP"), decision=None)


def answering(monkeypatch: pytest.MonkeyPatch, *answers: object) -> Access:
    """Access to a ledger that answers one after the other, and the last one ever after."""
    remaining = list(answers)

    def get(_self: Access, _attempt_id: str) -> object:
        answer = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Access, "get", get)
    return Access.__new__(Access)


def refused(code: str) -> LedgerRefused:
    return LedgerRefused(code, "no", {})


def test_an_attempt_that_the_peer_does_not_have_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    decided = SimpleNamespace(attempt=OPEN.attempt, decision="the decision")
    access = answering(monkeypatch, refused("ATTEMPT_NOT_FOUND"), refused("ATTEMPT_NOT_FOUND"), OPEN, decided)
    assert access.wait_for_decision(ATTEMPT) == "the decision"


def test_an_attempt_that_nobody_made_is_named_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LedgerRefused, match="ATTEMPT_NOT_FOUND"):
        answering(monkeypatch, refused("ATTEMPT_NOT_FOUND")).wait_for_decision(ATTEMPT, timeout=0.2)
    with pytest.raises(DecisionPending):
        answering(monkeypatch, OPEN).wait_for_decision(ATTEMPT, timeout=0.2)


def test_another_refusal_ends_the_waiting_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LedgerRefused, match="IDENTIFIER_INVALID"):
        answering(monkeypatch, refused("IDENTIFIER_INVALID"), OPEN).wait_for_decision(ATTEMPT, timeout=0.2)


def test_what_another_organization_wrote_is_waited_for_at_the_own_peer() -> None:
    answers = [refused("FUNCTION_NOT_FOUND"), refused("FUNCTION_NOT_FOUND")]

    def read() -> str:
        if answers:
            raise answers.pop()
        return "there"

    assert await_arrival(read, "FUNCTION_NOT_FOUND") == "there"
    answers.extend([refused("FUNCTION_NOT_FOUND")] * 99)
    with pytest.raises(LedgerRefused, match="FUNCTION_NOT_FOUND"):
        await_arrival(read, "FUNCTION_NOT_FOUND", seconds=0.05)
    with pytest.raises(LedgerRefused):
        await_arrival(read, "ANOTHER_CODE")
