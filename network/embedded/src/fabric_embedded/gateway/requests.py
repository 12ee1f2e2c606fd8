"""Reading what a Gateway is asked: proposals and signed requests, refused with Fabric's texts.

Source: Fabric `internal/pkg/gateway/{evaluate,endorse,commitstatus,chaincodeevents}.go`, `apiutils.go`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2
from google.protobuf.message import DecodeError

from fabric_embedded.services.handlers import ServiceError
from fabric_embedded.services.status import StatusCode
from fabric_protocol.errors import GO_DECODING
from fabric_protocol.proposals import PublicParts, public_payload

_UNPACKING = "failed to unpack transaction proposal: "


class AskedProposal(NamedTuple):
    """What a gateway looks at in a proposal, and its public parts; the endorser checks the rest.

    The chaincode is that of the invocation, by which peers are chosen; which one runs, the header says.
    """

    signed: Any
    channel_id: str
    chaincode: str
    transaction_id: str
    has_transient: bool
    parts: PublicParts


def read_evaluation(signed: Any) -> AskedProposal:
    """Read the `SignedProposal` of Evaluate, which must name a channel and a chaincode.

    Raises:
        ServiceError: INVALID_ARGUMENT.
    """
    if not signed.proposal_bytes:
        raise invalid(f"{_UNPACKING}a signed proposal is required")
    asked, specification = _read(signed, _UNPACKING)
    channel_id, problem = asked.channel_id, None
    if not channel_id:
        problem = "no channel id provided"
    elif specification is None:
        problem = f"no chaincode spec is provided, channel id [{channel_id}]"
    elif not specification.HasField("chaincode_id"):
        problem = f"no chaincode id is provided, channel id [{channel_id}]"
    elif not asked.chaincode:
        problem = f"no chaincode name is provided, channel id [{channel_id}]"
    if problem is not None:
        raise invalid(_UNPACKING + problem)
    return asked


def read_endorsement(signed: Any) -> AskedProposal:
    """Read the `SignedProposal` of Endorse; what it lacks is found out by looking for endorsers.

    Raises:
        ServiceError: INVALID_ARGUMENT.
    """
    if not signed.proposal_bytes:
        raise invalid("the proposed transaction must contain a signed proposal")
    return _read(signed, "")[0]


def read_inner(message_type: Any, data: bytes, what: str) -> Any:
    """Parse the request inside a signed request.

    Parameters:
        message_type: of the request.
        data: its bytes.
        what: its name in the text of a refusal.

    Raises:
        ServiceError: INVALID_ARGUMENT.
    """
    try:
        return message_type.FromString(data)
    except DecodeError as error:
        raise invalid(f"invalid {what}: {GO_DECODING}") from error


def invalid(message: str) -> ServiceError:
    """INVALID_ARGUMENT with this text."""
    return ServiceError(StatusCode.INVALID_ARGUMENT, message)


def _read(signed: Any, prefix: str) -> tuple[AskedProposal, Any]:
    """A proposal, and its `ChaincodeSpec` or None."""

    def parsed(message_type: Any, data: bytes) -> Any:
        try:
            return message_type.FromString(data)
        except DecodeError as error:
            name = message_type.DESCRIPTOR.name
            raise invalid(f"{prefix}error unmarshalling {name}: {GO_DECODING}") from error

    proposal = parsed(proposal_pb2.Proposal, signed.proposal_bytes)
    header = parsed(common_pb2.Header, proposal.header)
    channel_header = parsed(common_pb2.ChannelHeader, header.channel_header)
    payload = parsed(proposal_pb2.ChaincodeProposalPayload, proposal.payload)
    invocation = parsed(chaincode_pb2.ChaincodeInvocationSpec, payload.input)
    asked = AskedProposal(
        signed,
        channel_header.channel_id,
        invocation.chaincode_spec.chaincode_id.name,
        channel_header.tx_id,
        bool(payload.TransientMap),
        PublicParts(header, public_payload(payload)),
    )
    return asked, invocation.chaincode_spec if invocation.HasField("chaincode_spec") else None
