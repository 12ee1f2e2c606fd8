"""A chaincode process over real sockets, with and without TLS."""

import asyncio
from pathlib import Path

import grpc
import grpc.aio
import pytest
from fabric_protos.peer import chaincode_shim_pb2
from support.scripted_peer import Message, proposal_message, response_of
from support.service_process import DEADLINE, START, Peer, start

from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_authority, new_private_key


@pytest.fixture
async def service():
    service = await start({"CHAINCODE_SERVER_ADDRESS": "127.0.0.1:0", "CHAINCODE_TLS_DISABLED": "true"})
    yield service
    if service.process.returncode is None:
        await service.terminate()


async def test_it_serves_and_ends_cleanly(service):
    async with grpc.aio.insecure_channel(service.address) as channel:
        peer = Peer(channel)
        assert await peer.handshake() == "notes:1"
        assert (await peer.call(b"notes:write", b"k", b"v")).status == 200
        assert (await peer.call(b"notes:read", b"k", value=b"v")).payload == b"v"
    assert (await service.terminate())[0] == 0


async def test_several_peers_have_a_conversation_each(service):
    async with grpc.aio.insecure_channel(service.address) as channel:
        peers = [Peer(channel) for _ in range(3)]
        await asyncio.gather(*(peer.handshake() for peer in peers))
        calls = (peer.call(b"notes:read", b"k", value=str(n).encode()) for n, peer in enumerate(peers))
        assert [response.payload for response in await asyncio.gather(*calls)] == [b"0", b"1", b"2"]


@pytest.mark.parametrize("first", [b"\xff\xff", Message(type=Message.TRANSACTION).SerializeToString(), b""])
async def test_a_peer_that_breaks_the_protocol_loses_its_stream_only(service, first):
    async with grpc.aio.insecure_channel(service.address) as channel:
        good, bad = Peer(channel), Peer(channel)
        await good.handshake()
        await bad.hear()
        await bad.stream.write(first)
        assert await asyncio.wait_for(bad.stream.code(), DEADLINE) == grpc.StatusCode.INVALID_ARGUMENT
        assert (await good.call(b"notes:read", b"k", value=b"v")).payload == b"v"


async def test_sigterm_lets_running_transactions_end(service):
    async with grpc.aio.insecure_channel(service.address) as channel:
        peer = Peer(channel)
        await peer.handshake()
        await peer.say_call(b"notes:wait", b"300", txid="tx1")
        await peer.answer(await peer.hear())  # it runs: it has asked
        status = asyncio.create_task(service.terminate())
        assert response_of(await peer.hear()).payload == b"waited"
        assert (await status)[0] == 0


async def test_proposals_outside_the_window_are_refused_by_the_real_clock(service):
    async with grpc.aio.insecure_channel(service.address) as channel:
        peer = Peer(channel)
        await peer.handshake()
        await peer.say(proposal_message([b"notes:read", b"k"], "tx1", time=START))
        assert "PROPOSAL_TIME_REFUSED" in response_of(await peer.hear()).message
    log = (await service.terminate())[1]
    assert "refused transaction tx1: PROPOSAL_TIME_REFUSED" in log


async def test_a_large_message_passes(service):
    async with grpc.aio.insecure_channel(
        service.address, options=[("grpc.max_receive_message_length", -1)]
    ) as channel:
        peer = Peer(channel)
        await peer.handshake()
        assert len((await peer.call(b"notes:read", b"k", value=b"x" * 6 * 2**20)).payload) == 6 * 2**20


def identity(authority, name, directory, **usage):
    private_key = new_private_key()
    certificate = issue(
        authority, common_name=name, public_key=private_key.public_key(), start=START, **usage
    )
    key_path, certificate_path = directory / f"{name}.key", directory / f"{name}.pem"
    key_path.touch(mode=0o600)
    key_path.write_bytes(key_pem(private_key))
    certificate_path.write_bytes(certificate_pem(certificate))
    return key_path, certificate_path


@pytest.fixture
def authority():
    return new_authority("tls-ca", start=START)


@pytest.fixture
def secured(tmp_path: Path, authority):
    key, certificate = identity(
        authority, "service", tmp_path, server=True, dns_names=["localhost"], ip_addresses=["127.0.0.1"]
    )
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    return {
        "CHAINCODE_SERVER_ADDRESS": "127.0.0.1:0",
        "CHAINCODE_TLS_KEY": str(key),
        "CHAINCODE_TLS_CERT": str(certificate),
        "CHAINCODE_CLIENT_CA_CERT": str(tmp_path / "ca.pem"),
    }


def peer_credentials(roots, issuer, directory):
    key, certificate = identity(issuer, "peer", directory, client=True)
    return grpc.ssl_channel_credentials(roots, key.read_bytes(), certificate.read_bytes())


async def test_mutual_tls_admits_peers_of_the_named_authority_only(secured, authority, tmp_path):
    service = await start(secured)
    stranger = new_authority("other-ca", start=START)
    try:
        known = peer_credentials(authority.pem, authority, tmp_path)
        async with grpc.aio.secure_channel(service.address, known) as channel:
            peer = Peer(channel)
            assert await peer.handshake() == "notes:1"
            assert (await peer.call(b"notes:read", b"k", value=b"v")).payload == b"v"
        for credentials in (
            grpc.ssl_channel_credentials(authority.pem),
            peer_credentials(authority.pem, stranger, tmp_path),
        ):
            async with grpc.aio.secure_channel(service.address, credentials) as channel:
                with pytest.raises(grpc.aio.AioRpcError):
                    await Peer(channel).hear()
    finally:
        assert (await service.terminate())[0] == 0


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"CHAINCODE_SERVER_ADDRESS": ""}, "CHAINCODE_SERVER_ADDRESS"),
        ({"CHAINCODE_TLS_KEY": "/none"}, "CHAINCODE_TLS_KEY"),
        ({"CHAINCODE_SERVER_ADDRESS": "192.0.2.1:1"}, "cannot listen on 192.0.2.1:1"),
    ],
)
async def test_a_service_that_cannot_start_says_why_and_exits_with_2(secured, change, expected):
    service = await start({**secured, **change})
    _, log = await asyncio.wait_for(service.process.communicate(), DEADLINE)
    assert service.process.returncode == 2
    assert expected in log.decode()
    assert "Traceback" not in log.decode()


def test_the_stream_is_that_of_fabrics_service():
    service = chaincode_shim_pb2.DESCRIPTOR.services_by_name["Chaincode"]
    assert f"/{service.full_name}/{service.methods[0].name}" == "/protos.Chaincode/Connect"
