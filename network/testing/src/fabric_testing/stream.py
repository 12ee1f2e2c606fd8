"""Both ends of a chaincode stream in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fabric_testing.recording import RecordedMessage


class MemoryStream:
    """The chaincode's end, as ``fabric_shim.Stream``; the peer's end is ``hear`` and ``say``.

    Args:
        records: where to put each message that passes.
    """

    def __init__(self, records: Sequence[list[RecordedMessage]] = ()) -> None:
        self._records = records
        self._to_chaincode: asyncio.Queue[Any] = asyncio.Queue()
        self._to_peer: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(self) -> Any | None:
        """Next message for the chaincode, ``None`` after ``hang_up``."""
        return await self._to_chaincode.get()

    async def send(self, messages: Sequence[Any]) -> None:
        """Send messages to the peer."""
        for message in messages:
            self._to_peer.put_nowait(message)

    async def hear(self) -> Any:
        """Next message for the peer."""
        message = await self._to_peer.get()
        self._record(True, message)
        return message

    def say(self, message: Any) -> None:
        """Send a message to the chaincode."""
        self._record(False, message)
        self._to_chaincode.put_nowait(message)

    def hang_up(self) -> None:
        """End the stream."""
        self._to_chaincode.put_nowait(None)

    def _record(self, by_chaincode: bool, message: Any) -> None:
        for record in self._records:
            record.append(RecordedMessage(by_chaincode, message))
