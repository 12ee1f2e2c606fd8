"""Both ends of a chaincode stream in memory."""

from __future__ import annotations

import asyncio
from typing import Any


class MemoryStream:
    """The chaincode's end, as ``fabric_shim.Stream``; the peer's end is ``hear`` and ``say``."""

    def __init__(self) -> None:
        self._to_chaincode: asyncio.Queue[Any] = asyncio.Queue()
        self._to_peer: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(self) -> Any | None:
        """Next message for the chaincode, ``None`` after ``hang_up``."""
        return await self._to_chaincode.get()

    async def send(self, message: Any) -> None:
        """Send a message to the peer."""
        self._to_peer.put_nowait(message)

    async def hear(self) -> Any:
        """Next message for the peer."""
        return await self._to_peer.get()

    def say(self, message: Any) -> None:
        """Send a message to the chaincode."""
        self._to_chaincode.put_nowait(message)

    def hang_up(self) -> None:
        """End the stream."""
        self._to_chaincode.put_nowait(None)
