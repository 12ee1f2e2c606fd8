"""A caller's connection to a Fabric network through one peer's Gateway service."""

from __future__ import annotations

from types import TracebackType

from fabric_gateway.connection import Clock, Connection, open_transport, utc_clock
from fabric_gateway.network import Network
from fabric_gateway.timeouts import Timeouts
from fabric_gateway.transport import Transport
from fabric_protocol.signatures import Signer


class Gateway:
    """An identity at a gateway; a context manager that closes the connection it opened.

    Safe for use by many threads: a `ThreadPoolExecutor` over `Contract.submit` keeps many in flight.

    Example:
        with Gateway.connect("peer:7051", identity=identity, signer=signer, tls_roots=pem) as gateway:
            contract = gateway.network("channel").contract("chaincode")
            contract.submit("put", "key", "value")
    """

    def __init__(
        self,
        transport: Transport,
        *,
        identity: bytes,
        signer: Signer,
        clock: Clock = utc_clock,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Use a transport that is open already; `close` closes it."""
        if not identity:
            raise ValueError("identity: got nothing, expected a serialized identity (msp.SerializedIdentity)")
        self._connection = Connection(transport, bytes(identity), signer, clock, timeouts or Timeouts())

    @classmethod
    def connect(
        cls,
        endpoint: str,
        *,
        identity: bytes,
        signer: Signer,
        tls_roots: bytes,
        server_name: str | None = None,
        clock: Clock = utc_clock,
        timeouts: Timeouts | None = None,
    ) -> Gateway:
        """Connect to the peer at `endpoint` (host:port) over TLS; nothing is sent before the first call.

        `identity` is the caller's serialized identity, `signer` maps a SHA-256 digest to a signature
        (DER, low-S for ECDSA), `tls_roots` PEM certificates, `clock` gives proposals their timestamps.
        """
        transport = open_transport(endpoint, tls_roots, server_name)
        try:
            return cls(transport, identity=identity, signer=signer, clock=clock, timeouts=timeouts)
        except BaseException:
            transport.close()
            raise

    def network(self, name: str) -> Network:
        """Return the channel `name`; whether it exists shows with the first call."""
        return Network(self._connection, name)

    def close(self) -> None:
        """Close the connection; running calls and streams end."""
        self._connection.transport.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
