"""Step one: a signed proposal, to be evaluated or endorsed."""

from __future__ import annotations

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2

import fabric_protocol.proposals
from fabric_gateway.connection import Connection
from fabric_gateway.endorsed import EndorsedPayload, checked_payload
from fabric_gateway.errors import EndorseError, EvaluateError
from fabric_gateway.transaction import Transaction
from fabric_gateway.transport import StatusFailure

_FIRST_ERROR_STATUS = 400


class Proposal:
    """A transaction proposal of this caller; made by `Contract.new_proposal`."""

    def __init__(
        self,
        connection: Connection,
        proposal: fabric_protocol.proposals.Proposal,
        endorsing_organizations: tuple[str, ...] = (),
    ) -> None:
        self._connection = connection
        self._proposal = proposal
        self._organizations = endorsing_organizations

    @property
    def transaction_id(self) -> str:
        """The id that the transaction has or will have."""
        return self._proposal.transaction_id

    @property
    def data(self) -> bytes:
        """The serialized proposal, as it is signed."""
        return self._proposal.data

    def evaluate(self) -> bytes:
        """Have one peer run the proposal and return the function's result.

        Raises:
            EvaluateError: the gateway refused, or the function failed.
        """
        request = gateway_pb2.EvaluateRequest(
            transaction_id=self.transaction_id,
            channel_id=self._proposal.channel_id,
            proposed_transaction=self._signed(),
            target_organizations=self._organizations,
        )
        try:
            result = self._connection.transport.evaluate(request, self._connection.timeouts.evaluate).result
        except StatusFailure as failure:
            raise failure.as_error(EvaluateError, self.transaction_id) from failure
        if result.status >= _FIRST_ERROR_STATUS:
            message = f"chaincode response {result.status}, {result.message}"
            raise EvaluateError(message, code="UNKNOWN", transaction_id=self.transaction_id)
        return bytes(result.payload)

    def endorse(self) -> Transaction:
        """Have the proposal endorsed; return the transaction, ready to be submitted.

        What the gateway returns is compared with the proposal and its endorsements are verified before it
        is signed.

        Raises:
            EndorseError: not endorsed.
            EnvelopeError: the answer is not this proposal's transaction.
        """
        request = gateway_pb2.EndorseRequest(
            transaction_id=self.transaction_id,
            channel_id=self._proposal.channel_id,
            proposed_transaction=self._signed(),
            endorsing_organizations=self._organizations,
        )
        try:
            response = self._connection.transport.endorse(request, self._connection.timeouts.endorse)
        except StatusFailure as failure:
            raise failure.as_error(EndorseError, self.transaction_id) from failure
        endorsed = checked_payload(self._proposal, response.prepared_transaction.payload, self._organizations)
        return Transaction(self._connection, self._proposal, endorsed, self._signed_envelope(endorsed))

    def _signed(self) -> proposal_pb2.SignedProposal:
        return proposal_pb2.SignedProposal(
            proposal_bytes=self.data, signature=self._connection.sign(self.data)
        )

    def _signed_envelope(self, endorsed: EndorsedPayload) -> common_pb2.Envelope:
        return common_pb2.Envelope(
            payload=endorsed.payload, signature=self._connection.sign(endorsed.payload)
        )
