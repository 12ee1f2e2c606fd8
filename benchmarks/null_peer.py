"""A peer that answers every request at once and keeps nothing: what is measured is the chaincode runtime."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_pb2, proposal_response_pb2

from fabric_protocol.certificates import certificate_pem, issue, new_authority, new_private_key
from fabric_protocol.identities import serialize_identity
from fabric_protocol.proposals import new_proposal

Message = chaincode_shim_pb2.ChaincodeMessage
VALUE = b"v" * 200
_MANY = 1000


def creator() -> bytes:
    """An identity: runtimes parse its certificate."""
    start = datetime.now(UTC) - timedelta(hours=1)
    authority = new_authority("bench-ca", start=start)
    certificate = issue(authority, common_name="user", public_key=new_private_key().public_key(), start=start)
    return serialize_identity("AlphaMSP", certificate_pem(certificate))


class NullPeer:
    """One stream to a chaincode service, with what peers of Fabric 3.1 offer."""

    def __init__(self, channel: Any, creator: bytes) -> None:
        self._stream = channel.stream_stream("/protos.Chaincode/Connect")()
        self._creator = creator
        self._turn = asyncio.Lock()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Shake hands."""
        await self._stream.read()
        offer = chaincode_pb2.ChaincodeAdditionalParams(
            use_write_batch=True,
            max_size_write_batch=_MANY,
            use_get_multiple_keys=True,
            max_size_get_multiple_keys=_MANY,
        )
        await self._say(Message(type=Message.REGISTERED))
        await self._say(Message(type=Message.READY, payload=offer.SerializeToString()))
        self._listening = asyncio.create_task(self._listen())

    async def run(self, function: str, arguments: Sequence[str], count: int, in_flight: int) -> list[float]:
        """Run a function many times; the seconds that each run took. Raise if one of them is refused."""
        numbers, latencies = itertools.count(), list[float]()

        async def work() -> None:
            while next(numbers) < count:
                began = time.perf_counter()
                await self._call([f"bench:{function}", *arguments])
                latencies.append(time.perf_counter() - began)

        await asyncio.gather(*(work() for _ in range(in_flight)))
        return latencies

    async def close(self) -> None:
        """Hang up."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        self._stream.cancel()
        # Its end is awaited: a call that outlives its event loop complains when it is collected.
        await self._stream.code()

    async def _call(self, arguments: Sequence[str]) -> None:
        encoded = [argument.encode() for argument in arguments]
        proposal = new_proposal(
            channel_id="bench",
            chaincode="bench",
            arguments=encoded,
            creator=self._creator,
            timestamp=datetime.now(UTC),
        )
        answered = self._waiting[proposal.transaction_id] = asyncio.get_running_loop().create_future()
        call = chaincode_pb2.ChaincodeInput(args=encoded)
        await self._say(
            Message(
                type=Message.TRANSACTION,
                txid=proposal.transaction_id,
                channel_id="bench",
                payload=call.SerializeToString(),
                proposal=proposal_pb2.SignedProposal(proposal_bytes=proposal.data, signature=b"s"),
            )
        )
        response = proposal_response_pb2.Response.FromString((await answered).payload)
        if response.status != 200:
            raise RuntimeError(f"{arguments[0]} was answered with {response.status}: {response.message}")

    async def _listen(self) -> None:
        while True:
            message = Message.FromString(await self._stream.read())
            if message.type == Message.COMPLETED:
                self._waiting.pop(message.txid).set_result(message)
            elif message.type != Message.KEEPALIVE:
                fields = {"txid": message.txid, "channel_id": message.channel_id}
                await self._say(Message(type=Message.RESPONSE, payload=_payload(message), **fields))

    async def _say(self, message: Any) -> None:
        # gRPC takes one write at a time.
        async with self._turn:
            await self._stream.write(message.SerializeToString())


def _payload(message: Any) -> bytes:
    if message.type == Message.GET_STATE:
        return VALUE
    if message.type == Message.GET_STATE_MULTIPLE:
        keys = chaincode_shim_pb2.GetStateMultiple.FromString(message.payload).keys
        return bytes(
            chaincode_shim_pb2.GetStateMultipleResult(values=[VALUE] * len(keys)).SerializeToString()
        )
    return b""
