"""One organization's peer: it runs chaincode over the real protocol and endorses the result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_pb2, proposal_response_pb2

from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.definitions import Definition
from fabric_protocol.errors import ProtocolError, SimulationError
from fabric_protocol.memory_state import MemoryPrivateState, MemoryState
from fabric_protocol.proposals import Proposal
from fabric_protocol.simulation import SimulationResults, Simulator
from fabric_shim import Chaincode, Conversation, Limits, Router
from fabric_testing.history import History
from fabric_testing.private_access import PrivateAccess
from fabric_testing.recording import RecordedMessage, begin_all
from fabric_testing.requests import Requests
from fabric_testing.results import Event
from fabric_testing.stream import MemoryStream

Message: Final = chaincode_shim_pb2.ChaincodeMessage
_MOST_RECORDS: Final = 1000


@dataclass(frozen=True)
class Execution:
    """What one run of a proposal gave."""

    status: int
    message: str
    payload: bytes
    event: Event | None
    results: SimulationResults
    definition: Definition


class TestPeer:
    """Runs proposals on committed state.

    Args:
        state: the channel's committed state.
        private: what this organization holds itself.
        history: the channel's committed changes.
        config: the channel's configuration.
        clock: this peer's chaincode service's clock, in seconds since 1970.
        batching: whether it takes batched writes and multi-key reads, as peers do from 3.1 on.
    """

    __test__ = False

    def __init__(
        self,
        state: MemoryState,
        private: MemoryPrivateState,
        *,
        history: History,
        config: ChannelConfig,
        clock: Callable[[], float],
        batching: bool,
    ) -> None:
        self.private = private
        self.chaincodes: dict[str, Router] = {}
        self._state = state
        self._history = history
        self._config = config
        self._clock = clock
        self._batching = batching

    async def execute(self, proposal: Proposal, signature: bytes) -> Execution:
        """Simulate a proposal.

        Raises:
            SimulationError: the chaincode is not there, or must be initialized first.
        """
        simulator = Simulator(
            self._state,
            self.private,
            transaction_id=proposal.transaction_id,
            msp_ids=self._config.msps.msp_ids,
        )
        run = _Run(self, simulator, proposal, signature)
        definition = simulator.use_chaincode(proposal.chaincode)
        if definition is None:
            raise SimulationError("CHAINCODE_NOT_FOUND", f"chaincode {proposal.chaincode} not found")
        simulator.check_initialization(definition, is_init=proposal.is_init)
        answer = await run.call(definition, proposal.arguments)
        response = proposal_response_pb2.Response.FromString(answer.payload)
        event = None
        if answer.HasField("chaincode_event") and response.status < 400:
            event = Event(answer.chaincode_event.event_name, answer.chaincode_event.payload)
        return Execution(
            response.status, response.message, response.payload, event, simulator.results(), definition
        )

    def requests(self, run: _Run, definition: Definition) -> Requests:
        """Answers to the requests of one run of one chaincode."""
        creator = self._config.msps.deserialize(run.proposal.creator)
        return Requests(
            run.simulator,
            definition,
            access=PrivateAccess(creator, self._config),
            history=self._history.of,
            invoke=run.invoke,
        )

    def ready(self) -> Any:
        """The message that ends a handshake, with what this peer can do."""
        offer = chaincode_pb2.ChaincodeAdditionalParams(
            use_write_batch=self._batching,
            max_size_write_batch=_MOST_RECORDS,
            use_get_multiple_keys=self._batching,
            max_size_get_multiple_keys=_MOST_RECORDS,
        )
        return Message(type=Message.READY, payload=offer.SerializeToString())

    def records(self, name: str) -> list[list[RecordedMessage]]:
        """Where the messages of a run of one chaincode go, if a test records."""
        return begin_all(self.chaincodes[name].contracts, self._clock())

    def conversation(self, stream: MemoryStream, chaincode: Chaincode) -> Conversation:
        """The chaincode's side of a stream to this peer."""
        return Conversation(stream, chaincode, package_id="test:0", limits=Limits(), clock=self._clock)


class _Run:
    """One proposal's simulation, over the chaincodes that it calls."""

    def __init__(self, peer: TestPeer, simulator: Simulator, proposal: Proposal, signature: bytes) -> None:
        self.simulator = simulator
        self.proposal = proposal
        self._peer = peer
        self._signature = signature
        self._active: set[str] = set()

    async def call(self, definition: Definition, arguments: Sequence[bytes]) -> Any:
        """Run one chaincode; its ``COMPLETED``."""
        name = definition.name
        self._active.add(name)
        stream = MemoryStream(self._peer.records(name))
        conversation = self._peer.conversation(stream, self._peer.chaincodes[name])
        task = asyncio.create_task(conversation.run())
        try:
            await stream.hear()
            stream.say(Message(type=Message.REGISTERED))
            stream.say(self._peer.ready())
            stream.say(self._transaction(arguments))
            return await self._serve(stream, self._peer.requests(self, definition))
        finally:
            stream.hang_up()
            await task
            self._active.discard(name)

    async def _serve(self, stream: MemoryStream, requests: Requests) -> Any:
        while True:
            message = await stream.hear()
            if message.type == Message.COMPLETED:
                return message
            fields: Mapping[str, str] = {"txid": message.txid, "channel_id": message.channel_id}
            try:
                payload = await requests.answer(message.type, message.payload)
                stream.say(Message(type=Message.RESPONSE, payload=payload, **fields))
            except ProtocolError as error:
                name = Message.Type.Name(message.type)
                text = f"{name} failed: transaction ID: {message.txid}: {error}"
                stream.say(Message(type=Message.ERROR, payload=text.encode(), **fields))

    async def invoke(self, name: str, arguments: Sequence[bytes]) -> bytes:
        """Run a callee in this simulation; its ``M(ChaincodeMessage)`` without event."""
        callee, _, channel = name.partition("/")
        if channel and channel != self.proposal.channel_id:
            raise SimulationError("CHANNEL_NOT_FOUND", f"this ledger has no channel {channel!r}")
        if callee in self._active:
            raise SimulationError(
                "CHAINCODE_ACTIVE", f"txid: {self.proposal.transaction_id}({self.proposal.channel_id}) exists"
            )
        definition = self.simulator.use_chaincode(callee)
        if definition is None:
            raise SimulationError("CHAINCODE_NOT_FOUND", f"execute failed: chaincode {callee} not found")
        answer = await self.call(definition, arguments)
        answer.ClearField("chaincode_event")
        return bytes(answer.SerializeToString())

    def _transaction(self, arguments: Sequence[bytes]) -> Any:
        return Message(
            type=Message.TRANSACTION,
            txid=self.proposal.transaction_id,
            channel_id=self.proposal.channel_id,
            payload=chaincode_pb2.ChaincodeInput(
                args=arguments, is_init=self.proposal.is_init
            ).SerializeToString(),
            proposal=proposal_pb2.SignedProposal(
                proposal_bytes=self.proposal.data, signature=self._signature
            ),
        )
