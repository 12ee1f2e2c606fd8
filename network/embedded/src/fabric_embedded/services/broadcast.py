"""The ordering endpoint's Broadcast (fabric-behaviour §6.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2

from fabric_embedded.engine import Engine
from fabric_embedded.metrics import count_broadcast


class BroadcastService:
    """Takes envelopes for ordering; one answer each, and the stream ends after the first refusal."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def broadcast(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Answer each `Envelope` with a `BroadcastResponse`."""
        async for envelope in requests:
            status, info = await self._engine.broadcast(envelope)
            count_broadcast(status)
            yield ab_pb2.BroadcastResponse(status=status, info=info)
            if status != common_pb2.SUCCESS:
                return
