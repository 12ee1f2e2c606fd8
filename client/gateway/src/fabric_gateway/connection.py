"""What every step needs: the calls, who calls, how he signs, which clock he has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc

from fabric_gateway.signing import Signing
from fabric_gateway.timeouts import Timeouts
from fabric_gateway.transport import GrpcTransport, Transport

Clock = Callable[[], datetime]

# Peers disconnect clients that ping more often than once a minute (Fabric's keepalive.minInterval).
_KEEPALIVE_MILLISECONDS = 120_000
_LARGEST_MESSAGE_BYTES = 100 * 1024 * 1024
_LONGEST_RECONNECT_MILLISECONDS = 2_000


def utc_clock() -> datetime:
    """Return this machine's time; a proposal's timestamp is the clock of whoever created it."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Connection:
    """A caller at a gateway: transport, serialized identity, how it signs, clock, timeouts."""

    transport: Transport
    identity: bytes
    signing: Signing
    clock: Clock = utc_clock
    timeouts: Timeouts = field(default_factory=Timeouts)

    def sign(self, message: bytes) -> bytes:
        """Return the caller's signature over `message`."""
        return self.signing.sign(message)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A gateway: address (host:port), the PEM certificates that its own must lead to, and the name expected
    in it where that differs from the host.
    """

    address: str
    tls_roots: bytes
    server_name: str | None = None


def open_transport(endpoint: str, tls_roots: bytes, server_name: str | None = None) -> GrpcTransport:
    """Open a TLS channel to a peer, lazily: the first call connects, and broken connections are made again.

    `endpoint` is host:port, `tls_roots` the PEM certificates that the server's must lead to, `server_name`
    the name expected in the server's certificate where it differs from the endpoint's host.
    """
    if not tls_roots.strip():
        raise ValueError("tls_roots: got no certificate, expected PEM: connections without TLS are not made")
    options: list[tuple[str, str | int]] = [
        ("grpc.keepalive_time_ms", _KEEPALIVE_MILLISECONDS),
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE_BYTES),
        ("grpc.max_send_message_length", _LARGEST_MESSAGE_BYTES),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", _LONGEST_RECONNECT_MILLISECONDS),
        # What may be asked again is decided here, by what it does; gRPC would send any call a second time
        # where it believes that no server has seen the first.
        ("grpc.enable_retries", 0),
        # Two gateways of one process are two callers and must not share a connection's fate.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if server_name is not None:
        options.append(("grpc.ssl_target_name_override", server_name))
    credentials = grpc.ssl_channel_credentials(root_certificates=tls_roots)
    return GrpcTransport(grpc.secure_channel(endpoint, credentials, options=options))
