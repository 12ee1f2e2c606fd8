"""What a server passes on of an action: its own steps, each once, whatever happens on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fabric_protos.gateway import gateway_pb2
from support.gate_bench import NORTHGATE, RIVERSIDE
from support.ledger_examples import identifier
from support.signing_bench import (
    Altered,
    Shared,
    SigningBench,
    endorse_request,
    raising,
    revocation,
)

from consentry.errors import LedgerRefused, NetworkRefused, OutcomeUnknown
from consentry.web.signing.pending import (
    COMMITTED,
    INVALID,
    REFUSED,
    SUBMITTED,
    Outcome,
    Pending,
)
from fabric_gateway.failures import StatusFailure


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
    misnamed = endorse_request(contract.new_proposal("grants:revoke", shared.grant_id), officer)
    misnamed.transaction_id = "0" * 64
    with raising("ACTION_DIFFERS"):
        bench.relay.relay(pending, "endorse", misnamed.SerializeToString())
    status = gateway_pb2.SignedCommitStatusRequest(request=b"\xff")
    with raising("ACTION_DIFFERS"):
        bench.relay.relay(pending, "commit_status", status.SerializeToString())
    for step in ("endorse", "submit", "evaluate"):
        with raising("ACTION_DIFFERS"):
            bench.relay.relay(pending, step, b"\xff")


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
    with raising("ROLE_REQUIRED"):
        bench.sign(auditor, pending.code)


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
