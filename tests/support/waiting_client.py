"""A client that opens calls which wait, says so, and waits itself: to be killed.

It reads one line of JSON: endpoint, server_name, tls_roots (a path), and calls, each a method with the hex of
its request. It prints "ready" once every Deliver stream has given its first block, and reads no further.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import grpc


def main() -> None:
    """Open the calls and wait for ever."""
    plan = json.loads(sys.stdin.readline())
    credentials = grpc.ssl_channel_credentials(Path(plan["tls_roots"]).read_bytes())
    options = [("grpc.ssl_target_name_override", plan["server_name"])]
    with grpc.secure_channel(plan["endpoint"], credentials, options) as channel:
        calls = [_open(channel, method, bytes.fromhex(data)) for method, data in plan["calls"]]
        print("ready", len(calls), flush=True)
        threading.Event().wait()


def _open(channel: grpc.Channel, method: str, data: bytes) -> Any:
    if "Deliver" in method:
        blocks = channel.stream_stream(method)(_never_ending(data))
        next(blocks)
        return blocks
    if method.endswith("Events"):
        return channel.unary_stream(method)(data)
    return channel.unary_unary(method).future(data)


def _never_ending(data: bytes) -> Any:
    yield data
    threading.Event().wait()


if __name__ == "__main__":
    main()
