"""A chaincode service without sockets: two queues for a stream, functions that talk to the peer by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric_protos.peer import chaincode_pb2, proposal_response_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim

from fabric_embedded.chaincode.messages import Type

Function = Callable[["Call"], Awaitable[Any]]
"""Runs one transaction; returns bytes, a Response, or a whole ChaincodeMessage."""

Script = Mapping[str, Function]


class PeerRefused(Exception):
    """The peer answered ERROR; the text is the peer's."""


class MemoryStream:
    """One end of a stream; what one end sends the other receives."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Any] = asyncio.Queue()
        self.other: MemoryStream
        self.has_ended = False

    @classmethod
    def pair(cls) -> tuple[MemoryStream, MemoryStream]:
        """Two ends."""
        one, two = cls(), cls()
        one.other, two.other = two, one
        return one, two

    async def receive(self) -> Any:
        """Next message; None after the end."""
        return None if self.has_ended and self.incoming.empty() else await self.incoming.get()

    async def send(self, messages: Sequence[Any]) -> None:
        """Send; the other end gets copies."""
        if self.has_ended:
            raise ConnectionError("the stream has ended")
        for message in messages:
            copy = shim.ChaincodeMessage()
            copy.CopyFrom(message)
            self.other.incoming.put_nowait(copy)

    async def close(self) -> None:
        """End both ends."""
        for end in (self, self.other):
            if not end.has_ended:
                end.has_ended = True
                end.incoming.put_nowait(None)


@dataclass
class Call:
    """One transaction, seen from the chaincode."""

    stream: MemoryStream
    channel_id: str
    transaction_id: str
    arguments: list[bytes]
    proposal: Any
    answers: asyncio.Queue[Any]

    def argument(self, index: int) -> str:
        """An argument after the function's name."""
        return self.arguments[index + 1].decode()

    async def request(self, kind: int, payload: Any = b"") -> bytes:
        """Ask the peer; raises PeerRefused with its text."""
        await self.send(kind, payload)
        answer = await self.answers.get()
        if answer.type == Type.ERROR:
            raise PeerRefused(answer.payload.decode())
        assert answer.type == Type.RESPONSE
        return bytes(answer.payload)

    async def send(self, kind: int, payload: Any = b"") -> None:
        """Send without waiting for an answer."""
        data = payload if isinstance(payload, bytes) else payload.SerializeToString()
        message = shim.ChaincodeMessage(
            type=kind, payload=data, txid=self.transaction_id, channel_id=self.channel_id
        )
        await self.stream.send([message])

    async def get(self, key: str, collection: str = "") -> bytes:
        return await self.request(Type.GET_STATE, shim.GetState(key=key, collection=collection))

    async def put(self, key: str, value: bytes, collection: str = "") -> None:
        await self.request(Type.PUT_STATE, shim.PutState(key=key, value=value, collection=collection))


class MemoryService:
    """A chaincode service that registers on every stream opened to it and runs a script.

    While `is_down`, nobody can connect.
    """

    def __init__(self, package_id: str, script: Script) -> None:
        self.package_id = package_id
        self.script = script
        self.is_down = False
        self.registers_as: str = package_id
        self.stream: MemoryStream
        self.received: list[Any] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._calls: dict[tuple[int, str], Call] = {}

    async def open(self) -> MemoryStream:
        """The peer's end of a new stream."""
        if self.is_down:
            raise ConnectionError("nobody listens")
        peer_end, self.stream = MemoryStream.pair()
        self._start(self._serve(self.stream))
        return peer_end

    async def stop(self) -> None:
        """End the stream and refuse new ones."""
        self.is_down = True
        await self.stream.close()

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, stream: MemoryStream) -> None:
        name = chaincode_pb2.ChaincodeID(name=self.registers_as)
        await stream.send([shim.ChaincodeMessage(type=Type.REGISTER, payload=name.SerializeToString())])
        while (message := await stream.receive()) is not None:
            self.received.append(message)
            if message.type == Type.TRANSACTION:
                self._start(self._run(stream, message))
            elif (id(stream), message.txid) in self._calls:
                self._calls[id(stream), message.txid].answers.put_nowait(message)

    async def _run(self, stream: MemoryStream, message: Any) -> None:
        arguments = chaincode_pb2.ChaincodeInput.FromString(message.payload)
        call = Call(
            stream, message.channel_id, message.txid, list(arguments.args), message.proposal, asyncio.Queue()
        )
        self._calls[id(stream), message.txid] = call
        try:
            answer = _completed(await self.script[arguments.args[0].decode()](call))
        except ConnectionError:
            return
        except PeerRefused as refusal:
            response = proposal_response_pb2.Response(status=500, message=str(refusal))
            answer = _completed(response)
        finally:
            del self._calls[id(stream), message.txid]
        answer.txid, answer.channel_id = message.txid, message.channel_id
        if not stream.has_ended:
            await stream.send([answer])


def _completed(result: Any) -> Any:
    if isinstance(result, shim.ChaincodeMessage):
        return result
    if not isinstance(result, proposal_response_pb2.Response):
        result = proposal_response_pb2.Response(status=200, payload=result or b"")
    return shim.ChaincodeMessage(type=Type.COMPLETED, payload=result.SerializeToString())
