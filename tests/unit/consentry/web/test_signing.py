"""Signing an action: by its officer alone, what was shown, once, through a server that may lie."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from fabric_protos.gateway import gateway_pb2
from support.consent_frames import RESEARCH, consent_frame, pseudonyms
from support.gate_bench import MONTH, NORTHGATE, RIVERSIDE, TERMS
from support.ledger_examples import identifier
from support.ledger_gateway import LedgerGateway
from support.signing_bench import WORDS, SigningBench, call

from consentry.errors import ConsentryError, LedgerRefused, NetworkRefused, OutcomeUnknown
from consentry.identity import WalletIdentity
from consentry.ledger import Ledger
from consentry.request_signatures import GATE, WEB_SIGN, RequestRefused, signed_headers
from consentry.web.actions import Action, ActionRefused, Call
from consentry.web.signing import wire
from consentry.web.signing.desk import SECONDS, shown_code
from consentry.web.signing.pending import (
    CANCELLED,
    COMMITTED,
    DECLINED,
    EXPIRED,
    INVALID,
    REFUSED,
    SUBMITTED,
    WAITING,
    Outcome,
    Pending,
)
from consentry.web.signing.signer import checked_action
from consentry_records import NewReview
from consentry_records.digest import sha256_digest
from consentry_records.review import encode_rationale
from fabric_gateway.transport import StatusFailure


@pytest.fixture
def bench(gateway: LedgerGateway) -> SigningBench:
    return SigningBench(gateway)


@dataclass
class Shared:
    """A dataset of Northgate's, Riverside's request for it, and the grant."""

    steward: Ledger
    version_id: str
    request_id: str
    grant_id: str


@pytest.fixture
def shared(ledger_of: Any, gateway: LedgerGateway) -> Shared:
    steward, researcher = ledger_of(NORTHGATE, "steward"), ledger_of(RIVERSIDE, "researcher")
    people = pseudonyms(4)
    steward.consents.import_frame(consent_frame(people))
    import pandas as pd

    frame = pd.DataFrame({"pseudonym": people, "radius": [1.0, 2.0, 3.0, 4.0]})
    version = steward.datasets.register_frame(frame, name="cells", **TERMS)
    request = researcher.grants.request([version.version_id], purposes=[RESEARCH], duration=MONTH)
    grant = steward.grants.grant(
        request.request_id, versions=[version.version_id], purposes=[RESEARCH], duration=MONTH
    )
    gateway.memory.advance(timedelta(seconds=5))
    return Shared(steward, version.version_id, request.request_id, grant.grant_id)


def refused(make: Callable[[], Any]) -> str:
    with pytest.raises(ConsentryError) as caught:
        make()
    return caught.value.code


@contextmanager
def raising(code: str) -> Iterator[None]:
    with pytest.raises(ConsentryError) as caught:
        yield
    assert caught.value.code == code


def revocation(shared: Shared) -> Call:
    return call("grants:revoke", shared.grant_id)


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


def fields_of(action: Action) -> dict[str, Any]:
    return {name: getattr(action, name) for name in action.__dataclass_fields__}


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
    assert refused(lambda: checked_action(altered, officer, "consentry", "consentry", now, WORDS)) == code


def test_the_signer_signs_for_its_own_certificate(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    action = bench.desk.fetch(bench.offer(officer, revocation(shared)))
    colleague = bench.gateway.identity(NORTHGATE, "steward")
    check = partial(checked_action, channel="consentry", chaincode="consentry", words=WORDS)
    assert refused(lambda: check(action, colleague, now=bench.gateway.memory.time)) == "ACTION_OF_OTHER"


def test_another_call_than_the_action_s_is_not_relayed(bench: SigningBench, shared: Shared) -> None:
    """A signer gone wrong cannot use a code for something else."""
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    contract = shared.steward.contract
    for proposal in (
        contract.new_proposal("grants:revoke", identifier("grant", 7)),
        contract.new_proposal("grants:suspend", shared.grant_id),
        contract.new_proposal("grants:revoke", shared.grant_id, endorsing_organizations=[RIVERSIDE]),
        contract.new_proposal("grants:revoke", shared.grant_id, transient={"more": b"1"}),
    ):
        request = endorse_request(proposal, officer)
        with raising("ACTION_DIFFERS"):
            bench.relay.relay(pending, "endorse", request.SerializeToString())
    wrong = endorse_request(contract.new_proposal("grants:revoke", shared.grant_id), officer)
    wrong.proposed_transaction.signature = officer.sign(b"something else")
    with raising("ACTION_DIFFERS"):
        bench.relay.relay(pending, "endorse", wrong.SerializeToString())
    for step in ("endorse", "submit", "evaluate"):
        with raising("ACTION_DIFFERS"):
            bench.relay.relay(pending, step, b"\xff")


def endorse_request(proposal: Any, officer: WalletIdentity) -> Any:
    proposed = gateway_pb2.ProposedTransaction.FromString(proposal.to_bytes())
    proposed.proposal.signature = officer.sign(proposal.data)
    return gateway_pb2.EndorseRequest(
        transaction_id=proposal.transaction_id,
        channel_id="consentry",
        proposed_transaction=proposed.proposal,
        endorsing_organizations=proposal.endorsing_organizations,
    )


def test_an_altered_endorsement_is_not_signed(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    honest = bench.relay._transport.endorse

    def lie(request: Any, timeout: float) -> Any:
        response = honest(request, timeout)
        response.prepared_transaction.payload = response.prepared_transaction.payload.replace(
            shared.grant_id.encode(), identifier("grant", 7).encode()
        )
        return response

    bench.relay._transport = Altered(bench.gateway, endorse=lie)
    with pytest.raises(NetworkRefused) as caught:
        bench.sign(officer, pending.code)
    assert caught.value.code == "ENDORSEMENT_REJECTED"
    assert not pending.submitted
    assert pending.state == REFUSED
    assert shared.steward.grants.get(shared.grant_id).state == "active"


class Altered:
    """A transport some of whose calls are other ones."""

    def __init__(self, honest: Any, **calls: Any) -> None:
        self._honest = honest
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.get(name) or getattr(self._honest, name)


def prepared(bench: SigningBench, shared: Shared, pending: Pending) -> Any:
    """An endorsed transaction of an action, as its signer would submit it."""
    officer = shared.steward.identity
    proposal = shared.steward.contract.new_proposal("grants:revoke", shared.grant_id)
    request = endorse_request(proposal, officer)
    data = bench.relay.relay(pending, "endorse", request.SerializeToString())
    envelope = gateway_pb2.EndorseResponse.FromString(data).prepared_transaction
    envelope.signature = officer.sign(envelope.payload)
    return gateway_pb2.SubmitRequest(
        transaction_id=proposal.transaction_id, channel_id="consentry", prepared_transaction=envelope
    )


def test_two_signers_of_one_action_commit_it_once(bench: SigningBench, shared: Shared) -> None:
    pending = bench.offer(shared.steward.identity, revocation(shared))
    first, second = prepared(bench, shared, pending), prepared(bench, shared, pending)
    bench.relay.relay(pending, "submit", first.SerializeToString())
    assert pending.state == SUBMITTED
    with raising("ACTION_UNDER_WAY"):
        bench.relay.relay(pending, "submit", second.SerializeToString())
    with raising("ACTION_UNDER_WAY"):
        prepared(bench, shared, pending)
    bench.relay.note(pending, Outcome(first.transaction_id, 9, "VALID"))
    with raising("ACTION_DIFFERS"):
        bench.relay.relay(pending, "submit", second.SerializeToString())
    assert (pending.state, len(pending.outcomes)) == (COMMITTED, 1)


def test_a_submitted_transaction_is_submitted_once(bench: SigningBench, shared: Shared) -> None:
    pending = bench.offer(shared.steward.identity, revocation(shared))
    request = prepared(bench, shared, pending).SerializeToString()
    bench.relay.relay(pending, "submit", request)
    with raising("ACTION_UNDER_WAY"):
        bench.relay.relay(pending, "submit", request)
    assert not bench.desk.give_up(pending, at_signer=False)


def test_another_envelope_than_the_endorsed_one_is_not_relayed(bench: SigningBench, shared: Shared) -> None:
    pending = bench.offer(shared.steward.identity, revocation(shared))
    request = prepared(bench, shared, pending)
    request.prepared_transaction.payload += b"x"
    request.prepared_transaction.signature = shared.steward.identity.sign(
        request.prepared_transaction.payload
    )
    with raising("ACTION_DIFFERS"):
        bench.relay.relay(pending, "submit", request.SerializeToString())


def test_a_transaction_that_others_overtook_is_made_anew(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    later = bench.gateway.memory.time + timedelta(days=3)
    change = lambda: shared.steward.grants.change(shared.grant_id, not_after=later)  # noqa: E731
    bench.gateway.before_commit.append(change)
    assert bench.sign(officer, pending.code) == ["grants:revoke"]
    assert [outcome.code for outcome in pending.outcomes] == ["VALID"]
    assert shared.steward.grants.get(shared.grant_id).state == "revoked"


def test_the_ledger_s_refusal_ends_the_action(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    shared.steward.grants.revoke(shared.grant_id)
    pending = bench.offer(officer, revocation(shared))
    with pytest.raises(LedgerRefused) as caught:
        bench.sign(officer, pending.code)
    assert caught.value.code == "GRANT_ALREADY_REVOKED"
    assert pending.state == REFUSED
    assert pending.refusal is not None
    assert pending.refusal.code == "GRANT_ALREADY_REVOKED"


def test_who_may_not_do_it_is_refused_by_the_ledger(bench: SigningBench, shared: Shared) -> None:
    auditor = bench.gateway.identity(NORTHGATE, "auditor")
    pending = bench.offer(auditor, revocation(shared))
    assert refused(lambda: bench.sign(auditor, pending.code)) == "ROLE_REQUIRED"


def test_an_unclear_outcome_is_never_submitted_again(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    bench.gateway.failures["submit"] = [StatusFailure("UNAVAILABLE", "broke off")]
    bench.gateway.failures["commit_status"] = [StatusFailure("PERMISSION_DENIED", "no")]
    with pytest.raises(OutcomeUnknown):
        bench.sign(officer, pending.code)
    assert (pending.state, pending.is_unclear) == (SUBMITTED, True)
    with raising("ACTION_UNDER_WAY"):
        bench.sign(officer, pending.code)
    # What the ledger has decides, whoever reads it.
    bench.relay.note(pending, Outcome(pending.submitted, 12, "VALID"))
    assert (pending.state, pending.is_unclear) == (COMMITTED, False)


def test_a_transaction_that_never_left_can_be_made_again(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    bench.gateway.commit_failed_submits = False
    bench.gateway.failures["submit"] = [StatusFailure("RESOURCE_EXHAUSTED", "later")]
    with pytest.raises(NetworkRefused):
        bench.sign(officer, pending.code)
    assert pending.state == REFUSED
    assert not pending.submitted


def test_an_invalid_transaction_ends_the_action(bench: SigningBench, shared: Shared) -> None:
    pending = bench.offer(shared.steward.identity, revocation(shared))
    request = prepared(bench, shared, pending)
    bench.relay.relay(pending, "submit", request.SerializeToString())
    bench.relay.note(pending, Outcome(request.transaction_id, 9, "ENDORSEMENT_POLICY_FAILURE"))
    assert (pending.state, pending.action) == (INVALID, None)


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


def request_headers(
    officer: WalletIdentity, path: str, body: bytes, created: int, tag: str
) -> dict[str, str]:
    return signed_headers(officer, NORTHGATE, "POST", path, body, created, tag=tag)


def test_a_request_is_taken_once_and_for_this_service(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    body, created = json.dumps({"code": pending.code}).encode(), int(bench.now())
    headers = request_headers(officer, "/sign/action", body, created, WEB_SIGN)
    assert bench.post("action", body, headers).status_code == 200
    assert bench.post("action", body, headers).json()["code"] == "REQUEST_REPLAYED"
    other = request_headers(officer, "/sign/action", body, created, GATE)
    assert bench.post("action", body, other).json()["code"] == "SIGNATURE_INVALID"
    assert bench.post("action", body, {}).json()["code"] == "SIGNATURE_MISSING"
    elsewhere = request_headers(officer, "/sign/decline", body, created, WEB_SIGN)
    assert bench.post("action", body, elsewhere).json()["code"] == "SIGNATURE_INVALID"
    late = request_headers(officer, "/sign/action", body, created - 60, WEB_SIGN)
    assert bench.post("action", body, late).json()["code"] in ("REQUEST_TIME_REFUSED", "REQUEST_REPLAYED")


def test_a_request_that_is_altered_on_its_way_is_refused(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    bench.alter = lambda path, body: body + b" "
    with raising("REQUEST_ALTERED"):
        bench.sign(officer, pending.code)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"code": 1}', b'{"code": "A", "more": 1}', b"[" * 5000, b"\xff"]
)
def test_bodies_of_another_form_are_refused(bench: SigningBench, shared: Shared, body: bytes) -> None:
    headers = request_headers(shared.steward.identity, "/sign/action", body, int(bench.now()), WEB_SIGN)
    answer = bench.post("action", body, headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "MESSAGE_INVALID")


def test_a_failure_s_words_cross_the_wire(bench: SigningBench) -> None:
    failure = StatusFailure("ABORTED", "no", not_sent=True)
    read = wire.failure_of(wire.failure_document(failure))
    assert (read.code, read.message, read.details, read.not_sent) == ("ABORTED", "no", (), True)
    for broken in (None, {}, {"code": "A", "message": "b", "details": [1], "not_sent": False}):
        with pytest.raises(ActionRefused):
            wire.failure_of(broken)
    assert RequestRefused(401, "A", "b").status == 401
