"""The real contracts behind a gateway transport in memory: `fabric_testing`'s ledger for `consentry`'s tests.

Endorsement, policies, conflicts and private data are those of `fabric_protocol`; there is no socket. One
event loop in a thread of its own runs the contracts, as a peer would, for the threads of the client.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import events_pb2, proposal_response_pb2, transaction_pb2
from support.fake_gateway import FakeResponses, FakeStream

from consentry.ledger import Ledger
from consentry.profile import Endpoint, NetworkProfile, OrganizationProfile
from consentry.wallet import WalletIdentity
from consentry_contracts import contracts
from consentry_records import OrganizationSetting, Settings
from fabric_gateway import Gateway, Timeouts
from fabric_gateway.errors import ErrorDetail
from fabric_gateway.failures import StatusFailure
from fabric_protocol.certificates import certificate_pem, key_pem
from fabric_protocol.proposals import parse_proposal
from fabric_protocol.topology import CollectionDefinition
from fabric_shim import ContractError
from fabric_testing import EndorsementError
from fabric_testing import Ledger as MemoryLedger
from fabric_testing.organizations import Signatory
from fabric_testing.results import EndorsedTransaction

_Result = TypeVar("_Result")
HOSPITALS = ("NorthgateMSP", "RiversideMSP", "LakesideMSP")
REGULATOR = "RegulatorMSP"
NAMES = {"NorthgateMSP": "northgate", "RiversideMSP": "riverside", "LakesideMSP": "lakeside"}
TOLERANCE_MS = 2_000


class LedgerGateway:
    """A transport over an in-memory ledger that runs the contracts.

    `failures[step]` is raised by the next calls of a step, in order; a failed submit is committed all the
    same if `commit_failed_submits` is set. `calls` has (step, function) of every call.
    """

    def __init__(self) -> None:
        self.memory = MemoryLedger(
            contracts(),
            [*HOSPITALS, REGULATOR],
            collections=[_collection(msp_id) for msp_id in HOSPITALS],
            chaincode="consentry",
            channel="consentry",
        )
        self.failures: dict[str, list[StatusFailure]] = {}
        self.commit_failed_submits = True
        self.calls: list[tuple[str, str]] = []
        self.endorsers: dict[str, tuple[str, ...]] = {}
        self.before_commit: list[Any] = []
        self.changed = threading.Condition()
        self.broken = 0
        self.events: list[tuple[int, str, str, bytes]] = []
        self.statuses: dict[str, tuple[int, int]] = {}
        self._signatories: dict[bytes, Signatory] = {}
        self._endorsed: dict[str, EndorsedTransaction] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="peers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the event loop's thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def identity(self, msp_id: str, *roles: str, name: str | None = None) -> WalletIdentity:
        """Enrol somebody with roles."""
        attributes = {"consentry.role": ",".join(roles)}
        signatory = self.memory.caller(msp_id, attributes=attributes, common_name=name)
        self._signatories[signatory.serialized] = signatory
        certificate = certificate_pem(signatory.identity.certificate)
        return WalletIdentity(msp_id, certificate, key_pem(signatory.private_key))

    def ledger(
        self, identity: WalletIdentity, directory: Path, *, timeouts: Timeouts | None = None
    ) -> Ledger:
        """Connect an identity; its register is kept below `directory`."""
        clock = self._clock
        gateway = Gateway(
            self, identity=identity.serialized, signer=identity.signer, clock=clock, timeouts=timeouts
        )
        return Ledger(_profile(directory), identity, gateway, clock=clock)

    def initialize(self, directory: Path) -> None:
        """Let a regulator write the settings."""
        organizations = [OrganizationSetting(msp_id=msp_id, kind="hospital") for msp_id in HOSPITALS]
        organizations.append(OrganizationSetting(msp_id=REGULATOR, kind="regulator"))
        settings = Settings(organizations=tuple(organizations), time_tolerance_ms=TOLERANCE_MS)
        self.ledger(self.identity(REGULATOR, "regulator"), directory).initialize(settings)

    def evaluate(self, request: Any, timeout: float) -> Any:
        """Run a function on the peer of the caller's organization."""
        proposal, signature, caller = self._open("evaluate", request)
        endorsing = self.memory._endorsing
        execution = self._run(endorsing.execute(caller.msp_id, proposal, signature), "UNKNOWN")
        response = proposal_response_pb2.Response(status=200, payload=execution.payload)
        return gateway_pb2.EvaluateResponse(result=response)

    def start(self, method: str, request: Any, timeout: float, answered: Callable[[Any], None]) -> None:
        """Make a call and hand its outcome over at once."""
        try:
            outcome = getattr(self, method)(request, timeout)
        except StatusFailure as failure:
            outcome = failure
        answered(outcome)

    def endorse(self, request: Any, timeout: float) -> Any:
        """Run a function on as many peers as the policies want, or on those named."""
        proposal, signature, caller = self._open("endorse", request)
        endorsers = tuple(request.endorsing_organizations) or None
        endorsed = self._run(
            self.memory._endorsing.transaction(proposal, signature, caller, endorsers), "ABORTED"
        )
        self.endorsers[proposal.arguments[0].decode()] = endorsed.endorsers
        self._endorsed[endorsed.transaction_id] = endorsed
        payload = common_pb2.Envelope.FromString(endorsed.envelope).payload
        return gateway_pb2.EndorseResponse(prepared_transaction=common_pb2.Envelope(payload=payload))

    def submit(self, request: Any, timeout: float) -> Any:
        """Commit the transaction in a block of its own."""
        self.calls.append(("submit", ""))
        if self.before_commit:
            self.before_commit.pop(0)()
        failure = self._next_failure("submit")
        if failure is None or self.commit_failed_submits:
            self._run(self._commit(request.transaction_id), "ABORTED")
        if failure is not None:
            raise failure
        return gateway_pb2.SubmitResponse()

    def commit_status(self, request: Any, timeout: float) -> Any:
        """The validation code of a committed transaction."""
        self._fail("commit_status")
        inner = gateway_pb2.CommitStatusRequest.FromString(request.request)
        if inner.transaction_id not in self.statuses:
            raise StatusFailure("DEADLINE_EXCEEDED", "context deadline exceeded")
        code, block = self.statuses[inner.transaction_id]
        return gateway_pb2.CommitStatusResponse(result=code, block_number=block)

    def chaincode_events(self, request: Any) -> FakeStream:
        """Events from the asked block on, then new ones until cancelled."""
        self._fail("chaincode_events")
        inner = gateway_pb2.ChaincodeEventsRequest.FromString(request.request)
        start = inner.start_position.specified.number if inner.HasField("start_position") else 2**62
        return FakeStream(self, start, inner.chaincode_id)

    def deliver(self, envelope: Any) -> FakeResponses:
        """All blocks."""
        responses = [events_pb2.DeliverResponse(block=block) for block in self.memory.blocks]
        return FakeResponses([response.SerializeToString() for response in responses])

    def close(self) -> None:
        """Keep the ledger: other callers use it."""

    def break_streams(self) -> None:
        """Let every open stream end with UNAVAILABLE."""
        with self.changed:
            self.broken += 1
            self.changed.notify_all()

    async def _commit(self, transaction_id: str) -> None:
        (result,) = self.memory.commit([self._endorsed.pop(transaction_id)])
        number = result.block_number or 0
        with self.changed:
            self.statuses[transaction_id] = (transaction_pb2.TxValidationCode.Value(result.code), number)
            if result.event is not None and result.code == "VALID":
                self.events.append((number, transaction_id, result.event.name, result.event.payload))
            self.changed.notify_all()

    def _open(self, step: str, request: Any) -> tuple[Any, bytes, Signatory]:
        signed = request.proposed_transaction
        proposal = parse_proposal(signed.proposal_bytes)
        self.calls.append((step, proposal.arguments[0].decode()))
        self._fail(step)
        return proposal, signed.signature, self._signatories[proposal.creator]

    def _run(self, work: Coroutine[Any, Any, _Result], code: str) -> _Result:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)
        except ContractError as error:
            text = f"chaincode response {error.status}, {error.to_wire()}"
            raise StatusFailure(code, "failed, see details", (ErrorDetail("p:1", "MSP", text),)) from error
        except EndorsementError as error:
            if error.code == "ENDORSEMENTS_DIFFER":
                detail = ErrorDetail("p:1", "MSP", "ProposalResponsePayloads do not match")
                raise StatusFailure("ABORTED", "failed to collect enough endorsements", (detail,)) from error
            raise StatusFailure("FAILED_PRECONDITION", error.message) from error

    def _clock(self) -> Any:
        return self.memory.time

    def _fail(self, step: str) -> None:
        failure = self._next_failure(step)
        if failure is not None:
            raise failure

    def _next_failure(self, step: str) -> StatusFailure | None:
        waiting = self.failures.get(step)
        return waiting.pop(0) if waiting else None


@contextmanager
def running_gateway(directory: Path) -> Iterator[LedgerGateway]:
    """A gateway with settings written; stopped on leaving."""
    gateway = LedgerGateway()
    try:
        gateway.initialize(directory)
        yield gateway
    finally:
        gateway.stop()


def _collection(msp_id: str) -> CollectionDefinition:
    return CollectionDefinition(
        name=f"custodian-{msp_id}",
        members=f"OR('{msp_id}.member')",
        member_only_read=True,
        member_only_write=True,
        endorsement=f"OR('{msp_id}.peer')",
    )


def _profile(directory: Path) -> NetworkProfile:
    endpoint = Endpoint("peer.example:7051", directory / "tls.pem", "peer.example")
    organizations = {
        msp_id: OrganizationProfile(msp_id, NAMES.get(msp_id, "regulator"), "hospital", (endpoint,), None)
        for msp_id in (*HOSPITALS, REGULATOR)
    }
    return NetworkProfile(
        directory, "embedded", "consentry", "consentry", MappingProxyType(organizations), (endpoint,)
    )
