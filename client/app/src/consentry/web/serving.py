"""Running the pages: HTTPS on one port beside a follower of the own peer, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from consentry import https_serving
from consentry.channel_members import ChannelMembers
from consentry.errors import ConfigurationError, ConsentryError, InputRejected
from consentry.https_serving import Certificate
from consentry.ledger import Ledger
from consentry.web.action_settings import action_settings
from consentry.web.application import create_application
from consentry.web.client_certificates import CertificateProtocol
from consentry.web.network_probe import NetworkProbe
from consentry.web.peer_proofs import PeerProver
from consentry.web.places import SignInFile
from consentry.web.read_log import LedgerReadLog
from consentry.web.settings import ReportFiles, WebSettings

_FOLLOW_SECONDS = 1.0
_ORIGIN = re.compile(r"https://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:]{2,39}\])(?::[0-9]{1,5})?")
_log = logging.getLogger(__name__)


def serve(
    ledger: Ledger,
    origin: str,
    host: str,
    port: int,
    certificate: Certificate,
    announce: Callable[[int], None],
    *,
    client_roots: Path | None = None,
    report_files: ReportFiles | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is called with the port once requests are taken.

    Args:
        ledger: of an identity of the organization; reads are recorded by it.
        origin: where browsers reach the pages.
        host: address to listen on.
        port: port to listen on.
        certificate: for TLS.
        announce: called with the port.
        client_roots: PEM file of authorities whose client certificates are asked for; None for none.
        report_files: what the operator gives for reports.

    Raises:
        ConfigurationError: CANNOT_LISTEN; the index's or the network's faults.
    """
    options: dict[str, Any] = {"http": CertificateProtocol}
    if client_roots is not None:
        options |= {"ssl_cert_reqs": ssl.CERT_OPTIONAL, "ssl_ca_certs": client_roots}
    with _following(ledger), contextlib.closing(LedgerReadLog(ledger.trail_reads, ledger.clock)) as reads:
        settings = replace(settings_of(ledger, origin, reads), report_files=report_files or ReportFiles())

        @contextlib.asynccontextmanager
        async def listen(stopping: asyncio.Event) -> AsyncIterator[int]:
            application = create_application(settings)
            application.state.stopping = stopping
            async with https_serving.listening(
                application, host, port, certificate, stopping, **options
            ) as actual:
                yield actual

        asyncio.run(https_serving.serve_until_stopped(listen, announce))


def settings_of(ledger: Ledger, origin: str, reads: LedgerReadLog) -> WebSettings:
    """What the pages of the ledger's organization are served with.

    Raises:
        LedgerUnreachable, LedgerRefused
        ConfigurationError: ORGANIZATION_UNKNOWN, the ledger's settings do not name the organization.
    """
    msp_id = ledger.identity.msp_id
    kind = ledger.settings().kind_of(msp_id)
    if kind is None:
        raise ConfigurationError("ORGANIZATION_UNKNOWN", f"the ledger's settings do not name {msp_id}")
    directory = ledger.profile.directory / "web" / ledger.profile.organization(msp_id).name
    return WebSettings(
        origin=origin,
        msp_id=msp_id,
        kind=kind,
        channel=ledger.profile.channel,
        engine=ledger.trail.engine,
        members=ChannelMembers(ledger.network),
        reads=reads,
        keep_sign_in=SignInFile(directory).keep,
        prover=PeerProver(ledger),
        probe=NetworkProbe(ledger),
        clock=ledger.clock,
        actions=action_settings(ledger),
        register=lambda: ledger.kept_subjects,
    )


def origin_of(url: str) -> str:
    """The origin of a URL as browsers write it: in lower case, without the port that is https's own.

    Raises:
        InputRejected: URL_INVALID.
    """
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.netloc.rpartition("@")[2].removesuffix(f":{port}")
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, 443) else "")
    if not _ORIGIN.fullmatch(origin) or parts.path not in ("", "/") or parts.query or "@" in parts.netloc:
        raise InputRejected("URL_INVALID", f"got {url!r}, expected https://HOST or https://HOST:PORT")
    return origin


def free_port(host: str) -> int:
    """A port that nobody listens on now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _following(ledger: Ledger) -> Iterator[None]:
    """Keep the index up to date in a thread of its own; pages say how far behind it is."""
    stopping = threading.Event()

    def follow() -> None:
        while True:
            try:
                ledger.trail.update()
            except ConsentryError as error:
                _log.warning("the index was not brought up to date: %s", error.code)
            if stopping.wait(_FOLLOW_SECONDS):
                return

    thread = threading.Thread(target=follow, name="consentry-web-follower")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
