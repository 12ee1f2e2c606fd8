"""Step three: learn whether a submitted transaction is valid."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2

from fabric_gateway.connection import Connection
from fabric_gateway.errors import CommitStatusError
from fabric_gateway.failures import StatusFailure
from fabric_gateway.steps import Call, Pause, Steps, run

_VALID: int = transaction_pb2.TxValidationCode.VALID
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0
# After these the peer may answer later; any other status is an answer about the request itself.
_WORTH_ASKING_AGAIN = frozenset({"UNAVAILABLE", "UNKNOWN", "ABORTED", "INTERNAL", "RESOURCE_EXHAUSTED"})


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """A transaction's validation code, by number and by Fabric's name, and the block that carries it."""

    transaction_id: str
    code: int
    name: str
    block_number: int

    @property
    def successful(self) -> bool:
        """Whether the transaction is valid, so that its writes took effect."""
        return self.code == _VALID


class Commit:
    """A submitted transaction whose status can be asked for, any number of times.

    Off-line: `to_bytes` and `to_sign` go to whoever has the key, and `Gateway.signed_commit` takes the bytes
    and his signature.
    """

    def __init__(
        self, connection: Connection, transaction_id: str, request: bytes, signature: bytes = b""
    ) -> None:
        """Take M(gateway.CommitStatusRequest) and, where there is one, the signature over it."""
        self._connection = connection
        self._request = request
        self._signature = signature
        self.transaction_id = transaction_id

    @property
    def to_sign(self) -> bytes:
        """What a signer is given: the SHA-256 digest of the request; with Ed25519 the request."""
        return self._connection.signing.to_sign(self._request)

    def to_bytes(self) -> bytes:
        """Return the request with its signature, if it has one, for `Gateway.commit`.

        The bytes are gateway.SignedCommitStatusRequest, as of Hyperledger's own clients.
        """
        return bytes(self._message().SerializeToString(deterministic=True))

    def status(self, *, timeout: float | None = None) -> CommitStatus:
        """Wait until the transaction is on the ledger and return its validation code, as the peer tells it.

        `timeout` is in seconds (default: `Timeouts.commit_status`).

        Raises:
            CommitStatusError: the gateway did not tell; the transaction may be committed all the same.
            UnsignedError, SigningError: the request is not signed.
        """
        seconds = self._connection.timeouts.commit_status if timeout is None else timeout
        return run(self._connection.transport, self._asking(seconds))

    def _asking(self, seconds: float) -> Steps[CommitStatus]:
        if not self._signature:
            self._signature = self._connection.sign(self._request)
        try:
            response = yield Call("commit_status", self._message(), seconds)
        except StatusFailure as failure:
            raise failure.as_error(CommitStatusError, self.transaction_id) from failure
        return checked_status(self.transaction_id, response)

    def resolve(self, *, timeout: float | None = None) -> CommitStatus:
        """Ask for the status until it is told, through broken connections and restarts of the peer.

        `timeout` is in seconds for all tries together (default: `Timeouts.commit_status`).

        Raises:
            CommitStatusError: the last failure, once the time is used up or asking again is pointless.
        """
        return run(self._connection.transport, self._resolving(timeout))

    def _resolving(self, timeout: float | None = None) -> Steps[CommitStatus]:
        """The steps of `resolve`."""
        end = time.monotonic() + (self._connection.timeouts.commit_status if timeout is None else timeout)
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return (yield from self._asking(max(end - time.monotonic(), _FIRST_PAUSE_SECONDS)))
            except CommitStatusError as error:
                if error.code not in _WORTH_ASKING_AGAIN or time.monotonic() + pause >= end:
                    raise
            yield Pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _message(self) -> gateway_pb2.SignedCommitStatusRequest:
        return gateway_pb2.SignedCommitStatusRequest(request=self._request, signature=self._signature)


def checked_status(transaction_id: str, response: gateway_pb2.CommitStatusResponse) -> CommitStatus:
    """Return the status that a gateway told.

    Raises:
        CommitStatusError: it told none: an empty answer would read as valid, in block 0, which is the genesis
            block.
    """
    if not response.block_number:
        raise CommitStatusError(
            "got an answer without a block number, expected the block that holds the transaction",
            code="INVALID_RESPONSE",
            transaction_id=transaction_id,
        )
    return CommitStatus(transaction_id, response.result, _code_name(response.result), response.block_number)


def _code_name(code: int) -> str:
    try:
        return str(transaction_pb2.TxValidationCode.Name(code))
    except ValueError:
        return f"UNKNOWN_CODE_{code}"
