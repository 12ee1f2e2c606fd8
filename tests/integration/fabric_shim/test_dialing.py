"""Chaincode that dials its peer, over real sockets against a ChaincodeSupport service."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2
from support import notes_chaincode
from support.scripted_peer import CHANNEL, Message, proposal_message, response_of

from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_authority, new_private_key
from fabric_shim import Settings, serve

START = datetime.now(UTC) - timedelta(hours=1)
DEADLINE = 60


class ChaincodeSupport:
    """A peer's end of the streams that chaincodes open; each is handed to the test."""

    def __init__(self) -> None:
        self.streams: asyncio.Queue[Registered] = asyncio.Queue()
        self._server = grpc.aio.server()
        handler = grpc.stream_stream_rpc_method_handler(self._register)
        services = {"Register": handler}
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("protos.ChaincodeSupport", services),)
        )
        self.address = ""

    async def start(self, credentials: Any = None, address: str = "127.0.0.1:0") -> ChaincodeSupport:
        add = self._server.add_insecure_port if credentials is None else self._server.add_secure_port
        self.address = f"127.0.0.1:{add(address, *([credentials] if credentials else []))}"
        await self._server.start()
        return self

    async def stop(self) -> None:
        await self._server.stop(0)

    async def registered(self) -> Registered:
        return await asyncio.wait_for(self.streams.get(), DEADLINE)

    async def _register(self, _: Any, context: Any) -> None:
        stream = Registered(context)
        registration = await stream.hear()
        stream.package_id = chaincode_pb2.ChaincodeID.FromString(registration.payload).name
        if stream.package_id == "unknown:1":
            await stream.say(Message(type=Message.ERROR))
            return
        await stream.say(Message(type=Message.REGISTERED))
        await stream.say(Message(type=Message.READY))
        self.streams.put_nowait(stream)
        await stream.over.wait()


class Registered:
    def __init__(self, context: Any) -> None:
        self.over = asyncio.Event()
        self.package_id = ""
        self._context = context

    async def hear(self) -> Any:
        return Message.FromString(await asyncio.wait_for(self._context.read(), DEADLINE))

    async def say(self, message: Any) -> None:
        await self._context.write(message.SerializeToString())

    async def say_call(self, *arguments: bytes) -> None:
        await self.say(proposal_message(arguments, "tx1", time=datetime.now(UTC)))

    async def answer(self, request: Any, value: bytes = b"") -> None:
        await self.say(Message(type=Message.RESPONSE, txid=request.txid, channel_id=CHANNEL, payload=value))

    async def call(self, *arguments: bytes, value: bytes = b"") -> Any:
        await self.say_call(*arguments)
        while (message := await self.hear()).type != Message.COMPLETED:
            await self.answer(message, value)
        return response_of(message)


class Serving:
    """`serve` in this process, until the test's end."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.stop = asyncio.Event()
        settings = Settings.from_environment(environment, arguments)
        self.task = asyncio.create_task(serve([notes_chaincode.Notes()], settings, self.stop))

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self.task, DEADLINE)


async def test_a_launched_process_registers_and_ends_cleanly() -> None:
    peer = await ChaincodeSupport().start()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        notes_chaincode.__file__,
        f"-peer.address={peer.address}",
        env={**os.environ, "CORE_CHAINCODE_ID_NAME": "notes:1"},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        stream = await peer.registered()
        assert stream.package_id == "notes:1"
        assert (await stream.call(b"notes:read", b"k", value=b"v")).payload == b"v"
        await stream.say_call(b"notes:wait", b"300")
        await stream.answer(await stream.hear())  # it runs: it has asked
        process.send_signal(signal.SIGTERM)
        assert response_of(await stream.hear()).payload == b"waited"
        told, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    finally:
        if process.returncode is None:
            process.kill()
        await peer.stop()
    assert told.decode() == f"chaincode notes:1 registered with {peer.address}\n"
    assert process.returncode == 0


async def test_a_lost_stream_is_opened_anew() -> None:
    peer = await ChaincodeSupport().start()
    serving = Serving({"CORE_CHAINCODE_ID_NAME": "notes:1", "CORE_PEER_ADDRESS": peer.address})
    (await peer.registered()).over.set()
    second = await peer.registered()
    assert (await second.call(b"notes:read", b"k", value=b"v")).payload == b"v"
    await peer.stop()
    again = await ChaincodeSupport().start(address=peer.address)
    third = await again.registered()
    assert (await third.call(b"notes:write", b"k", b"v")).status == 200
    await serving.end()
    await again.stop()


@pytest.mark.parametrize("package_id", ["unknown:1", "notes:1"])
async def test_a_peer_that_never_registers_the_chaincode_is_given_up(package_id: str) -> None:
    peer = await ChaincodeSupport().start()
    if package_id == "notes:1":
        await peer.stop()
    environment = {"CORE_CHAINCODE_ID_NAME": package_id, "CHAINCODE_RECONNECT_SECONDS": "0.5"}
    serving = Serving(environment, "--peer.address", peer.address)
    with pytest.raises(Exception, match=f"at {peer.address} did not register {package_id}"):
        await asyncio.wait_for(serving.task, DEADLINE)
    await peer.stop()


async def test_a_peer_that_goes_away_for_good_ends_the_process() -> None:
    peer = await ChaincodeSupport().start()
    environment = {"CORE_CHAINCODE_ID_NAME": "notes:1", "CHAINCODE_RECONNECT_SECONDS": "0.5"}
    serving = Serving(environment, "--peer.address", peer.address)
    await peer.registered()
    await peer.stop()
    with pytest.raises(Exception, match=r"cannot be reached any more"):
        await asyncio.wait_for(serving.task, DEADLINE)


@pytest.mark.parametrize("kind", ["FILE", "PATH"])
async def test_mutual_tls_to_the_peer(kind: str, tmp_path: Path) -> None:
    authority = new_authority("tls-ca", start=START)
    peer_key, key = new_private_key(), new_private_key()
    certificate = issue(
        authority, common_name="peer", public_key=peer_key.public_key(), start=START, server=True,
        ip_addresses=["127.0.0.1"],
    )  # fmt: skip
    client = issue(authority, common_name="notes", public_key=key.public_key(), start=START, client=True)
    environment = {"CORE_PEER_TLS_ENABLED": "true", "CORE_CHAINCODE_ID_NAME": "notes:1"}
    files = {"KEY": key_pem(key), "CERT": certificate_pem(client)}
    for name, content in files.items():
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes(content if kind == "FILE" else base64.b64encode(content))
        environment[f"CORE_TLS_CLIENT_{name}_{kind}"] = str(tmp_path / name)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    environment["CORE_PEER_TLS_ROOTCERT_FILE"] = str(tmp_path / "ca.pem")
    credentials = grpc.ssl_server_credentials(
        [(key_pem(peer_key), certificate_pem(certificate))], authority.pem, require_client_auth=True
    )
    peer = await ChaincodeSupport().start(credentials)
    serving = Serving(environment, "--peer.address", peer.address)
    assert (await (await peer.registered()).call(b"notes:read", b"k", value=b"v")).payload == b"v"
    await serving.end()
    await peer.stop()


def test_the_stream_is_that_of_fabrics_service() -> None:
    service = chaincode_shim_pb2.DESCRIPTOR.services_by_name["ChaincodeSupport"]
    assert f"/{service.full_name}/{service.methods[0].name}" == "/protos.ChaincodeSupport/Register"
