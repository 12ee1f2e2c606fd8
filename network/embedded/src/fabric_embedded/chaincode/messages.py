"""Messages of the chaincode protocol (`peer/chaincode_shim.proto`) as the peer makes them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams, ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabric_protos.peer import proposal_pb2

    from fabric_protocol.proposals import Proposal

MOST_WRITES: Final = 1000
"""Most writes in one WRITE_BATCH_STATE, as offered at READY."""

MOST_READS: Final = 1000
"""Most keys in one GET_STATE_MULTIPLE, as offered at READY."""


class Type(IntEnum):
    """`ChaincodeMessage.Type`."""

    REGISTER = 1
    REGISTERED = 2
    READY = 4
    TRANSACTION = 5
    COMPLETED = 6
    ERROR = 7
    GET_STATE = 8
    PUT_STATE = 9
    DEL_STATE = 10
    INVOKE_CHAINCODE = 11
    RESPONSE = 13
    GET_STATE_BY_RANGE = 14
    GET_QUERY_RESULT = 15
    QUERY_STATE_NEXT = 16
    QUERY_STATE_CLOSE = 17
    KEEPALIVE = 18
    GET_HISTORY_FOR_KEY = 19
    GET_STATE_METADATA = 20
    PUT_STATE_METADATA = 21
    GET_PRIVATE_DATA_HASH = 22
    PURGE_PRIVATE_DATA = 23
    WRITE_BATCH_STATE = 24
    GET_STATE_MULTIPLE = 25


def registered() -> ChaincodeMessage:
    """The answer to REGISTER."""
    return ChaincodeMessage(type=Type.REGISTERED)


def ready() -> ChaincodeMessage:
    """Says that transactions may come, and which batches the peer takes."""
    offered = ChaincodeAdditionalParams(
        use_write_batch=True,
        max_size_write_batch=MOST_WRITES,
        use_get_multiple_keys=True,
        max_size_get_multiple_keys=MOST_READS,
    )
    return ChaincodeMessage(type=Type.READY, payload=offered.SerializeToString())


def invocation(
    proposal: Proposal, signed: proposal_pb2.SignedProposal, arguments: Sequence[bytes], *, is_init: bool
) -> ChaincodeMessage:
    """The message that starts a run.

    Parameters:
        proposal: what the client asked for.
        signed: the same as it was signed, which the chaincode is shown.
        arguments: the chaincode's arguments, the proposal's or those of the chaincode that calls it.
        is_init: whether it runs as init.
    """
    return ChaincodeMessage(
        type=Type.TRANSACTION,
        payload=ChaincodeInput(args=arguments, is_init=is_init).SerializeToString(),
        txid=proposal.transaction_id,
        channel_id=proposal.channel_id,
        proposal=signed,
    )


def response(request: ChaincodeMessage, payload: bytes) -> ChaincodeMessage:
    """The answer to a request."""
    return ChaincodeMessage(
        type=Type.RESPONSE, payload=payload, txid=request.txid, channel_id=request.channel_id
    )


def refusal(request: ChaincodeMessage, cause: str) -> ChaincodeMessage:
    """The answer to a request that failed, with Fabric's text."""
    text = f"{Type(request.type).name} failed: transaction ID: {request.txid}: {cause}"
    return ChaincodeMessage(
        type=Type.ERROR, payload=text.encode(), txid=request.txid, channel_id=request.channel_id
    )
