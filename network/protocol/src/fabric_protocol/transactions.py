"""Transactions as they stand in blocks, read strictly and whole.

Source: common/common.proto, peer/transaction.proto.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from fabric_protos.peer import chaincode_pb2, proposal_pb2

from fabric_protocol.errors import EncodingError
from fabric_protocol.policies import SignedData
from fabric_protocol.timestamps import to_datetime
from fabric_protocol.transaction_stages import (
    CONFIG,
    CONFIG_UPDATE,
    ENDORSER_TRANSACTION,
    ChaincodeEvent,
    ChaincodeResult,
    EndorsedAction,
    Endorsement,
    Response,
    SignedHeader,
    check_transaction_id,
    parse_message,
    read_action,
    read_event,
    read_extension,
    read_header,
    read_result,
)

__all__ = [
    "CONFIG",
    "CONFIG_UPDATE",
    "ENDORSER_TRANSACTION",
    "ChaincodeEvent",
    "Endorsement",
    "Response",
    "Transaction",
    "assemble",
    "signed_endorsements",
]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as recorded. What only endorser transactions have is empty in others.

    ``timestamp`` is the clock of its creator; ``payload`` and ``signature`` are the envelope's;
    ``response_payload`` is M(ProposalResponsePayload), ``results`` M(TxReadWriteSet).
    """

    type: int
    channel_id: str
    transaction_id: str
    creator: bytes
    nonce: bytes
    timestamp: datetime
    payload: bytes
    signature: bytes
    data: bytes
    chaincode: str | None
    version: str
    arguments: tuple[bytes, ...]
    is_init: bool
    proposal_hash: bytes
    response_payload: bytes
    response: Response | None
    event: ChaincodeEvent | None
    results: bytes
    endorsements: tuple[Endorsement, ...]

    @classmethod
    def from_envelope(cls, data: bytes) -> "Transaction":
        """Read M(Envelope), all of it.

        Checks form, transaction id and proposal hash; no signature, policy or state.

        Raises:
            EncodingError: its code is the name of the validation code that a peer gives for it.
        """
        header = read_header(data)
        if header.type != ENDORSER_TRANSACTION:
            return _without_action(header)
        check_transaction_id(header)
        action = read_action(header)
        chaincode = read_extension(header)
        result = read_result(action)
        if chaincode is None or result.chaincode is None:
            raise EncodingError("INVALID_OTHER_REASON", "The transaction names no chaincode.")
        if chaincode != result.chaincode:
            raise EncodingError("INVALID_CHAINCODE", "Header and result name different chaincodes.")
        return assemble(header, action, result)

    @property
    def signed_endorsements(self) -> tuple[SignedData, ...]:
        """The endorsements as policies ask for them."""
        return signed_endorsements(self.response_payload, self.endorsements)


def assemble(header: SignedHeader, action: EndorsedAction, result: ChaincodeResult) -> Transaction:
    """Put the stages of an endorser transaction together.

    Raises:
        EncodingError: INVALID_OTHER_REASON for arguments, event or time that cannot be read. (A peer reads
            neither arguments nor time when it validates.)
    """
    payload = parse_message(
        proposal_pb2.ChaincodeProposalPayload, action.proposal_payload, "INVALID_OTHER_REASON"
    )
    invocation = parse_message(
        chaincode_pb2.ChaincodeInvocationSpec, payload.input, "INVALID_OTHER_REASON"
    ).chaincode_spec.input
    return Transaction(
        type=header.type,
        channel_id=header.channel_id,
        transaction_id=header.transaction_id,
        creator=header.creator,
        nonce=header.nonce,
        timestamp=_timestamp(header),
        payload=header.payload,
        signature=header.signature,
        data=header.data,
        chaincode=result.chaincode,
        version=result.version,
        arguments=tuple(invocation.args),
        is_init=invocation.is_init,
        proposal_hash=action.proposal_hash,
        response_payload=action.response_payload,
        response=result.response,
        event=read_event(result.event),
        results=result.results,
        endorsements=action.endorsements,
    )


def signed_endorsements(
    response_payload: bytes, endorsements: tuple[Endorsement, ...]
) -> tuple[SignedData, ...]:
    """Endorsements as policies ask for them: each is over response payload || endorser."""
    # The payload may be large, and is the same for all.
    common = sha256(response_payload)
    return tuple(
        SignedData(
            data=response_payload + endorsement.endorser,
            identity=endorsement.endorser,
            signature=endorsement.signature,
            digest=_digest(common, endorsement.endorser),
        )
        for endorsement in endorsements
    )


def _digest(begun: Any, rest: bytes) -> bytes:
    digest = begun.copy()
    digest.update(rest)
    found: bytes = digest.digest()
    return found


def _without_action(header: SignedHeader) -> Transaction:
    return Transaction(
        type=header.type,
        channel_id=header.channel_id,
        transaction_id=header.transaction_id,
        creator=header.creator,
        nonce=header.nonce,
        timestamp=_timestamp(header),
        payload=header.payload,
        signature=header.signature,
        data=header.data,
        chaincode=None,
        version="",
        arguments=(),
        is_init=False,
        proposal_hash=b"",
        response_payload=b"",
        response=None,
        event=None,
        results=b"",
        endorsements=(),
    )


def _timestamp(header: SignedHeader) -> datetime:
    try:
        return to_datetime(header.timestamp)
    except (ValueError, OverflowError) as error:
        raise EncodingError("INVALID_OTHER_REASON", f"The transaction's time is none: {error}.") from error
