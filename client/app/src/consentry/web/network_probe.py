"""Asks peers for their heights and every node for its TLS certificate, at most every five seconds."""

from __future__ import annotations

import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from cryptography import x509

from consentry.errors import ConsentryError
from consentry.ledger import Ledger
from consentry.profile import Endpoint
from consentry.running_channel import read_definition
from consentry.verification.encoding import read_block
from consentry.verification.findings import Finding
from consentry.web.network_state import NetworkState, NodeState
from fabric_gateway import Gateway, StreamError

_FRESH = timedelta(seconds=5)
_SECONDS = 3.0
_THREADS = 8


class NetworkProbe:
    """Callable that gives the state of a ledger's network; usable by many threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._last: NetworkState | None = None

    def __call__(self) -> NetworkState:
        """Return how the nodes are, or were up to five seconds ago."""
        with self._lock:
            now = self._ledger.clock()
            if self._last is None or now - self._last.asked_at > _FRESH:
                self._last = self._ask(now)
            return self._last

    def _ask(self, now: datetime) -> NetworkState:
        profile = self._ledger.profile
        peers = [
            (organization.msp_id, peer)
            for organization in profile.organizations.values()
            for peer in organization.peers
        ]
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="consentry-web-probe") as threads:
            found = list(threads.map(lambda asked: self._peer(*asked), peers))
            orderers = list(threads.map(_orderer, profile.orderers))
        return NetworkState(now, tuple(found), tuple(orderers), self._chaincode())

    def _peer(self, msp_id: str, peer: Endpoint) -> NodeState:
        identity = self._ledger.identity
        try:
            ends = _certificate_end(peer)
            with Gateway.connect(
                peer.endpoint,
                identity=identity.serialized,
                signer=identity.signer,
                tls_roots=peer.read_tls_roots(),
                server_name=peer.server_name,
                clock=self._ledger.clock,
            ) as gateway:
                newest = gateway.network(self._ledger.profile.channel).newest_block()
            height = int(read_block(newest, 0).header.number) + 1
        except (OSError, ssl.SSLError, ConsentryError, StreamError, Finding) as error:
            return NodeState(msp_id, peer.endpoint, None, None, _fault(error))
        return NodeState(msp_id, peer.endpoint, height, ends, "")

    def _chaincode(self) -> str:
        try:
            found = read_definition(self._ledger.network, self._ledger.profile.chaincode)
        except ConsentryError:
            return ""
        return "" if found is None else f"{found.version} ({found.sequence})"


def _orderer(orderer: Endpoint) -> NodeState:
    try:
        return NodeState("", orderer.endpoint, None, _certificate_end(orderer), "")
    except (OSError, ssl.SSLError, ConsentryError) as error:
        return NodeState("", orderer.endpoint, None, None, _fault(error))


def _certificate_end(node: Endpoint) -> datetime:
    """The end of a node's TLS certificate, which it proved to have."""
    context = ssl.create_default_context(cadata=node.read_tls_roots().decode("ascii"))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    host, _, port = node.endpoint.rpartition(":")
    with (
        socket.create_connection((host, int(port)), _SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=node.server_name) as tls,
    ):
        der = tls.getpeercert(binary_form=True) or b""
    return x509.load_der_x509_certificate(der).not_valid_after_utc


def _fault(error: Exception) -> str:
    """A code: what nodes say may hold anything."""
    if isinstance(error, ConsentryError | StreamError):
        return str(error.code)
    return "TLS_FAILED" if isinstance(error, ssl.SSLError) else "UNREACHABLE"
