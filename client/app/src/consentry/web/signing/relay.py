"""Steps that an officer signed, passed on to the own peer: only those of his action, each once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2
from google.protobuf.message import DecodeError

from consentry.transactions import CONFLICTS, translated
from consentry.web.actions import ActionRefused, Call, proposed_call
from consentry.web.signing.pending import COMMITTED, ENDORSED, INVALID, REFUSED, SUBMITTED, Outcome, Pending
from fabric_gateway.commit import checked_status
from fabric_gateway.errors import CommitStatusError, EndorseError, SubmitError
from fabric_gateway.failures import StatusFailure
from fabric_gateway.timeouts import Timeouts
from fabric_gateway.transaction import DEFINITE_REFUSALS
from fabric_gateway.transport import Transport
from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import parse_identity
from fabric_protocol.proposals import parse_proposal
from fabric_protocol.signatures import verify

REQUESTS = {
    "endorse": gateway_pb2.EndorseRequest,
    "submit": gateway_pb2.SubmitRequest,
    "commit_status": gateway_pb2.SignedCommitStatusRequest,
}
"""The steps that are relayed, and their messages."""


class Relay:
    """Passes the steps of actions on.

    Args:
        transport: to the own organization's peers.
        committed: called with an action once it is on the ledger.
        before: called with a call before it is submitted; what it raises keeps it from that.
        timeouts: of the steps.
    """

    def __init__(
        self,
        transport: Transport,
        committed: Callable[[Pending], None],
        before: Callable[[Call], None] = lambda _call: None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._transport = transport
        self._before = before
        self._committed = committed
        self._timeouts = timeouts or Timeouts()

    def relay(self, pending: Pending, step: str, data: bytes) -> bytes:
        """Pass one step on and return the peer's answer.

        Raises:
            ActionRefused: ACTION_DIFFERS, it is no step of this action; ACTION_ENDED.
            StatusFailure: the peer's or gateway's refusal.
        """
        try:
            request = REQUESTS[step].FromString(data)
        except (DecodeError, KeyError) as error:
            raise _differs() from error
        handle = {"endorse": self._endorse, "submit": self._submit, "commit_status": self._commit_status}
        return bytes(handle[step](pending, request).SerializeToString(deterministic=True))

    def _endorse(self, pending: Pending, request: Any) -> Any:
        with pending.lock:
            action = pending.action
            if action is None:
                raise ActionRefused("ACTION_ENDED", f"the action is {pending.state}; nothing more is signed")
            if pending.submitted:
                raise ActionRefused("ACTION_UNDER_WAY", "a transaction of this action is under way already")
            signed = request.proposed_transaction
            call = proposed_call(action, signed.proposal_bytes, tuple(request.endorsing_organizations))
            step = pending.step
            transaction_id = parse_proposal(signed.proposal_bytes).transaction_id
            named = (request.channel_id, request.transaction_id)
            if call != action.calls[step] or named != (action.channel, transaction_id):
                raise _differs()
            _check_signature(pending.serialized, signed.signature, signed.proposal_bytes)
        try:
            response = self._transport.endorse(request, self._timeouts.endorse)
        except StatusFailure as failure:
            with pending.lock:
                pending.refusal = translated(failure.as_error(EndorseError))
            raise
        with pending.lock:
            if pending.action is None or pending.step != step or pending.submitted:
                raise ActionRefused("ACTION_UNDER_WAY", "another transaction of this action came first")
            pending.endorsed[request.transaction_id] = response.prepared_transaction.payload
            pending.state, pending.refusal = ENDORSED, None
        return response

    def _submit(self, pending: Pending, request: Any) -> Any:
        envelope, transaction_id = request.prepared_transaction, request.transaction_id
        with pending.lock:
            if pending.submitted:
                raise ActionRefused("ACTION_UNDER_WAY", "a transaction of this action is under way already")
            payload = pending.endorsed.get(transaction_id)
            if payload is None or payload != envelope.payload or pending.action is None:
                raise _differs()
            _check_signature(pending.serialized, envelope.signature, envelope.payload)
            self._before(pending.action.calls[pending.step])
            del pending.endorsed[transaction_id]
            # Noted before it is sent: from here on no second one is, until this one's fate is known.
            pending.submitted, pending.state = transaction_id, SUBMITTED
        try:
            return self._transport.submit(request, self._timeouts.submit)
        except StatusFailure as failure:
            with pending.lock:
                if failure.code in DEFINITE_REFUSALS or failure.not_sent:
                    pending.submitted, pending.state = "", ENDORSED
                    pending.refusal = translated(failure.as_error(SubmitError))
                else:
                    pending.is_unclear = True
            raise

    def _commit_status(self, pending: Pending, request: Any) -> Any:
        try:
            inner = gateway_pb2.CommitStatusRequest.FromString(request.request)
        except DecodeError as error:
            raise _differs() from error
        with pending.lock:
            if not pending.submitted or inner.transaction_id != pending.submitted:
                raise _differs()
            if inner.identity != pending.serialized:
                raise _differs()
        try:
            response = self._transport.commit_status(request, self._timeouts.commit_status)
            status = checked_status(inner.transaction_id, response)
        except (StatusFailure, CommitStatusError):
            with pending.lock:
                pending.is_unclear = True
            raise
        self.note(pending, Outcome(status.transaction_id, status.block_number, status.name))
        return response

    def note(self, pending: Pending, outcome: Outcome) -> None:
        """What the ledger has of an action, each transaction once."""
        with pending.lock:
            if pending.submitted == outcome.transaction_id:
                self._note(pending, outcome)

    def _note(self, pending: Pending, outcome: Outcome) -> None:
        pending.submitted, pending.is_unclear = "", False
        if outcome.code in CONFLICTS:
            # It had no effect; the signer makes the same call anew.
            pending.state = ENDORSED
            return
        pending.outcomes.append(outcome)
        if outcome.code != transaction_pb2.TxValidationCode.Name(transaction_pb2.TxValidationCode.VALID):
            pending.end(INVALID)
            return
        pending.step += 1
        # What else was endorsed is of a step that is done.
        pending.endorsed.clear()
        pending.transaction_file = ""
        assert pending.action is not None  # noqa: S101 - it has not ended
        if pending.step == len(pending.action.calls):
            try:
                self._committed(pending)
            finally:
                pending.end(COMMITTED)


def give_up_refused(pending: Pending) -> None:
    """The signer says that the network's refusal is final; raises ActionRefused if one is under way."""
    with pending.lock:
        if pending.submitted:
            raise ActionRefused("ACTION_UNDER_WAY", "a transaction of this action is under way already")
        if not pending.has_ended:
            pending.end(REFUSED)


def _check_signature(serialized: bytes, signature: bytes, message: bytes) -> None:
    try:
        verify(parse_identity(serialized).public_key, signature, message)
    except ProtocolError as error:
        raise _differs() from error


def _differs() -> ActionRefused:
    return ActionRefused("ACTION_DIFFERS", "this is no step of the action that was shown; nothing was sent")
