"""Step one: a proposal, to be signed, and evaluated or endorsed."""

from __future__ import annotations

from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2

import fabric_protocol.proposals
from fabric_gateway.connection import Connection
from fabric_gateway.endorsed import checked_payload
from fabric_gateway.errors import EndorseError, EvaluateError
from fabric_gateway.failures import StatusFailure
from fabric_gateway.steps import Call, Steps, run
from fabric_gateway.transaction import Transaction

Argument = bytes | str
"""What a chaincode is given: bytes, or text, sent as UTF-8."""

_FIRST_STATUS = 200
_FIRST_ERROR_STATUS = 400


class Proposal:
    """A transaction proposal of this caller; made by `Contract.new_proposal` or `Gateway.proposal`.

    The gateway's signer signs it when it is first sent. Off-line: `to_bytes` and `to_sign` go to whoever has
    the key, and `Gateway.signed_proposal` takes the bytes and his signature.
    """

    def __init__(
        self,
        connection: Connection,
        proposal: fabric_protocol.proposals.Proposal,
        endorsing_organizations: tuple[str, ...] = (),
        signature: bytes = b"",
    ) -> None:
        self._connection = connection
        self._proposal = proposal
        self._organizations = endorsing_organizations
        self._signature = signature

    @property
    def transaction_id(self) -> str:
        """The id that the transaction has or will have."""
        return self._proposal.transaction_id

    @property
    def endorsing_organizations(self) -> tuple[str, ...]:
        """MSP ids whose peers, and no others, are asked to endorse; none: the gateway finds out."""
        return self._organizations

    @property
    def data(self) -> bytes:
        """The serialized proposal (peer.Proposal), as it is signed."""
        return self._proposal.data

    @property
    def to_sign(self) -> bytes:
        """What a signer is given: the SHA-256 digest of `data`, or with an Ed25519 identity `data` itself."""
        return self._connection.signing.to_sign(self.data)

    def to_bytes(self) -> bytes:
        """Return the proposal with its signature, if it has one, and organizations, for `Gateway.proposal`.

        The bytes are gateway.ProposedTransaction, as of Hyperledger's own clients; transient data is in them.
        """
        proposed = gateway_pb2.ProposedTransaction(
            transaction_id=self.transaction_id,
            proposal=proposal_pb2.SignedProposal(proposal_bytes=self.data, signature=self._signature),
            endorsing_organizations=self._organizations,
        )
        return bytes(proposed.SerializeToString(deterministic=True))

    def evaluate(self) -> bytes:
        """Have one peer run the proposal and return the function's result.

        Raises:
            EvaluateError: the gateway refused, or the function failed.
            UnsignedError, SigningError: it is not signed.
        """
        return run(self._connection.transport, self._evaluating())

    def _evaluating(self) -> Steps[bytes]:
        """The steps of `evaluate`."""
        request = gateway_pb2.EvaluateRequest(
            transaction_id=self.transaction_id,
            channel_id=self._proposal.channel_id,
            proposed_transaction=self._signed(),
            target_organizations=self._organizations,
        )
        try:
            response = yield Call("evaluate", request, self._connection.timeouts.evaluate)
        except StatusFailure as failure:
            raise failure.as_error(EvaluateError, self.transaction_id) from failure
        result = response.result
        if result.status >= _FIRST_ERROR_STATUS:
            message = f"chaincode response {result.status}, {result.message}"
            raise EvaluateError(message, code="UNKNOWN", transaction_id=self.transaction_id)
        if result.status < _FIRST_STATUS:
            message = f"got an answer of status {result.status}, expected the chaincode's, 200 or more"
            raise EvaluateError(message, code="INVALID_RESPONSE", transaction_id=self.transaction_id)
        return bytes(result.payload)

    def endorse(self) -> Transaction:
        """Have the proposal endorsed; return the transaction, ready to be submitted.

        What the gateway returns is compared with the proposal and its endorsements are verified, before
        anybody can sign it.

        Raises:
            EndorseError: not endorsed.
            EnvelopeError: the answer is not this proposal's transaction.
            UnsignedError, SigningError: it is not signed.
        """
        return run(self._connection.transport, self._endorsing())

    def _endorsing(self) -> Steps[Transaction]:
        """The steps of `endorse`."""
        request = gateway_pb2.EndorseRequest(
            transaction_id=self.transaction_id,
            channel_id=self._proposal.channel_id,
            proposed_transaction=self._signed(),
            endorsing_organizations=self._organizations,
        )
        try:
            response = yield Call("endorse", request, self._connection.timeouts.endorse)
        except StatusFailure as failure:
            raise failure.as_error(EndorseError, self.transaction_id) from failure
        endorsed = checked_payload(self._proposal, response.prepared_transaction.payload, self._organizations)
        return Transaction(self._connection, self._proposal, endorsed)

    def _signed(self) -> proposal_pb2.SignedProposal:
        if not self._signature:
            self._signature = self._connection.sign(self.data)
        return proposal_pb2.SignedProposal(proposal_bytes=self.data, signature=self._signature)


def argument_bytes(argument: Argument) -> bytes:
    """Return an argument as it is sent.

    Raises:
        TypeError: it is neither bytes nor text.
    """
    if isinstance(argument, str):
        return argument.encode()
    if isinstance(argument, bytes):
        return argument
    raise TypeError(f"argument: got {type(argument).__name__}, expected bytes or str")
