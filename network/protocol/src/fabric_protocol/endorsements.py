"""Endorsements: an organization's signature over the result of a simulation, and transactions made of them.

Source: peer/proposal_response.proto, peer/transaction.proto; Fabric ``protoutil/txutils.go``.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    proposal_pb2,
    proposal_response_pb2,
)
from google.protobuf.message import DecodeError

from fabric_protocol.errors import ProposalError
from fabric_protocol.proposals import PublicParts, public_parts
from fabric_protocol.signatures import Signer
from fabric_protocol.wire import bytes_field, nested, repeated, submessage

LOWEST_ERROR_STATUS = 400
"""Response statuses from here on are not endorsed (Fabric ``shim.ERRORTHRESHOLD``)."""


def response_payload(
    *, proposal_hash: bytes, results: bytes, event: bytes, response: Any, chaincode: str, version: str
) -> bytes:
    """What endorsers sign; it must be byte-equal among them.

    Parameters:
        proposal_hash: `proposals.proposal_hash` of the proposal that was simulated.
        results: M(TxReadWriteSet).
        event: M(ChaincodeEvent), or empty for none.
        response: peer.Response with the chaincode's status, message and payload.
        chaincode: name of the chaincode.
        version: version of its definition.

    Returns:
        M(ProposalResponsePayload).
    """
    identifier = bytes_field(2, chaincode.encode()) + bytes_field(3, version.encode())
    # M(ChaincodeAction)
    action = [
        *_present(1, results),
        *_present(2, event),
        *nested(3, [_encode(response)]),
        submessage(4, identifier),
    ]
    return b"".join((bytes_field(1, proposal_hash), *nested(2, action)))


def event_bytes(*, chaincode: str, transaction_id: str, name: str, payload: bytes) -> bytes:
    """M(ChaincodeEvent), as a peer puts it into the response."""
    return _encode(
        chaincode_event_pb2.ChaincodeEvent(
            chaincode_id=chaincode, tx_id=transaction_id, event_name=name, payload=payload
        )
    )


def endorsement_digest(payload: bytes, endorser: bytes) -> bytes:
    """SHA-256 of what an endorser signs: M(ProposalResponsePayload), then its own serialized identity."""
    digest = sha256(payload)
    digest.update(endorser)
    return digest.digest()


def endorse(payload: bytes, signer: Signer, endorser: bytes) -> Any:
    """Sign a response payload.

    Parameters:
        payload: M(ProposalResponsePayload).
        signer: signs a SHA-256 digest, DER with low S.
        endorser: serialized identity of the signer; it is signed along with the payload.

    Returns:
        peer.Endorsement.
    """
    signature = signer(endorsement_digest(payload, endorser))
    return proposal_response_pb2.Endorsement(endorser=endorser, signature=signature)


def assemble_transaction(proposal_bytes: bytes, payload: bytes, endorsements: Sequence[Any]) -> bytes:
    """Make the transaction that the proposal's creator signs.

    Parameters:
        proposal_bytes: M(Proposal) as signed; its transient data is left out.
        payload: M(ProposalResponsePayload) that all endorsers signed.
        endorsements: peer.Endorsement of each; of several by one endorser the first is kept.

    Returns:
        M(Payload), to be signed and put into an envelope.

    Raises:
        ProposalError: PROPOSAL_MALFORMED, ENDORSEMENT_MISSING, or RESPONSE_FAILED for a result that is not
            2xx or 3xx.
    """
    if not endorsements:
        raise ProposalError("ENDORSEMENT_MISSING", "At least one endorsement is needed, got none.")
    parts = public_parts(proposal_bytes)
    status = _response_status(payload)
    if not 200 <= status < LOWEST_ERROR_STATUS:
        raise ProposalError("RESPONSE_FAILED", f"A response of status {status} makes no transaction.")
    return assemble_parts(parts, payload, _unique(endorsements))


def assemble_parts(parts: PublicParts, payload: bytes, endorsements: Sequence[Any]) -> bytes:
    """As `assemble_transaction`, for whoever has read and checked everything already.

    Parameters:
        parts: `proposals.public_parts` of the proposal as signed.
        payload: M(ProposalResponsePayload) that all endorsers signed, of a status below 400.
        endorsements: peer.Endorsement of each, no endorser twice.
    """
    # M(ChaincodeEndorsedAction), M(ChaincodeActionPayload), M(TransactionAction), M(Transaction)
    endorsed = [*_present(1, payload), repeated(2, map(_encode, endorsements))]
    content = [*_present(1, parts.payload), *nested(2, endorsed)]
    action = [*_present(1, parts.header.signature_header), *nested(2, content)]
    return b"".join((submessage(1, _encode(parts.header)), *nested(2, nested(1, action))))


def signed_envelope(payload: bytes, signature: bytes) -> Any:
    """common.Envelope of M(Payload) and its creator's signature over it."""
    return common_pb2.Envelope(payload=payload, signature=signature)


def _present(number: int, content: bytes) -> list[bytes]:
    return nested(number, [content]) if content else []


def _response_status(payload: bytes) -> int:
    try:
        message = proposal_response_pb2.ProposalResponsePayload.FromString(payload)
        status: int = proposal_pb2.ChaincodeAction.FromString(message.extension).response.status
    except DecodeError as error:
        raise ProposalError("PROPOSAL_MALFORMED", f"error unmarshalling Proposal: {error}") from error
    return status


def _unique(endorsements: Sequence[Any]) -> list[Any]:
    first: dict[bytes, Any] = {}
    for endorsement in endorsements:
        first.setdefault(endorsement.endorser, endorsement)
    return list(first.values())


def _encode(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded
