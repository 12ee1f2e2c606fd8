"""gRPC's own health service (`grpc.health.v1.Health`), which Fabric's orderers have and its peers have not.

Its two messages have one field each, in the form of protobuf's wrappers, which stand for them here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf import wrappers_pb2

from fabric_embedded.services.handlers import ConcurrencyLimit, Service, ServiceError, server_stream, unary
from fabric_embedded.services.status import StatusCode

_SERVICE = "grpc.health.v1.Health"
_CONCURRENCY = 2500
_SERVING, _SERVICE_UNKNOWN = 1, 3


class ServingService:
    """Says that the server as a whole ("") serves; it names no service one by one, as Fabric does not."""

    def handler(self) -> Service:
        """The service for a gRPC server."""
        limit = ConcurrencyLimit(_SERVICE, _CONCURRENCY)
        methods = {
            "Check": unary(limit, wrappers_pb2.StringValue, self.check, "Check"),
            "Watch": server_stream(limit, wrappers_pb2.StringValue, self.watch, "Watch"),
        }
        return Service(_SERVICE, methods)

    async def check(self, request: Any) -> Any:
        """Answer a `HealthCheckRequest` with a `HealthCheckResponse`."""
        if request.value:
            raise ServiceError(StatusCode.NOT_FOUND, "unknown service")
        return wrappers_pb2.Int32Value(value=_SERVING)

    async def watch(self, request: Any) -> AsyncIterator[Any]:
        """Answer likewise, and again on every change: there is none before the end."""
        yield wrappers_pb2.Int32Value(value=_SERVICE_UNKNOWN if request.value else _SERVING)
        await asyncio.Event().wait()
