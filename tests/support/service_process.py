"""A chaincode process for tests over real sockets, and a peer's end of a stream to it."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta

from fabric_protos.peer import chaincode_pb2
from support import notes_chaincode
from support.scripted_peer import CHANNEL, Message, proposal_message, response_of

START = datetime.now(UTC) - timedelta(hours=1)
DEADLINE = 60


class Service:
    """The process, and what it printed when it was ready."""

    def __init__(self, process, address):
        self.process = process
        self.address = address

    async def terminate(self):
        """Send SIGTERM; exit status and what it logged."""
        self.process.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(self.process.communicate(), DEADLINE)
        return self.process.returncode, log.decode()


async def start(environment):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        notes_chaincode.__file__,
        env={**os.environ, "CORE_CHAINCODE_ID": "notes:1", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    line = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
    if not line:
        return Service(process, "")
    assert line.startswith("chaincode notes:1 ready on 127.0.0.1:")
    return Service(process, line.split()[-1])


class Peer:
    """A peer's end of a gRPC stream."""

    def __init__(self, channel):
        self.stream = channel.stream_stream("/protos.Chaincode/Connect")()

    async def hear(self):
        return Message.FromString(await asyncio.wait_for(self.stream.read(), DEADLINE))

    async def say(self, message):
        await self.stream.write(message.SerializeToString())

    async def handshake(self):
        registration = await self.hear()
        offer = chaincode_pb2.ChaincodeAdditionalParams(use_write_batch=True, max_size_write_batch=1000)
        await self.say(Message(type=Message.REGISTERED))
        await self.say(Message(type=Message.READY, payload=offer.SerializeToString()))
        return chaincode_pb2.ChaincodeID.FromString(registration.payload).name

    async def say_call(self, *arguments, txid):
        """Propose a call and wait for nothing."""
        await self.say(proposal_message(arguments, txid, time=datetime.now(UTC)))

    async def answer(self, request, value=b""):
        """Give a transaction what it asked for."""
        await self.say(Message(type=Message.RESPONSE, txid=request.txid, channel_id=CHANNEL, payload=value))

    async def call(self, *arguments, txid="tx1", value=b""):
        await self.say_call(*arguments, txid=txid)
        while (message := await self.hear()).type != Message.COMPLETED:
            await self.answer(message, value)
        return response_of(message)
