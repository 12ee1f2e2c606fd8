"""Building and reading the protocol's messages (``peer/chaincode_shim.proto``, fabric-behaviour §5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_response_pb2
from google.protobuf.message import DecodeError

from fabric_shim.errors import ConversationError, PeerError

ChaincodeMessage: Final = chaincode_shim_pb2.ChaincodeMessage

REGISTER: Final = ChaincodeMessage.REGISTER
REGISTERED: Final = ChaincodeMessage.REGISTERED
READY: Final = ChaincodeMessage.READY
INIT: Final = ChaincodeMessage.INIT
TRANSACTION: Final = ChaincodeMessage.TRANSACTION
COMPLETED: Final = ChaincodeMessage.COMPLETED
ERROR: Final = ChaincodeMessage.ERROR
RESPONSE: Final = ChaincodeMessage.RESPONSE
KEEPALIVE: Final = ChaincodeMessage.KEEPALIVE
GET_STATE: Final = ChaincodeMessage.GET_STATE
GET_STATE_MULTIPLE: Final = ChaincodeMessage.GET_STATE_MULTIPLE
GET_STATE_METADATA: Final = ChaincodeMessage.GET_STATE_METADATA
GET_PRIVATE_DATA_HASH: Final = ChaincodeMessage.GET_PRIVATE_DATA_HASH
GET_STATE_BY_RANGE: Final = ChaincodeMessage.GET_STATE_BY_RANGE
GET_QUERY_RESULT: Final = ChaincodeMessage.GET_QUERY_RESULT
GET_HISTORY_FOR_KEY: Final = ChaincodeMessage.GET_HISTORY_FOR_KEY
QUERY_STATE_NEXT: Final = ChaincodeMessage.QUERY_STATE_NEXT
QUERY_STATE_CLOSE: Final = ChaincodeMessage.QUERY_STATE_CLOSE
PUT_STATE: Final = ChaincodeMessage.PUT_STATE
DEL_STATE: Final = ChaincodeMessage.DEL_STATE
PURGE_PRIVATE_DATA: Final = ChaincodeMessage.PURGE_PRIVATE_DATA
PUT_STATE_METADATA: Final = ChaincodeMessage.PUT_STATE_METADATA
WRITE_BATCH_STATE: Final = ChaincodeMessage.WRITE_BATCH_STATE
INVOKE_CHAINCODE: Final = ChaincodeMessage.INVOKE_CHAINCODE

MOST_MESSAGE_BYTES: Final = 100 * 2**20
"""What a peer takes and sends in one message (``sampleconfig/core.yaml``, fabric-behaviour §0)."""

MOST_PAYLOAD_BYTES: Final = MOST_MESSAGE_BYTES - 2**16
"""What this package puts into one message: a peer ends the whole stream over one that is too large."""

VALIDATION_PARAMETER: Final = "VALIDATION_PARAMETER"
"""Name of the metadata entry that holds a key-level policy (fabric-behaviour §4.1)."""

_SMALLEST_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What the peer can do beyond the protocol of Fabric 2, from ``READY``.

    Attributes:
        write_batch: most writes in one ``WRITE_BATCH_STATE``; 0 where the peer has none.
        get_multiple: most keys in one ``GET_STATE_MULTIPLE``; 0 where the peer has none.
    """

    write_batch: int = 0
    get_multiple: int = 0


def operation_name(message_type: int) -> str:
    """Name of a message type, also of one that this protocol does not know."""
    names: Mapping[int, str] = ChaincodeMessage.Type.DESCRIPTOR.values_by_number
    value: Any = names.get(message_type)
    return value.name if value is not None else f"message type {message_type}"


def parse_message(data: bytes) -> Any:
    """``ChaincodeMessage`` of received bytes.

    Raises:
        ConversationError: they are none.
    """
    try:
        return ChaincodeMessage.FromString(data)
    except DecodeError:
        raise ConversationError("got bytes that are no ChaincodeMessage") from None


def register(package_id: str) -> Any:
    """The first message on a stream: under which package id the peer knows this chaincode."""
    payload = chaincode_pb2.ChaincodeID(name=package_id).SerializeToString()
    return ChaincodeMessage(type=REGISTER, payload=payload)


def read_ready(payload: bytes) -> Negotiated:
    """What the peer offers in ``READY``; peers before 3.1 send no payload.

    Raises:
        ConversationError: the payload is no ``ChaincodeAdditionalParams``.
    """
    try:
        offered = chaincode_pb2.ChaincodeAdditionalParams.FromString(payload)
    except DecodeError:
        raise ConversationError("got a READY whose payload is no ChaincodeAdditionalParams") from None
    # Official runtimes raise small sizes to 100, so peers cannot have meant anything else by them.
    return Negotiated(
        write_batch=max(offered.max_size_write_batch, _SMALLEST_BATCH) if offered.use_write_batch else 0,
        get_multiple=max(offered.max_size_get_multiple_keys, _SMALLEST_BATCH)
        if offered.use_get_multiple_keys
        else 0,
    )


def completed(
    channel_id: str,
    transaction_id: str,
    *,
    status: int,
    message: str,
    payload: bytes,
    event: tuple[str, bytes] | None = None,
) -> Any:
    """The answer to ``TRANSACTION`` or ``INIT``."""
    response = proposal_response_pb2.Response(status=status, message=message, payload=payload)
    answer = ChaincodeMessage(
        type=COMPLETED,
        payload=response.SerializeToString(),
        txid=transaction_id,
        channel_id=channel_id,
    )
    if event is not None:
        answer.chaincode_event.event_name, answer.chaincode_event.payload = event
        answer.chaincode_event.tx_id = transaction_id
    return answer


def read_answer(message_class: Any, payload: bytes, operation: str) -> Any:
    """Parse the payload of a ``RESPONSE``.

    Raises:
        PeerError: the payload is no message of that class.
    """
    try:
        return message_class.FromString(payload)
    except DecodeError:
        raise PeerError(operation, "the answer's payload cannot be read") from None
