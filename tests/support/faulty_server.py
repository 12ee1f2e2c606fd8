"""An HTTP server of one file that misbehaves as told, one instruction a request; afterwards it behaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class FaultyServer:
    """`instructions`: drop, ignore-range, wrong-range, no-range-header, error, missing, past-end."""

    content: bytes
    instructions: list[str]
    ranges: list[str | None] = field(default_factory=list)
    """The Range header of every request that came."""
    sent: int = 0
    url: str = ""


@contextmanager
def serving(content: bytes, *instructions: str) -> Iterator[FaultyServer]:
    state = FaultyServer(content, list(instructions))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.ranges.append(asked)
            answer(self, state, asked, state.instructions.pop(0) if state.instructions else "")

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(handler: BaseHTTPRequestHandler, state: FaultyServer, asked: str | None, instruction: str) -> None:
    if instruction in ("error", "missing"):
        handler.send_error(503 if instruction == "error" else 404)
        return
    start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0  # type: ignore[index]
    size = len(state.content)
    if instruction == "past-end" or (asked and start >= size):
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{size}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    if instruction == "ignore-range":
        start, asked = 0, None
    if instruction == "wrong-range":
        start += 1000
    body = state.content[start:]
    handler.send_response(206 if asked else 200)
    if asked and instruction != "no-range-header":
        handler.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    body = body[: len(body) // 2] if instruction == "drop" else body
    state.sent += len(body)
    handler.wfile.write(body)
