"""Filtered blocks: what happened, without what was written (`core/peer/deliverevents.go`)."""

from __future__ import annotations

from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    events_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from google.protobuf.message import DecodeError

from fabric_protocol.blocks import transaction_flags


def filtered_block(block: Any) -> Any:
    """The `FilteredBlock` of a stored block; events stay without their payload.

    Parameters:
        block: `Block` with its flags filled. Entries that are no envelope or have no header are left out.

    Raises:
        DecodeError: something in another entry does not parse.
    """
    flags = transaction_flags(block)
    filtered = events_pb2.FilteredBlock(number=block.header.number)
    for index, entry in enumerate(block.data.data):
        try:
            envelope = common_pb2.Envelope.FromString(entry)
        except DecodeError:
            continue
        payload = common_pb2.Payload.FromString(envelope.payload)
        if not payload.HasField("header"):
            continue
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
        filtered.channel_id = header.channel_id
        transaction = filtered.filtered_transactions.add(
            txid=header.tx_id, type=header.type, tx_validation_code=flags[index]
        )
        if header.type == common_pb2.ENDORSER_TRANSACTION:
            _add_events(transaction, payload.data)
    return filtered


def _add_events(transaction: Any, data: bytes) -> None:
    actions = transaction.transaction_actions
    actions.SetInParent()
    for action in transaction_pb2.Transaction.FromString(data).actions:
        event = _event(action.payload)
        if event.chaincode_id:
            event.ClearField("payload")
            actions.chaincode_actions.add(chaincode_event=event)


def _event(payload: bytes) -> Any:
    action = transaction_pb2.ChaincodeActionPayload.FromString(payload).action
    response = proposal_response_pb2.ProposalResponsePayload.FromString(action.proposal_response_payload)
    chaincode_action = proposal_pb2.ChaincodeAction.FromString(response.extension)
    return chaincode_event_pb2.ChaincodeEvent.FromString(chaincode_action.events)
