"""Recorded conversations between peers and chaincode: one message a line, and what a replay makes of them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_shim_pb2
from support.scripted_peer import Message, QueueStream

from fabric_shim import Chaincode, Conversation

CONVERSATIONS = Path(__file__).parents[1] / "fixtures" / "chaincode-conversations"
_PATIENCE_SECONDS = 60
_QUERIES = (
    Message.GET_STATE_BY_RANGE,
    Message.GET_HISTORY_FOR_KEY,
    Message.QUERY_STATE_NEXT,
    Message.QUERY_STATE_CLOSE,
)


@dataclass(frozen=True)
class Spoken:
    """One message as it went over the wire.

    Attributes:
        by_chaincode: who said it, the chaincode or the peer.
        time: when, in seconds since 1970.
        data: M(ChaincodeMessage).
    """

    by_chaincode: bool
    time: float
    data: bytes

    @property
    def message(self) -> Any:
        return Message.FromString(self.data)

    def to_line(self) -> str:
        """As a line of a file."""
        said = {"by": "chaincode" if self.by_chaincode else "peer", "time": round(self.time, 3)}
        message = self.message
        kind = Message.Type.Name(message.type)
        return json.dumps({**said, "type": kind, "message": base64.b64encode(self.data).decode()}) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Spoken:
        """What ``to_line`` wrote."""
        said = json.loads(line)
        return cls(said["by"] == "chaincode", said["time"], base64.b64decode(said["message"], validate=True))


def read_conversation(path: Path) -> list[Spoken]:
    """All that was said on one stream, in order."""
    return [Spoken.from_line(line) for line in path.read_text(encoding="ascii").splitlines()]


def handshake(conversation: Sequence[Spoken]) -> list[Spoken]:
    """What was said before the first transaction."""
    return [spoken for spoken in conversation if not spoken.message.txid]


def transactions(conversation: Sequence[Spoken]) -> dict[str, list[Spoken]]:
    """What was said about each transaction, in order."""
    found: dict[str, list[Spoken]] = {}
    for spoken in conversation:
        if txid := spoken.message.txid:
            found.setdefault(txid, []).append(spoken)
    return found


class Replay:
    """A peer that says what was recorded, and hears what a chaincode says to it now."""

    def __init__(self, conversation: Sequence[Spoken], chaincode: Chaincode) -> None:
        self._recorded = conversation
        self._stream = QueueStream()
        self._heard: dict[str, asyncio.Queue[bytes]] = {}
        package_id = handshake(conversation)[0].message.payload[2:].decode()
        self._talk = Conversation(self._stream, chaincode, package_id=package_id, clock=lambda: self._clock)
        self._clock = conversation[0].time

    async def one_by_one(self) -> dict[str, list[bytes]]:
        """What the chaincode says in each transaction, each run alone."""
        return await self._run(at_once=False)

    async def at_once(self) -> dict[str, list[bytes]]:
        """What the chaincode says in each transaction, all running at once."""
        return await self._run(at_once=True)

    async def _run(self, *, at_once: bool) -> dict[str, list[bytes]]:
        running = asyncio.create_task(self._talk.run())
        listening = asyncio.create_task(self._listen())
        try:
            found = {"": await self._follow("", handshake(self._recorded))}
            named = transactions(self._recorded)
            if at_once:
                said = await asyncio.gather(*(self._follow(*entry) for entry in named.items()))
                return found | dict(zip(named, said, strict=True))
            for txid, spoken in named.items():
                self._clock = spoken[0].time
                found[txid] = await self._follow(txid, spoken)
            return found
        finally:
            self._stream.to_chaincode.put_nowait(None)
            await running
            listening.cancel()

    async def _follow(self, txid: str, spoken: Sequence[Spoken]) -> list[bytes]:
        said: list[bytes] = []
        for entry in spoken:
            if not entry.by_chaincode:
                self._stream.to_chaincode.put_nowait(entry.message)
                continue
            said.append(await asyncio.wait_for(self._queue(txid).get(), _PATIENCE_SECONDS))
            if said[-1] != entry.data:
                # The peer's next answer would be to another question.
                break
        return said

    async def _listen(self) -> None:
        while True:
            message = await self._stream.to_peer.get()
            self._queue(message.txid).put_nowait(message.SerializeToString())

    def _queue(self, txid: str) -> asyncio.Queue[bytes]:
        return self._heard.setdefault(txid, asyncio.Queue())


def said_by_chaincode(spoken: Sequence[Spoken]) -> list[bytes]:
    """The chaincode's messages among them."""
    return [entry.data for entry in spoken if entry.by_chaincode]


def operations(conversation: Sequence[Spoken]) -> Iterator[str]:
    """Types of all messages."""
    for spoken in conversation:
        yield Message.Type.Name(spoken.message.type)


def said(spoken: Sequence[Spoken]) -> Iterator[object]:
    """The chaincode's messages, without the transaction's id and the ids that peers give to queries."""
    for entry in spoken:
        message = entry.message
        if entry.by_chaincode:
            txid = message.txid.encode()
            if message.type in (Message.QUERY_STATE_NEXT, Message.QUERY_STATE_CLOSE):
                message.payload = b""
            yield message.SerializeToString().replace(txid, b"")


def answers(spoken: Sequence[Spoken]) -> Iterator[object]:
    """Types and payloads of a peer's answers, without what differs from ledger to ledger."""
    asked = Message.UNDEFINED
    for entry in spoken:
        message = entry.message
        txid = message.txid.encode()
        if entry.by_chaincode:
            asked = message.type
        elif message.type in (Message.RESPONSE, Message.ERROR):
            payload = message.payload
            is_page = message.type == Message.RESPONSE and asked in _QUERIES
            yield (
                Message.Type.Name(asked),
                message.type,
                _page(asked, payload) if is_page else payload.replace(txid, b""),
            )


def _page(asked: int, payload: bytes) -> object:
    page = chaincode_shim_pb2.QueryResponse.FromString(payload)
    results = [result.resultBytes for result in page.results]
    if asked == Message.GET_HISTORY_FOR_KEY:
        changes = map(kv_query_result_pb2.KeyModification.FromString, results)
        results = [(change.value, change.is_delete) for change in changes]
    return results, page.metadata, page.has_more and bool(page.id)
