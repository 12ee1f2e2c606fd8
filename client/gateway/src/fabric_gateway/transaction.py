"""Step two: an endorsed transaction, to be signed and submitted for ordering."""

from __future__ import annotations

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2

import fabric_protocol.proposals
from fabric_gateway.commit import Commit
from fabric_gateway.connection import Connection
from fabric_gateway.endorsed import EndorsedPayload
from fabric_gateway.errors import SubmitError
from fabric_gateway.failures import StatusFailure
from fabric_gateway.steps import Call, Steps, run

# These refuse the request before anything reaches an orderer, or pass on an orderer's refusal (ABORTED).
# After any other status the transaction may have been ordered: a SmartBFT gateway answers UNAVAILABLE for
# some transactions that it did order.
DEFINITE_REFUSALS = frozenset(
    {
        "ABORTED",
        "FAILED_PRECONDITION",
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "UNAUTHENTICATED",
        "UNIMPLEMENTED",
    }
)
"""Codes of a refused `submit` after which nothing can come of the transaction."""


class Transaction:
    """An endorsed transaction; made by `Proposal.endorse` or `Gateway.transaction`.

    The gateway's signer signs it when it is submitted. Off-line: `to_bytes` and `to_sign` go to whoever has
    the key, and `Gateway.signed_transaction` takes the bytes and his signature.
    """

    def __init__(
        self,
        connection: Connection,
        proposal: fabric_protocol.proposals.Proposal,
        endorsed: EndorsedPayload,
        signature: bytes = b"",
    ) -> None:
        self._connection = connection
        self._proposal = proposal
        self._endorsed = endorsed
        self._signature = signature
        self._commit: Commit | None = None

    @property
    def transaction_id(self) -> str:
        """The transaction's id."""
        return self._proposal.transaction_id

    @property
    def result(self) -> bytes:
        """What the chaincode returned, as endorsed; it counts only once the transaction is valid."""
        return self._endorsed.result

    @property
    def endorsers(self) -> tuple[str, ...]:
        """MSP ids of the endorsing peers, in the order of their endorsements."""
        return self._endorsed.endorsers

    @property
    def to_sign(self) -> bytes:
        """What a signer is given: the SHA-256 digest of the payload; with Ed25519 the payload."""
        return self._connection.signing.to_sign(self._endorsed.payload)

    @property
    def envelope(self) -> bytes:
        """The signed envelope (common.Envelope), as it is submitted.

        Raises:
            UnsignedError, SigningError: it is not signed.
        """
        return bytes(self._signed_envelope().SerializeToString(deterministic=True))

    def to_bytes(self) -> bytes:
        """Return the transaction with its signature, if it has one, for `Gateway.transaction`.

        The bytes are gateway.PreparedTransaction, as of Hyperledger's own clients.
        """
        prepared = gateway_pb2.PreparedTransaction(
            transaction_id=self.transaction_id,
            envelope=common_pb2.Envelope(payload=self._endorsed.payload, signature=self._signature),
        )
        return bytes(prepared.SerializeToString(deterministic=True))

    def prepare_commit(self) -> Commit:
        """Return the handle for this transaction's status; good before `submit`, too.

        Its request is signed at once where the gateway has a signer: no fault of the signer can then leave a
        submitted transaction without a way to learn its status.
        """
        if self._commit is None:
            request = gateway_pb2.CommitStatusRequest(
                transaction_id=self.transaction_id,
                channel_id=self._proposal.channel_id,
                identity=self._connection.identity,
            ).SerializeToString(deterministic=True)
            signature = self._connection.sign(request) if self._connection.signing.can_sign else b""
            self._commit = Commit(self._connection, self.transaction_id, request, signature)
        return self._commit

    def submit(self) -> Commit:
        """Hand the transaction to the orderers; return the handle for its status.

        Raises:
            SubmitError: refused; or, with `outcome_unknown`, it may have been ordered: then ask the handle
                that `prepare_commit` gave, and do not propose again before it has answered.
            UnsignedError, SigningError: it is not signed.
        """
        return run(self._connection.transport, self._submitting())

    def _submitting(self) -> Steps[Commit]:
        """The steps of `submit`."""
        commit = self.prepare_commit()
        request = gateway_pb2.SubmitRequest(
            transaction_id=self.transaction_id,
            channel_id=self._proposal.channel_id,
            prepared_transaction=self._signed_envelope(),
        )
        try:
            yield Call("submit", request, self._connection.timeouts.submit)
        except StatusFailure as failure:
            raise SubmitError(
                failure.message,
                code=failure.code,
                details=failure.details,
                transaction_id=self.transaction_id,
                outcome_unknown=failure.code not in DEFINITE_REFUSALS,
            ) from failure
        return commit

    def _signed_envelope(self) -> common_pb2.Envelope:
        if not self._signature:
            self._signature = self._connection.sign(self._endorsed.payload)
        return common_pb2.Envelope(payload=self._endorsed.payload, signature=self._signature)
