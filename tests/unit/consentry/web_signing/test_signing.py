"""Signing an action: by its officer alone, what was shown, within its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from support.gate_bench import NORTHGATE
from support.ledger_examples import identifier
from support.signing_bench import (
    WORDS,
    Altered,
    Shared,
    SigningBench,
    call,
    fields_of,
    raising,
    revocation,
)

from consentry.web.actions import Action, Call
from consentry.web.signing.desk import SECONDS, shown_code
from consentry.web.signing.pending import (
    CANCELLED,
    COMMITTED,
    DECLINED,
    EXPIRED,
    WAITING,
)
from consentry.web.signing.signer import checked_action
from consentry_records import NewReview
from consentry_records.digest import sha256_digest
from consentry_records.review import encode_rationale
from fabric_gateway.failures import StatusFailure


def test_a_signed_action_is_committed_once(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    assert bench.sign(officer, shown_code(pending.code).lower()) == ["grants:revoke"]
    assert shared.steward.grants.get(shared.grant_id).state == "revoked"
    assert (pending.state, pending.action) == (COMMITTED, None)
    (outcome,) = pending.outcomes
    assert (outcome.code, outcome.block > 0) == ("VALID", True)
    assert bench.committed == [pending]
    assert bench.gateway.calls.count(("endorse", "grants:revoke")) == 1


def test_page_and_signer_show_the_same_words_and_digest(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    bench.sign(officer, pending.code)
    (statement,) = bench.shown
    assert statement.digest == pending.digest
    assert tuple(part.sentence for part in statement.parts) == pending.headlines["en"].sentences
    assert shared.grant_id in statement.parts[0].sentence


def test_what_the_officer_declines_is_not_signed(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    before = len(bench.gateway.calls)
    with raising("DECLINED"):
        bench.sign(officer, pending.code, yes=False)
    assert pending.state == DECLINED
    assert len(bench.gateway.calls) == before
    with raising("ACTION_ENDED"):
        bench.sign(officer, pending.code)


def test_the_code_of_another_officer_is_unknown(bench: SigningBench, shared: Shared) -> None:
    pending = bench.offer(shared.steward.identity, revocation(shared))
    colleague = bench.gateway.identity(NORTHGATE, "steward", "dpo")
    with raising("CODE_UNKNOWN"):
        bench.sign(colleague, pending.code)
    assert pending.state == WAITING
    assert bench.desk.find(colleague.serialized, pending.key) is None


def test_a_code_that_was_never_given_is_unknown(bench: SigningBench, shared: Shared) -> None:
    with raising("CODE_UNKNOWN"):
        bench.sign(shared.steward.identity, "ABCD-EFGH-JKLM")


def test_a_stale_code_signs_nothing(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    bench.gateway.memory.advance(timedelta(seconds=SECONDS))
    with raising("ACTION_ENDED"):
        bench.sign(officer, pending.code)
    assert (pending.state, pending.action) == (EXPIRED, None)


def test_an_outcome_is_forgotten_after_a_while(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    bench.sign(officer, pending.code)
    assert bench.desk.find(officer.serialized, pending.key) is pending
    bench.gateway.memory.advance(timedelta(hours=2))
    assert bench.desk.find(officer.serialized, pending.key) is None


def test_a_form_that_comes_twice_is_one_action(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    first = bench.offer(officer, revocation(shared), form="a")
    assert bench.offer(officer, revocation(shared), form="a") is first
    assert bench.offer(officer, revocation(shared), form="b") is not first
    other = bench.gateway.identity(NORTHGATE, "steward")
    assert bench.offer(other, revocation(shared), form="a") is not first


def test_one_officer_cannot_fill_the_desk(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    for number in range(20):
        bench.offer(officer, revocation(shared), form=str(number))
    with raising("TOO_MANY_ACTIONS"):
        bench.offer(officer, revocation(shared), form="one more")


def test_a_cancelled_action_is_not_signed(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    assert bench.desk.give_up(pending, at_signer=False)
    assert pending.state == CANCELLED
    with raising("ACTION_ENDED"):
        bench.sign(officer, pending.code)
    assert not bench.desk.give_up(pending, at_signer=False)


def test_what_there_are_no_words_for_is_not_offered(bench: SigningBench, shared: Shared) -> None:
    with raising("ACTION_UNKNOWN"):
        bench.offer(shared.steward.identity, call("epochs:close", "1"))


def altered_action(bench: SigningBench, change: Callable[[Action], Action]) -> None:
    """Let the server hand out another action than the page shows."""
    honest = bench.desk.fetch
    bench.desk.fetch = lambda pending: change(honest(pending))  # type: ignore[method-assign]


def test_an_action_that_was_altered_on_its_way_is_shown_as_it_would_be_signed(
    bench: SigningBench, shared: Shared
) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    other = call("grants:revoke", identifier("grant", 7))
    altered_action(bench, lambda one: Action(**{**fields_of(one), "calls": (other,)}))
    with raising("ACTION_DIFFERS"):
        bench.sign(officer, pending.code)
    (statement,) = bench.shown
    assert identifier("grant", 7) in statement.parts[0].sentence
    assert statement.digest != pending.digest
    assert not pending.outcomes
    assert shared.steward.grants.get(shared.grant_id).state == "active"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"channel": "other"}, "ACTION_ELSEWHERE"),
        ({"chaincode": "other"}, "ACTION_ELSEWHERE"),
        ({"created_at": "2020-01-01T00:00:00.000Z"}, "ACTION_STALE"),
        ({"created_at": "2099-01-01T00:00:00.000Z"}, "ACTION_STALE"),
    ],
)
def test_the_signer_signs_for_its_own_network_and_time(
    bench: SigningBench, shared: Shared, changes: dict[str, Any], code: str
) -> None:
    officer = shared.steward.identity
    action = bench.desk.fetch(bench.offer(officer, revocation(shared)))
    altered = Action(**{**fields_of(action), **changes})
    now = bench.gateway.memory.time
    with raising(code):
        checked_action(altered, officer, "consentry", "consentry", now, WORDS)


def test_the_signer_signs_for_its_own_certificate(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    action = bench.desk.fetch(bench.offer(officer, revocation(shared)))
    colleague = bench.gateway.identity(NORTHGATE, "steward")
    with raising("ACTION_OF_OTHER"):
        checked_action(action, colleague, "consentry", "consentry", bench.gateway.memory.time, WORDS)


def review_with_rationale(shared: Shared) -> tuple[Call, Call]:
    value = encode_rationale(bytes(range(32)), "The cohort is small.")
    review = NewReview(
        request_id=shared.request_id,
        recommendation="approve",
        reasons=("PURPOSE_FITS",),
        rationale_digest=sha256_digest(value),
    )
    store = call(
        "reviews:store_rationale",
        shared.request_id,
        transient={"rationale": value},
        endorsers=(NORTHGATE,),
    )
    return store, call("reviews:record", review)


def test_a_review_and_its_rationale_are_two_transactions_of_one_confirmation(
    bench: SigningBench, shared: Shared
) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, *review_with_rationale(shared))
    assert bench.sign(officer, pending.code) == ["reviews:store_rationale", "reviews:record"]
    assert bench.shown[0].parts[0].rows[-1].values == ("The cohort is small.",)
    assert shared.steward.reviews.rationale(shared.request_id, officer.enrolment_id) == "The cohort is small."
    assert bench.gateway.endorsers["reviews:store_rationale"] == (NORTHGATE,)
    assert pending.action is None
    assert "cohort" not in repr(pending)


def test_a_signer_that_broke_off_goes_on_where_it_was(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, *review_with_rationale(shared))
    fail = [None, StatusFailure("UNAVAILABLE", "down")]
    honest = bench.gateway.endorse

    def endorse(request: Any, timeout: float) -> Any:
        failure = fail.pop(0) if fail else None
        if failure is not None:
            raise failure
        return honest(request, timeout)

    bench.relay._transport = Altered(bench.gateway, endorse=endorse)
    with raising("LEDGER_UNREACHABLE"):
        bench.sign(officer, pending.code)
    assert (pending.step, pending.has_ended) == (1, False)
    assert bench.sign(officer, pending.code) == ["reviews:record"]
    assert [outcome.code for outcome in pending.outcomes] == ["VALID", "VALID"]
