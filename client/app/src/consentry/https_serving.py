"""HTTPS on one port until it is stopped: for the gate and for the pages."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from consentry.errors import ConfigurationError
from consentry.private_files import write_private

_POLL_SECONDS = 0.01
_GRACE_SECONDS = 5
_LIFETIME = timedelta(days=90)
_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A TLS certificate and its key (PEM files); clients trust `roots`."""

    certificate: Path
    key: Path
    roots: Path


class _Server(uvicorn.Server):
    """A server that leaves signals to the process that it is part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


def self_signed(directory: Path, host: str, common_name: str) -> Certificate:
    """Make a certificate for trials, valid for 90 days, anew with every start; return where it is."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    places = Certificate(directory / "tls.pem", directory / "tls.key", directory / "tls.pem")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(places.key, pem, replace=True)
    write_private(places.certificate, certificate.public_bytes(Encoding.PEM), replace=True)
    return places


@contextlib.asynccontextmanager
async def listening(
    application: Any,
    host: str,
    port: int,
    certificate: Certificate,
    stopping: asyncio.Event,
    *,
    client_roots: Path | None = None,
    **options: Any,
) -> AsyncIterator[int]:
    """Serve an ASGI application for as long as the block runs; yield the port. Leaving sets `stopping`.

    With `client_roots` (PEM certificates) clients have to prove themselves by a certificate that these vouch
    for. Requests are not logged; `options` are further ones of uvicorn's.

    Raises:
        ConfigurationError: CANNOT_LISTEN.
    """
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        ssl_certfile=certificate.certificate,
        ssl_keyfile=certificate.key,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        **options,
    )
    if client_roots is not None:
        _demand_certificates(config, client_roots)
    server = _Server(config)
    task = asyncio.create_task(_until_done(server))
    try:
        while not server.started:
            if task.done():
                raise ConfigurationError(
                    "CANNOT_LISTEN", f"cannot listen on {host}:{port}; the port is taken"
                )
            await asyncio.sleep(_POLL_SECONDS)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        stopping.set()
        server.should_exit = True
        await task


async def serve_until_stopped(
    listen: Callable[[asyncio.Event], contextlib.AbstractAsyncContextManager[int]],
    announce: Callable[[int], None],
) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is called with the port once requests are taken."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with listen(stopping) as actual:
        # What is there by now stays: no collection has to look at it while somebody waits for a page.
        gc.freeze()
        announce(actual)
        await stopping.wait()


def _demand_certificates(config: uvicorn.Config, roots: Path) -> None:
    config.ssl_ca_certs, config.ssl_cert_reqs = str(roots), ssl.CERT_REQUIRED
    config.load()
    if config.ssl is not None:
        # What is named is trusted, be it an authority or one below it.
        config.ssl.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


async def _until_done(server: uvicorn.Server) -> None:
    # uvicorn leaves by SystemExit when it cannot listen, which would end the process without a word.
    with contextlib.suppress(SystemExit):
        await server.serve()
