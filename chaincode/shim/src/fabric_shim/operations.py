"""The operations endpoint of a chaincode process: ``GET /healthz`` and ``GET /metrics``, for who runs it.

It is plain HTTP, as a Fabric peer's is by default: bind it to an address that only operators reach.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Final

from fabric_shim.errors import ConfigurationError
from fabric_shim.metrics import Metrics

_DEADLINE_SECONDS: Final = 5.0
_REASONS: Final = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"} | {
    503: "Service Unavailable"
}
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_JSON: Final = "application/json"


class Operations:
    """Serves health and metrics.

    Args:
        address: where to listen, ``host:port``; port 0 takes a free one.
        metrics: what to show.
        trouble: why transactions cannot run now, ``""`` if they can.

    Attributes:
        address: where it listens, once started.
    """

    def __init__(self, address: str, metrics: Metrics, trouble: Callable[[], str]) -> None:
        self.address = address
        self._metrics = metrics
        self._trouble = trouble
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            ConfigurationError: the address cannot be used.
        """
        host, _, port = self.address.rpartition(":")
        try:
            self._server = await asyncio.start_server(self._serve, host.strip("[]"), int(port), limit=8192)
        except OSError as error:
            reason = error.strerror or "it cannot be used"
            raise ConfigurationError(f"CHAINCODE_OPERATIONS_ADDRESS {self.address}: {reason}") from None
        self.address = f"{host}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                status, kind, body = self._answer(await _request_line(reader))
                content = body.encode()
                head = (
                    f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + content)
                await writer.drain()
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()

    def _answer(self, line: str) -> tuple[int, str, str]:
        method, _, rest = line.partition(" ")
        path, _, protocol = rest.partition(" ")
        if not protocol.startswith("HTTP/1"):
            return 400, _TEXT, "expected an HTTP/1.1 request\n"
        if method != "GET":
            return 405, _TEXT, "expected GET\n"
        if path == "/metrics":
            return 200, _TEXT, self._metrics.exposition()
        if path != "/healthz":
            return 404, _TEXT, "there are /healthz and /metrics\n"
        trouble = self._trouble()
        if not trouble:
            return 200, _JSON, json.dumps({"status": "OK"})
        checks = [{"component": "chaincode", "reason": trouble}]
        return 503, _JSON, json.dumps({"status": "Service Unavailable", "failed_checks": checks})


async def _request_line(reader: asyncio.StreamReader) -> str:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return ""
    return head.partition(b"\r\n")[0].decode("latin-1")
