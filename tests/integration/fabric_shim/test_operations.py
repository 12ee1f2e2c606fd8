"""The operations endpoint over a real socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

import pytest
from support import notes_chaincode

from fabric_shim import ConfigurationError
from fabric_shim.metrics import Metrics
from fabric_shim.operations import Operations

DEADLINE = 60


async def ask(address: str, request: bytes) -> tuple[int, str]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    writer.write_eof()
    answer = (await asyncio.wait_for(reader.read(), DEADLINE)).decode()
    writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    assert f"Content-Length: {len(body.encode())}\r\n" in head + "\r\n"
    return int(head.split()[1]), body


async def get(address: str, path: str) -> tuple[int, str]:
    return await ask(address, f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())


async def test_health_and_metrics_and_nothing_else() -> None:
    trouble = "no peer"
    operations = Operations("127.0.0.1:0", Metrics(), lambda: trouble)
    await operations.start()
    try:
        status, body = await get(operations.address, "/healthz")
        checks = [{"component": "chaincode", "reason": "no peer"}]
        assert (status, json.loads(body)) == (503, {"status": "Service Unavailable", "failed_checks": checks})
        trouble = ""
        assert await get(operations.address, "/healthz") == (200, '{"status": "OK"}')
        status, body = await get(operations.address, "/metrics")
        assert (status, "chaincode_running_transactions 0\n" in body) == (200, True)
        assert (await get(operations.address, "/"))[0] == 404
        for request, expected in (
            (b"POST /metrics HTTP/1.1\r\n\r\n", 405),
            (b"GET /metrics\r\n\r\n", 400),
            (b"\xff\xfe\r\n\r\n", 400),
            (b"GET /metrics HTTP/1.1\r\n", 400),
            (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n", 400),
        ):
            assert (await ask(operations.address, request))[0] == expected
        with pytest.raises(ConfigurationError, match="CHAINCODE_OPERATIONS_ADDRESS"):
            await Operations(operations.address, Metrics(), lambda: "").start()
    finally:
        await operations.stop()


async def test_a_service_serves_them_where_the_environment_says() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        notes_chaincode.__file__,
        env={
            **os.environ,
            "CORE_CHAINCODE_ID": "notes:1",
            "CHAINCODE_SERVER_ADDRESS": "127.0.0.1:0",
            "CHAINCODE_TLS_DISABLED": "true",
            "CHAINCODE_OPERATIONS_ADDRESS": "127.0.0.1:0",
            "CHAINCODE_LOG_FORMAT": "json",
        },
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    told = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
    assert told.startswith("chaincode notes:1 operations on 127.0.0.1:")
    ready = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
    assert ready.startswith("chaincode notes:1 ready on 127.0.0.1:")
    assert await get(told.split()[-1], "/healthz") == (200, '{"status": "OK"}')
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), DEADLINE) == 0
