"""Mutual TLS: a gate that demands certificates talks to nobody without one of an authority that it knows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from consentry.errors import ConfigurationError, ConsentryError
from consentry.gate.address import GateAddress
from consentry.gate.client_certificates import check_roots, show_certificate
from consentry.gate.connection import GateConnection
from consentry.https_serving import Certificate, listening, self_signed
from consentry.identity import WalletIdentity
from consentry.private_files import write_private

pytestmark = pytest.mark.integration
REACHED = "ATTEMPT_NOT_FOUND"
REFUSED = "GATE_UNREACHABLE"


class Authority:
    """Issues certificates of people."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "members")])
        self.root = self._certificate(self._key.public_key(), self._name, is_authority=True)

    def identity(self) -> WalletIdentity:
        """Somebody's certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "u1")])
        certificate = self._certificate(key.public_key(), name, is_authority=False)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return WalletIdentity("RiversideMSP", certificate, pem)

    def _certificate(self, key: ec.EllipticCurvePublicKey, name: x509.Name, *, is_authority: bool) -> bytes:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


@contextmanager
def served(directory: Path, client_roots: Path | None) -> Iterator[GateAddress]:
    """Something that answers every request that gets through TLS as a gate answers a wrong attempt."""

    async def answer(_request: object) -> JSONResponse:
        return JSONResponse({"code": REACHED, "message": "no such attempt"}, 404)

    application = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    certificate = self_signed(directory, "127.0.0.1", "gate")
    loop, stopping, ports = asyncio.new_event_loop(), asyncio.Event(), []
    up = threading.Event()
    task = _serve(application, certificate, stopping, client_roots, ports, up)
    thread = threading.Thread(target=lambda: loop.run_until_complete(task))
    thread.start()
    assert up.wait(30)
    try:
        yield GateAddress(f"https://127.0.0.1:{ports[0]}", certificate.roots.read_text())
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()


async def _serve(
    application: Starlette,
    certificate: Certificate,
    stopping: asyncio.Event,
    client_roots: Path | None,
    ports: list[int],
    up: threading.Event,
) -> None:
    async with listening(
        application, "127.0.0.1", 0, certificate, stopping, client_roots=client_roots
    ) as port:
        ports.append(port)
        up.set()
        await stopping.wait()


@pytest.fixture(scope="module")
def members() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def demanding(members: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GateAddress]:
    directory = tmp_path_factory.mktemp("gate")
    roots = directory / "members.pem"
    roots.write_bytes(members.root)
    with served(directory, roots) as address:
        yield address


def answer(address: GateAddress, identity: WalletIdentity, own: Path) -> str:
    """The code of what came of a request for rows, and of one for aggregates: the same."""
    connection = GateConnection(address, "NorthgateMSP", identity, lambda: datetime.now(UTC), own)
    connection.connect()
    try:
        with pytest.raises(ConsentryError) as rows, connection.rows("attempt-" + "0" * 32, None):
            pass
        with pytest.raises(ConsentryError) as aggregates:
            connection.aggregates("attempt-" + "0" * 32)
    finally:
        connection.close()
    codes = {rows.value.code, aggregates.value.code}
    assert len(codes) == 1
    return codes.pop()


def test_the_ledger_identity_is_shown_to_a_gate_that_demands_certificates(
    demanding: GateAddress, members: Authority, tmp_path: Path
) -> None:
    assert answer(demanding, members.identity(), tmp_path / "client.pem") == REACHED


def test_a_certificate_of_another_authority_is_refused(demanding: GateAddress, tmp_path: Path) -> None:
    assert answer(demanding, Authority().identity(), tmp_path / "client.pem") == REFUSED


def test_a_certificate_of_ones_own_comes_first(
    demanding: GateAddress, members: Authority, tmp_path: Path
) -> None:
    own, known = tmp_path / "client.pem", members.identity()
    write_private(own, known.certificate_pem + known.private_key_pem)
    assert answer(demanding, Authority().identity(), own) == REACHED
    stranger = Authority().identity()
    write_private(own, stranger.certificate_pem + stranger.private_key_pem, replace=True)
    assert answer(demanding, members.identity(), own) == REFUSED


def test_without_a_certificate_there_is_no_connection(
    demanding: GateAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consentry.gate.connection.show_certificate", lambda *_: None)
    assert answer(demanding, Authority().identity(), tmp_path / "client.pem") == REFUSED


def test_a_gate_that_demands_none_takes_anybody(members: Authority, tmp_path: Path) -> None:
    with served(tmp_path, None) as address:
        assert answer(address, Authority().identity(), tmp_path / "client.pem") == REACHED


def test_a_connection_made_beforehand_is_used(
    demanding: GateAddress, members: Authority, tmp_path: Path
) -> None:
    connection = GateConnection(
        demanding, "NorthgateMSP", members.identity(), lambda: datetime.now(UTC), tmp_path / "client.pem"
    )
    connection.connect()
    connection._connecting.join()
    (before,) = connection._client._transport._pool.connections
    with pytest.raises(ConsentryError):
        connection.aggregates("attempt-" + "0" * 32)
    assert connection._client._transport._pool.connections == [before]
    connection.close()


def test_a_gate_that_is_not_there_is_said_when_it_is_asked(members: Authority, tmp_path: Path) -> None:
    with served(tmp_path, None) as address:
        pass
    assert answer(address, members.identity(), tmp_path / "client.pem") == REFUSED


@pytest.mark.parametrize("content", [b"", b"no certificate", None])
def test_files_without_certificates_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file.pem"
    if content is not None:
        write_private(path, content)
    with pytest.raises(ConfigurationError) as caught:
        check_roots(path)
    assert caught.value.code == "CLIENT_ROOTS_INVALID"
    if content is None:
        return
    with pytest.raises(ConfigurationError) as caught:
        show_certificate(GateAddress("https://x", "").tls(), path, Authority().identity())
    assert caught.value.code == "CLIENT_CERTIFICATE_INVALID"


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, members: Authority) -> None:
    identity, path = members.identity(), tmp_path / "client.pem"
    path.write_bytes(identity.certificate_pem + identity.private_key_pem)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError) as caught:
        show_certificate(GateAddress("https://x", "").tls(), path, identity)
    assert caught.value.code == "PATH_EXPOSED"
