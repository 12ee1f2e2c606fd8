"""A caller's connection to a Fabric network through one peer's Gateway service."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from fabric_gateway.commit import Commit
from fabric_gateway.connection import Clock, Connection, Endpoint, open_transport, utc_clock
from fabric_gateway.fallback import FallbackTransport
from fabric_gateway.network import Network
from fabric_gateway.offline import commit_from_bytes, proposal_from_bytes, transaction_from_bytes
from fabric_gateway.proposal import Proposal
from fabric_gateway.signing import Signing
from fabric_gateway.timeouts import Timeouts
from fabric_gateway.transaction import Transaction
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
        signer: Signer | None = None,
        clock: Clock = utc_clock,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Use a transport that is open already; `close` closes it."""
        if not identity:
            raise ValueError("identity: got nothing, expected a serialized identity (msp.SerializedIdentity)")
        signing = Signing(bytes(identity), signer)
        self._connection = Connection(transport, bytes(identity), signing, clock, timeouts or Timeouts())

    @classmethod
    def connect(
        cls,
        endpoint: str,
        *,
        identity: bytes,
        signer: Signer | None = None,
        tls_roots: bytes,
        server_name: str | None = None,
        fallbacks: Sequence[Endpoint] = (),
        clock: Clock = utc_clock,
        timeouts: Timeouts | None = None,
    ) -> Gateway:
        """Connect to the peer at `endpoint` (host:port) over TLS; nothing is sent before the first call.

        `identity` is the caller's serialized identity (`serialize_identity`). `signer` is any callable: for
        an ECDSA certificate it takes a SHA-256 digest and returns DER (brought to low-S here), for an Ed25519
        one it takes the message; without one, every step is signed elsewhere (see `signed_proposal`).
        `tls_roots` are PEM certificates, `clock` gives proposals their timestamps. While the gateway does not
        answer, `fallbacks` are asked in their order.

        Raises:
            ValueError: no identity, a kind of key that Fabric does not take, or no TLS roots.
        """
        first = Endpoint(endpoint, tls_roots, server_name)
        transport = (
            _open(first) if not fallbacks else FallbackTransport([_open(e) for e in (first, *fallbacks)])
        )
        try:
            return cls(transport, identity=identity, signer=signer, clock=clock, timeouts=timeouts)
        except BaseException:
            transport.close()
            raise

    @property
    def transport(self) -> Transport:
        """The calls themselves, for whoever passes on what others signed."""
        return self._connection.transport

    def network(self, name: str) -> Network:
        """Return the channel `name`; whether it exists shows with the first call."""
        return Network(self._connection, name)

    def proposal(self, data: bytes) -> Proposal:
        """Return the proposal of `Proposal.to_bytes`; signed, if it was.

        Raises:
            ValueError: other bytes, or another identity's.
        """
        return proposal_from_bytes(self._connection, data, None)

    def signed_proposal(self, data: bytes, signature: bytes) -> Proposal:
        """Return the proposal of `Proposal.to_bytes` with a signature of `Proposal.to_sign` made elsewhere.

        Raises:
            ValueError: other bytes, or another identity's.
            SigningError: no signature of the identity's kind of key.
        """
        return proposal_from_bytes(self._connection, data, signature)

    def transaction(self, data: bytes) -> Transaction:
        """Return the transaction of `Transaction.to_bytes`, once its endorsements are verified.

        Raises:
            ValueError: other bytes, or another identity's.
            EnvelopeError: an endorsement does not hold, or is of another proposal.
        """
        return transaction_from_bytes(self._connection, data, None)

    def signed_transaction(self, data: bytes, signature: bytes) -> Transaction:
        """Return the transaction of `Transaction.to_bytes` with a signature of `Transaction.to_sign`.

        Raises as `transaction`, and SigningError as `signed_proposal`.
        """
        return transaction_from_bytes(self._connection, data, signature)

    def commit(self, data: bytes) -> Commit:
        """Return the commit of `Commit.to_bytes`; a submitted transaction's status can be asked for by it.

        Raises:
            ValueError: other bytes, or another identity's.
        """
        return commit_from_bytes(self._connection, data, None)

    def signed_commit(self, data: bytes, signature: bytes) -> Commit:
        """Return the commit of `Commit.to_bytes` with a signature of `Commit.to_sign` made elsewhere.

        Raises as `commit`, and SigningError as `signed_proposal`.
        """
        return commit_from_bytes(self._connection, data, signature)

    def close(self) -> None:
        """Close the connection; running calls and streams end."""
        self._connection.transport.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(endpoint: Endpoint) -> Transport:
    return open_transport(endpoint.address, endpoint.tls_roots, endpoint.server_name)
