"""A gateway in memory: the transport of `fabric_gateway` answered by a Python function; no socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import chaincode_event_pb2, proposal_response_pb2
from support.sample_organizations import Member, SampleOrganization

from fabric_gateway import Gateway
from fabric_gateway.errors import ErrorDetail
from fabric_gateway.failures import StatusFailure
from fabric_protocol.endorsements import assemble_transaction, endorse, event_bytes, response_payload
from fabric_protocol.identities import Identity, parse_identity
from fabric_protocol.proposals import parse_proposal, proposal_hash
from fabric_protocol.signatures import key_signer, verify

CHANNEL = "channel"
CHAINCODE = "basic"
VALID = 0


@dataclass(frozen=True)
class Call:
    """One invocation as the chaincode sees it."""

    function: str
    arguments: tuple[bytes, ...]
    transient: Mapping[str, bytes]
    caller: Identity
    proposal_time: datetime
    transaction_id: str


class ChaincodeRefusal(Exception):
    """A function's refusal: status and message of its response."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


Handler = Callable[[Call], "bytes | tuple[bytes, str, bytes]"]
"""Answers a call with its result, or with (result, event name, event payload)."""


@dataclass
class FakeGateway:
    """A transport whose peers run `handler`; faults are scripted by its fields.

    `failures[step]` is raised by the next calls of a step, in order; `commit_codes` are the next validation
    codes; `tamper` changes the endorsed payload; `submitted` has the envelopes.
    """

    handler: Handler
    organizations: tuple[SampleOrganization, ...] = ()
    failures: dict[str, list[StatusFailure]] = field(default_factory=dict)
    commit_codes: list[int] = field(default_factory=list)
    tamper: Callable[[bytes], bytes] = bytes
    keep_unknown_outcomes: bool = True

    def __post_init__(self) -> None:
        self.organizations = self.organizations or (SampleOrganization("AMSP"), SampleOrganization("BMSP"))
        self.peers = {organization.msp_id: organization.member("peer") for organization in self.organizations}
        self.client = self.organizations[0].member("client")
        self.calls: list[tuple[str, Call]] = []
        self.requests: list[Any] = []
        self.submitted: list[common_pb2.Envelope] = []
        self.statuses: dict[str, tuple[int, int]] = {}
        self.events: list[tuple[int, str, str, bytes]] = []
        self.blocks: list[bytes] = []
        self.closed = False
        self._pending: dict[str, tuple[str, bytes] | None] = {}
        self.changed = threading.Condition()
        self.broken = 0

    def gateway(self, member: Member | None = None, **options: Any) -> Gateway:
        """A caller's gateway over this transport."""
        member = member or self.client
        return Gateway(self, identity=member.serialized, signer=key_signer(member.key), **options)

    def evaluate(self, request: Any, timeout: float) -> Any:
        """Run the handler; nothing is kept."""
        self._fail("evaluate", request)
        call, _ = self._open("evaluate", request)
        result, _, _ = self._run(call, "UNKNOWN", "evaluate call to endorser returned error: ")
        return gateway_pb2.EvaluateResponse(result=proposal_response_pb2.Response(status=200, payload=result))

    def start(self, method: str, request: Any, timeout: float, answered: Callable[[Any], None]) -> None:
        """Make a call and hand its outcome over at once."""
        try:
            outcome = getattr(self, method)(request, timeout)
        except StatusFailure as failure:
            outcome = failure
        answered(outcome)

    def endorse(self, request: Any, timeout: float) -> Any:
        """Run the handler and endorse its result, with the organizations asked for or with all."""
        self._fail("endorse", request)
        call, proposal = self._open("endorse", request)
        result, name, event = self._run(call, "ABORTED", "")
        payload = response_payload(
            proposal_hash=proposal_hash(proposal.data),
            results=b"writes",
            event=(
                event_bytes(
                    chaincode=proposal.chaincode,
                    transaction_id=proposal.transaction_id,
                    name=name,
                    payload=event,
                )
                if name
                else b""
            ),
            response=proposal_response_pb2.Response(status=200, payload=result),
            chaincode=proposal.chaincode,
            version="1.0",
        )
        peers = [self.peers[msp] for msp in request.endorsing_organizations or self.peers]
        endorsements = [endorse(payload, key_signer(peer.key), peer.serialized) for peer in peers]
        self._pending[proposal.transaction_id] = (name, event) if name else None
        assembled = self.tamper(assemble_transaction(proposal.data, payload, endorsements))
        return gateway_pb2.EndorseResponse(prepared_transaction=common_pb2.Envelope(payload=assembled))

    def submit(self, request: Any, timeout: float) -> Any:
        """Order and commit at once, with the next scripted validation code."""
        failure = self._next_failure("submit")
        if failure is None or self.keep_unknown_outcomes:
            self._commit(request)
        self.requests.append(request)
        if failure is not None:
            raise failure
        return gateway_pb2.SubmitResponse()

    def commit_status(self, request: Any, timeout: float) -> Any:
        """The status of a committed transaction."""
        self._fail("commit_status", request)
        inner = gateway_pb2.CommitStatusRequest.FromString(request.request)
        self._verify(inner.identity, request.signature, request.request)
        if inner.transaction_id not in self.statuses:
            raise StatusFailure("DEADLINE_EXCEEDED", "context deadline exceeded")
        code, block = self.statuses[inner.transaction_id]
        return gateway_pb2.CommitStatusResponse(result=code, block_number=block)

    def chaincode_events(self, request: Any) -> FakeStream:
        """Events from the asked block on; then wait for more until cancelled."""
        self._fail("chaincode_events", request)
        inner = gateway_pb2.ChaincodeEventsRequest.FromString(request.request)
        self._verify(inner.identity, request.signature, request.request)
        start = (
            inner.start_position.specified.number
            if inner.HasField("start_position")
            else len(self.submitted) + 1
        )
        return FakeStream(self, start, inner.chaincode_id, inner.after_transaction_id)

    def deliver(self, envelope: Any) -> Iterator[bytes]:
        """The scripted responses."""
        self._fail("deliver", envelope)
        return FakeResponses(list(self.blocks))

    def deliver_filtered(self, envelope: Any) -> Iterator[bytes]:
        """The scripted responses."""
        return self.deliver(envelope)

    def deliver_with_private_data(self, envelope: Any) -> Iterator[bytes]:
        """The scripted responses."""
        return self.deliver(envelope)

    def close(self) -> None:
        """Note that the transport was closed."""
        self.closed = True

    def break_streams(self) -> None:
        """Let every open stream end with UNAVAILABLE."""
        with self.changed:
            self.broken += 1
            self.changed.notify_all()

    def _run(self, call: Call, code: str, prefix: str) -> tuple[bytes, str, bytes]:
        try:
            answer = self.handler(call)
        except ChaincodeRefusal as refusal:
            text = f"{prefix}chaincode response {refusal.status}, {refusal.message}"
            detail = ErrorDetail("peer:7051", self.organizations[0].msp_id, text)
            raise StatusFailure(code, "failed, see attached details for more info", (detail,)) from refusal
        return answer if isinstance(answer, tuple) else (answer, "", b"")

    def _open(self, step: str, request: Any) -> tuple[Call, Any]:
        signed = request.proposed_transaction
        proposal = parse_proposal(signed.proposal_bytes)
        self._verify(proposal.creator, signed.signature, signed.proposal_bytes)
        assert (request.transaction_id, request.channel_id) == (proposal.transaction_id, proposal.channel_id)
        call = Call(
            function=proposal.arguments[0].decode(),
            arguments=proposal.arguments[1:],
            transient=proposal.transient,
            caller=parse_identity(proposal.creator),
            proposal_time=proposal.timestamp,
            transaction_id=proposal.transaction_id,
        )
        self.calls.append((step, call))
        return call, proposal

    def _commit(self, request: Any) -> None:
        with self.changed:
            envelope = request.prepared_transaction
            self.submitted.append(envelope)
            block = len(self.submitted)
            code = self.commit_codes.pop(0) if self.commit_codes else VALID
            self.statuses[request.transaction_id] = (code, block)
            event = self._pending.pop(request.transaction_id, None)
            if event is not None and code == VALID:
                self.events.append((block, request.transaction_id, *event))
            self.changed.notify_all()

    def _fail(self, step: str, request: Any) -> None:
        self.requests.append(request)
        failure = self._next_failure(step)
        if failure is not None:
            raise failure

    def _next_failure(self, step: str) -> StatusFailure | None:
        waiting = self.failures.get(step)
        return waiting.pop(0) if waiting else None

    @staticmethod
    def _verify(identity: bytes, signature: bytes, message: bytes) -> None:
        verify(parse_identity(identity).public_key, signature, message)


class FakeResponses:
    """A finite stream."""

    def __init__(self, responses: list[bytes]) -> None:
        self._responses = responses
        self.cancelled = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._responses)

    def cancel(self) -> None:
        self.cancelled = True


class FakeStream:
    """A live stream of a fake gateway's events."""

    def __init__(self, gateway: FakeGateway, start: int, chaincode: str, after: str = "") -> None:
        self._gateway = gateway
        self._after = after
        self._start = start
        self._chaincode = chaincode
        self._cancelled = False
        self._broken = gateway.broken

    def __iter__(self) -> Iterator[Any]:
        position = 0
        while True:
            with self._gateway.changed:
                self._gateway.changed.wait_for(lambda at=position: self._ready(at))
                if self._cancelled:
                    return
                if self._gateway.broken != self._broken:
                    raise StatusFailure("UNAVAILABLE", "the connection broke off")
                event = self._gateway.events[position]
            position += 1
            if event[0] < self._start:
                continue
            if self._after:
                # As Fabric: silent until that transaction's event has passed.
                self._after = "" if event[1] == self._after else self._after
                continue
            yield self._response(*event)

    def cancel(self) -> None:
        with self._gateway.changed:
            self._cancelled = True
            self._gateway.changed.notify_all()

    def _ready(self, position: int) -> bool:
        broken = self._gateway.broken != self._broken
        return self._cancelled or broken or position < len(self._gateway.events)

    def _response(self, block: int, transaction_id: str, name: str, payload: bytes) -> Any:
        event = chaincode_event_pb2.ChaincodeEvent(
            chaincode_id=self._chaincode, tx_id=transaction_id, event_name=name, payload=payload
        )
        return gateway_pb2.ChaincodeEventsResponse(events=[event], block_number=block)
