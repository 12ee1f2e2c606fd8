"""A chaincode service between a peer and another one, which keeps all that they say.

    PYTHONPATH=tests python -m support.conversation_recorder DIRECTORY PROGRAM ARGUMENTS…

It takes the environment of a chaincode service (``CHAINCODE_SERVER_ADDRESS``, the TLS files) for itself,
starts PROGRAM as a service without TLS on another port, and writes ``conversation-N.jsonl`` into DIRECTORY
for each stream that a peer opens. Any runtime can be recorded, the official ones too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import grpc
import grpc.aio
from support.conversations import Spoken

_METHOD = "/protos.Chaincode/Connect"
_UNLIMITED = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
_START_SECONDS = 60


class Recorder:
    """Passes streams on and writes them down."""

    def __init__(self, directory: Path, service: str) -> None:
        self._directory = directory
        self._service = service

    async def serve(self, environment: dict[str, str]) -> Any:
        """Listen as the environment says."""
        server = grpc.aio.server(options=_UNLIMITED)
        handler = grpc.stream_stream_rpc_method_handler(self._pass_on)
        handlers = {"Connect": handler}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("protos.Chaincode", handlers),))
        _listen(server, environment)
        await server.start()
        return server

    async def _pass_on(self, _: Any, peer: Any) -> None:
        async with grpc.aio.insecure_channel(self._service, options=_UNLIMITED) as channel:
            await asyncio.wait_for(channel.channel_ready(), _START_SECONDS)
            chaincode = channel.stream_stream(_METHOD)()
            with self._new_file() as file:
                ways = (
                    asyncio.create_task(_carry(peer, chaincode, file, by_chaincode=False)),
                    asyncio.create_task(_carry(chaincode, peer, file, by_chaincode=True)),
                )
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)

    def _new_file(self) -> TextIO:
        for number in range(1, 1000):
            try:
                return (self._directory / f"conversation-{number}.jsonl").open("x", encoding="ascii")
            except FileExistsError:
                continue
        raise SystemExit(f"{self._directory} holds too many conversations")


async def _carry(source: Any, target: Any, file: TextIO, *, by_chaincode: bool) -> None:
    while (data := await source.read()) is not grpc.aio.EOF:
        # Written before it is passed on: what follows from a message comes after it in the file.
        file.write(Spoken(by_chaincode, time.time(), data).to_line())
        file.flush()
        await target.write(data)


def _listen(server: Any, environment: dict[str, str]) -> None:
    address = environment["CHAINCODE_SERVER_ADDRESS"]
    if environment.get("CHAINCODE_TLS_DISABLED") == "true":
        server.add_insecure_port(address)
        return
    key, certificate, authorities = (
        Path(environment[name]).read_bytes()
        for name in ("CHAINCODE_TLS_KEY", "CHAINCODE_TLS_CERT", "CHAINCODE_CLIENT_CA_CERT")
    )
    credentials = grpc.ssl_server_credentials([(key, certificate)], authorities, require_client_auth=True)
    server.add_secure_port(address, credentials)


async def main(directory: Path, command: list[str]) -> int:
    """Record until SIGTERM or until the program ends."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        service = f"127.0.0.1:{found.getsockname()[1]}"
    changed = {"CHAINCODE_SERVER_ADDRESS": service, "CHAINCODE_TLS_DISABLED": "true"}
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **changed})
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await Recorder(directory, service).serve(dict(os.environ))
    ended = [asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
    await server.stop(0)
    if process.returncode is None:
        process.terminate()
    return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2:])))
