"""Step two: an endorsed and signed transaction, to be submitted for ordering."""

from __future__ import annotations

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2

import fabric_protocol.proposals
from fabric_gateway.commit import Commit
from fabric_gateway.connection import Connection
from fabric_gateway.endorsed import EndorsedPayload
from fabric_gateway.errors import SubmitError
from fabric_gateway.transport import StatusFailure

# These refuse the request before anything reaches an orderer, or pass on an orderer's refusal (ABORTED).
# After any other status the transaction may have been ordered: a SmartBFT gateway answers UNAVAILABLE for
# some transactions that it did order.
_DEFINITE_REFUSALS = frozenset(
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


class Transaction:
    """An endorsed transaction with the caller's signature; made by `Proposal.endorse`."""

    def __init__(
        self,
        connection: Connection,
        proposal: fabric_protocol.proposals.Proposal,
        endorsed: EndorsedPayload,
        envelope: common_pb2.Envelope,
    ) -> None:
        self._connection = connection
        self._proposal = proposal
        self._endorsed = endorsed
        self._envelope = envelope

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
    def envelope(self) -> bytes:
        """The signed envelope, as it is submitted."""
        return bytes(self._envelope.SerializeToString(deterministic=True))

    def prepare_commit(self) -> Commit:
        """Return the handle for this transaction's status, its request signed; good before `submit`, too."""
        request = gateway_pb2.CommitStatusRequest(
            transaction_id=self.transaction_id,
            channel_id=self._proposal.channel_id,
            identity=self._connection.identity,
        ).SerializeToString(deterministic=True)
        signed = gateway_pb2.SignedCommitStatusRequest(
            request=request, signature=self._connection.sign(request)
        )
        return Commit(self._connection.transport, signed, self.transaction_id, self._connection.timeouts)

    def submit(self) -> Commit:
        """Hand the transaction to the orderers; return the handle for its status.

        Raises:
            SubmitError: refused; or, with `outcome_unknown`, it may have been ordered: then ask the handle
                that `prepare_commit` gave, and do not propose again before it has answered.
        """
        commit = self.prepare_commit()
        request = gateway_pb2.SubmitRequest(
            transaction_id=self.transaction_id,
            channel_id=self._proposal.channel_id,
            prepared_transaction=self._envelope,
        )
        try:
            self._connection.transport.submit(request, self._connection.timeouts.submit)
        except StatusFailure as failure:
            raise SubmitError(
                failure.message,
                code=failure.code,
                details=failure.details,
                transaction_id=self.transaction_id,
                outcome_unknown=failure.code not in _DEFINITE_REFUSALS,
            ) from failure
        return commit
