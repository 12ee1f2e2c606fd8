"""Reading what a Gateway is asked: proposals and signed requests, refused with Fabric's texts.

Source: Fabric `internal/pkg/gateway/{evaluate,endorse,commitstatus,chaincodeevents}.go`, `apiutils.go`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2
from google.protobuf.message import DecodeError

from fabric_embedded.services.handlers import ServiceError

_GO_DECODING = "proto: cannot parse invalid wire-format data"


@dataclass(frozen=True)
class AskedProposal:
    """What a gateway looks at in a proposal; the endorser checks the rest."""

    signed: Any
    channel_id: str
    chaincode: str
    transaction_id: str
    has_transient: bool


def read_proposal(
    signed: Any, missing: str = "the proposed transaction must contain a signed proposal", prefix: str = ""
) -> AskedProposal:
    """Read a `SignedProposal`.

    Parameters:
        signed: the message.
        missing: text where it has no proposal.
        prefix: of the text about bytes that are no proposal.

    Raises:
        ServiceError: INVALID_ARGUMENT.
    """
    if not signed.proposal_bytes:
        raise invalid(missing)
    try:
        proposal = proposal_pb2.Proposal.FromString(signed.proposal_bytes)
        header = common_pb2.Header.FromString(proposal.header)
        channel_header = common_pb2.ChannelHeader.FromString(header.channel_header)
        extension = proposal_pb2.ChaincodeHeaderExtension.FromString(channel_header.extension)
        payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
    except DecodeError as error:
        raise invalid(f"{prefix}error unmarshalling Proposal: {_GO_DECODING}") from error
    if not channel_header.channel_id:
        raise invalid("failed to unpack transaction proposal: no channel id provided")
    if not extension.HasField("chaincode_id") or not extension.chaincode_id.name:
        raise invalid("failed to unpack transaction proposal: no chaincode name is provided in the header")
    return AskedProposal(
        signed,
        channel_header.channel_id,
        extension.chaincode_id.name,
        channel_header.tx_id,
        bool(payload.TransientMap),
    )


def read_inner(message_type: Any, data: bytes) -> Any:
    """Parse the request inside a signed request.

    Raises:
        ServiceError: INVALID_ARGUMENT.
    """
    try:
        return message_type.FromString(data)
    except DecodeError as error:
        raise invalid(f"invalid {message_type.DESCRIPTOR.name}: error unmarshalling") from error


def invalid(message: str) -> ServiceError:
    """INVALID_ARGUMENT with this text."""
    return ServiceError(grpc.StatusCode.INVALID_ARGUMENT, message)
