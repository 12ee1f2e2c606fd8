"""The peer's side of the chaincode protocol over real gRPC, with mutual TLS and less."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2_grpc
from fabric_protos.peer import chaincode_shim_pb2 as shim
from support.engine_material import until

from fabric_embedded.chaincode.link import ChaincodeLink
from fabric_embedded.chaincode.messages import Type
from fabric_embedded.chaincode.stream import ServiceAddress, dial
from fabric_protocol.certificates import (
    CertificateAuthority,
    certificate_pem,
    issue,
    key_pem,
    new_authority,
    new_private_key,
)

_START = datetime.now(UTC) - timedelta(days=1)
_PACKAGE = "basic:0123"


class Service(chaincode_shim_pb2_grpc.ChaincodeServicer):  # type: ignore[misc]
    """Registers, and keeps what the peer sends."""

    def __init__(self) -> None:
        self.received: list[int] = []

    async def Connect(self, requests: Any, context: Any) -> Any:
        name = chaincode_pb2.ChaincodeID(name=_PACKAGE).SerializeToString()
        yield shim.ChaincodeMessage(type=Type.REGISTER, payload=name)
        async for message in requests:
            self.received.append(message.type)


class Tls:
    """An authority with a server pair for 127.0.0.1 and a client pair."""

    def __init__(self) -> None:
        self.authority = new_authority("tls.example", start=_START)
        self.server = _pair(self.authority, server=True)
        self.client = _pair(self.authority, client=True)


def _pair(authority: CertificateAuthority, **usage: bool) -> tuple[bytes, bytes]:
    key = new_private_key()
    certificate = issue(
        authority,
        common_name="node",
        public_key=key.public_key(),
        ip_addresses=["127.0.0.1"],
        start=_START,
        **usage,  # type: ignore[arg-type]
    )
    return certificate_pem(certificate), key_pem(key)


@asynccontextmanager
async def _listening(
    tls: Tls | None, port: int = 0, *, asks_client: bool = True
) -> AsyncIterator[tuple[Service, int]]:
    server, service = grpc.aio.server(), Service()
    chaincode_shim_pb2_grpc.add_ChaincodeServicer_to_server(service, server)
    if tls is None:
        port = server.add_insecure_port(f"127.0.0.1:{port}")
    else:
        certificate, key = tls.server
        credentials = grpc.ssl_server_credentials(
            [(key, certificate)],
            root_certificates=tls.authority.pem if asks_client else None,
            require_client_auth=asks_client,
        )
        port = server.add_secure_port(f"127.0.0.1:{port}", credentials)
    await server.start()
    try:
        yield service, port
    finally:
        await server.stop(0)


def _link(port: int, root: bytes, client: tuple[bytes, bytes]) -> ChaincodeLink:
    return ChaincodeLink(_PACKAGE, dial(ServiceAddress(f"127.0.0.1:{port}", root, *client)))


@asynccontextmanager
async def _opened(link: ChaincodeLink) -> AsyncIterator[ChaincodeLink]:
    link.open()
    try:
        yield link
    finally:
        await link.close()


async def test_link_connects_registers_and_comes_back_after_the_service_was_away() -> None:
    tls = Tls()
    async with _listening(tls) as (service, port):
        link = _link(port, tls.authority.pem, tls.client)
        link.open()
        await until(lambda: link.is_connected)
        await until(lambda: service.received == [Type.REGISTERED, Type.READY])
    await until(lambda: not link.is_connected)
    async with _listening(tls, port):
        await until(lambda: link.is_connected)
        await link.close()
    assert not link.is_connected


@pytest.mark.parametrize("stranger", ["service", "peer"])
async def test_neither_side_talks_to_a_stranger(stranger: str) -> None:
    tls, other = Tls(), Tls()
    async with _listening(tls) as (service, port):
        root = other.authority.pem if stranger == "service" else tls.authority.pem
        client = other.client if stranger == "peer" else tls.client
        async with _opened(_link(port, root, client)) as link:
            await asyncio.sleep(0.5)
            assert not link.is_connected
            assert service.received == []


async def test_a_service_may_prove_itself_alone_or_nobody_anything() -> None:
    tls = Tls()
    async with _listening(tls, asks_client=False) as (_, port):
        address = ServiceAddress(f"127.0.0.1:{port}", tls.authority.pem)
        async with _opened(ChaincodeLink(_PACKAGE, dial(address))) as link:
            await until(lambda: link.is_connected)
    async with _listening(None) as (_, port):
        link = ChaincodeLink(_PACKAGE, dial(ServiceAddress(f"127.0.0.1:{port}")))
        async with _opened(link):
            await until(lambda: link.is_connected)
