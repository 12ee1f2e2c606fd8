"""The peer's end of a chaincode stream for tests of the shim: a dictionary and a script."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_pb2, proposal_response_pb2

from fabric_shim import Chaincode, Conversation, Limits, Outcome

Message = chaincode_shim_pb2.ChaincodeMessage
PROPOSAL_TIME = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)
CHANNEL = "channel"
DEADLINE = 60


class QueueStream:
    """Both ends of a stream as two queues; implements ``fabric_shim.Stream`` for the chaincode's end."""

    def __init__(self) -> None:
        self.to_chaincode: asyncio.Queue[Any] = asyncio.Queue()
        self.to_peer: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(self) -> Any | None:
        message = await self.to_chaincode.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def send(self, messages: Sequence[Any]) -> None:
        # Copies, as a wire would make them.
        for message in messages:
            self.to_peer.put_nowait(Message.FromString(message.SerializeToString()))


class FunctionChaincode:
    """A chaincode of one function of a stub; what it returns is the payload."""

    def __init__(self, function: Callable[[Any], Awaitable[bytes]]) -> None:
        self._function = function

    async def invoke(self, stub: Any) -> Outcome:
        return Outcome(200, "", await self._function(stub))


class ScriptedPeer:
    """Answers requests from a dictionary ``{(collection, key): value}`` and keeps every message in ``seen``.

    ``refuse`` maps message types, or (type, key), to the error text that they are answered with.
    """

    def __init__(self, stream: QueueStream) -> None:
        self.stream = stream
        self.state: dict[tuple[str, str], bytes] = {}
        self.seen: list[Any] = []
        self.refuse: dict[Any, str] = {}
        self.answers: dict[int, list[bytes]] = {}
        self.silent: set[int] = set()

    def say(self, message_type: int, **fields: Any) -> None:
        self.stream.to_chaincode.put_nowait(Message(type=message_type, **fields))

    async def hear(self) -> Any:
        message = await asyncio.wait_for(self.stream.to_peer.get(), DEADLINE)
        self.seen.append(message)
        return message

    async def handshake(self, *, batch: int = 1000, multiple: int = 1000) -> Any:
        registration = await self.hear()
        self.say(Message.REGISTERED)
        offer = chaincode_pb2.ChaincodeAdditionalParams(
            use_write_batch=batch > 0,
            max_size_write_batch=batch,
            use_get_multiple_keys=multiple > 0,
            max_size_get_multiple_keys=multiple,
        )
        self.say(Message.READY, payload=offer.SerializeToString())
        return registration

    def propose(
        self,
        arguments: Sequence[bytes] = (b"f",),
        *,
        txid: str = "tx1",
        message_type: int = Message.TRANSACTION,
        **details: Any,
    ) -> None:
        self.stream.to_chaincode.put_nowait(proposal_message(arguments, txid, message_type, **details))

    async def answer_until_done(self, txid: str = "tx1") -> Any:
        """Answer requests until the transaction is answered; its message is returned."""
        while True:
            message = await self.hear()
            if message.type in (Message.COMPLETED, Message.ERROR):
                if message.txid == txid:
                    return message
                continue
            if message.type not in self.silent:
                self.answer(message)

    def answer(self, message: Any) -> None:
        refusal = self._refusal(message)
        fields = {"txid": message.txid, "channel_id": message.channel_id}
        if refusal is not None:
            self.say(Message.ERROR, payload=refusal.encode(), **fields)
        else:
            self.say(Message.RESPONSE, payload=self._payload(message), **fields)

    def _refusal(self, message: Any) -> str | None:
        if message.type in self.refuse:
            return self.refuse[message.type]
        return next((self.refuse[found] for found in keys_of(message) if found in self.refuse), None)

    def _payload(self, message: Any) -> bytes:
        if self.answers.get(message.type):
            return self.answers[message.type].pop(0)
        if message.type == Message.GET_STATE:
            asked = chaincode_shim_pb2.GetState.FromString(message.payload)
            return self.state.get((asked.collection, asked.key), b"")
        if message.type == Message.GET_STATE_MULTIPLE:
            asked = chaincode_shim_pb2.GetStateMultiple.FromString(message.payload)
            values = [self.state.get((asked.collection, key), b"") for key in asked.keys]
            return chaincode_shim_pb2.GetStateMultipleResult(values=values).SerializeToString()
        return b""

    def types(self) -> list[str]:
        """Names of the message types heard so far."""
        return [Message.Type.Name(message.type) for message in self.seen]


def keys_of(message: Any) -> list[tuple[int, str]]:
    """(type, key) of each write in a message."""
    if message.type == Message.WRITE_BATCH_STATE:
        records = chaincode_shim_pb2.WriteBatchState.FromString(message.payload).rec
        return [(record.type, record.key) for record in records]
    # PutState, DelState, PurgePrivateState and PutStateMetadata all hold their key in field 1.
    if message.type in (Message.PUT_STATE, Message.DEL_STATE, Message.PURGE_PRIVATE_DATA):
        return [(message.type, chaincode_shim_pb2.DelState.FromString(message.payload).key)]
    if message.type == Message.PUT_STATE_METADATA:
        return [(message.type, chaincode_shim_pb2.PutStateMetadata.FromString(message.payload).key)]
    return []


def proposal_message(
    arguments: Sequence[bytes],
    txid: str,
    message_type: int = Message.TRANSACTION,
    *,
    time: datetime = PROPOSAL_TIME,
    creator: bytes = b"creator",
    transient: dict[str, bytes] | None = None,
    is_init: bool = False,
    decorations: dict[str, bytes] | None = None,
) -> Any:
    """A ``TRANSACTION`` as a peer sends it."""
    channel_header = common_pb2.ChannelHeader(type=3, channel_id=CHANNEL, tx_id=txid)
    channel_header.timestamp.FromDatetime(time)
    signature_header = common_pb2.SignatureHeader(creator=creator, nonce=b"nonce")
    header = common_pb2.Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=signature_header.SerializeToString(),
    )
    payload = proposal_pb2.ChaincodeProposalPayload(TransientMap=transient or {})
    proposal = proposal_pb2.Proposal(header=header.SerializeToString(), payload=payload.SerializeToString())
    call = chaincode_pb2.ChaincodeInput(args=arguments, decorations=decorations or {}, is_init=is_init)
    return Message(
        type=message_type,
        txid=txid,
        channel_id=CHANNEL,
        payload=call.SerializeToString(),
        proposal=proposal_pb2.SignedProposal(proposal_bytes=proposal.SerializeToString(), signature=b"s"),
    )


def response_of(message: Any) -> Any:
    """The ``Response`` in a ``COMPLETED``."""
    assert message.type == Message.COMPLETED
    return proposal_response_pb2.Response.FromString(message.payload)


@asynccontextmanager
async def conversation_with(chaincode: Chaincode, *, limits: Limits | None = None, **offer: int) -> Any:
    """A running conversation after its handshake, as (peer, conversation)."""
    stream = QueueStream()
    conversation = Conversation(
        stream, chaincode, package_id="label:1", limits=limits, clock=PROPOSAL_TIME.timestamp
    )
    task = asyncio.create_task(conversation.run())
    peer = ScriptedPeer(stream)
    try:
        await peer.handshake(**offer)
        yield peer, conversation
    finally:
        stream.to_chaincode.put_nowait(None)
        await asyncio.wait_for(task, DEADLINE)


async def call(function: Callable[[Any], Awaitable[bytes]], setup: Any = None, **offer: int) -> Any:
    """Run one function of a stub as a transaction; (peer, its answer)."""
    async with conversation_with(FunctionChaincode(function), **offer) as (peer, _):
        if setup is not None:
            setup(peer)
        peer.propose()
        return peer, await peer.answer_until_done()


def answered(answer: Any) -> bytes:
    """Payload of a response that is no error."""
    response = response_of(answer)
    assert response.status == 200, response.message
    payload: bytes = response.payload
    return payload


def requests(peer: ScriptedPeer) -> list[str]:
    """Types of the requests heard, without registration and answer."""
    return peer.types()[1:-1]
