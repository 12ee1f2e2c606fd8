"""The link to a chaincode service: it ends when it is closed, whatever the stream makes of that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fabric_embedded.chaincode.link import ChaincodeLink


class _StubbornStream:
    """A stream that turns a cancellation into its own end, as grpc.aio does where the call has failed."""

    def __init__(self) -> None:
        self.is_waiting = asyncio.Event()

    async def receive(self) -> Any:
        self.is_waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return None

    async def send(self, messages: Sequence[Any]) -> None:
        raise AssertionError(f"nothing is to be sent, got {len(messages)} messages")

    async def close(self) -> None:
        return None


async def test_a_cancellation_that_the_stream_swallows_still_closes_the_link() -> None:
    stream, opened = _StubbornStream(), 0

    async def open_stream() -> Any:
        nonlocal opened
        opened += 1
        return stream

    link = ChaincodeLink("basic:1", open_stream)
    link.open()
    await stream.is_waiting.wait()
    await asyncio.wait_for(link.close(), 60)
    assert opened == 1
