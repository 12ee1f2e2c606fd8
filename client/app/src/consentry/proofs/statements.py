"""Peers' statements on blocks: what each organization's peer signs when it is asked for a block.

The question goes to a peer's system chaincode ``qscc`` as a proposal for endorsement, so that the peer signs
its answer; nothing is submitted. Any Fabric peer gives such statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2
from google.protobuf.message import DecodeError

from consentry.errors import LedgerUnreachable
from consentry.proofs.checking.block import Statement
from fabric_gateway import GatewayError

if TYPE_CHECKING:
    from fabric_gateway import Network

_SYSTEM_CHAINCODE = "qscc"


def ask_for_statement(network: Network, msp_id: str, number: int) -> Statement:
    """Have a peer of one organization state a block.

    Args:
        network: the channel, through any peer that knows one of the organization's.
        msp_id: the organization.
        number: the block.

    Returns:
        The statement; it is checked where the proof is.

    Raises:
        LedgerUnreachable: STATEMENT_MISSING if no peer of the organization gave one.
    """
    proposal = network.contract(_SYSTEM_CHAINCODE).new_proposal(
        "GetBlockByNumber", network.name, str(number), endorsing_organizations=(msp_id,)
    )
    try:
        return read_statement(proposal.endorse().envelope)
    except (GatewayError, DecodeError) as error:
        reason = error.code if isinstance(error, GatewayError) else "its answer cannot be read"
        raise LedgerUnreachable(
            "STATEMENT_MISSING",
            f"no peer of {msp_id} stated block {number} ({reason}); ask again when one runs",
            {"organization": msp_id, "block": number},
        ) from error


def read_statement(envelope: bytes) -> Statement:
    """The statement in an endorsed answer.

    Args:
        envelope: serialized ``common.Envelope`` of an endorsed ``qscc:GetBlockByNumber``.

    Raises:
        DecodeError: it is not one.
    """
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    actions = transaction_pb2.Transaction.FromString(payload.data).actions
    if len(actions) != 1:
        raise DecodeError("an endorsed answer has one action")
    endorsed = transaction_pb2.ChaincodeActionPayload.FromString(actions[0].payload).action
    if len(endorsed.endorsements) != 1:
        raise DecodeError("a statement is one peer's")
    answer = proposal_response_pb2.ProposalResponsePayload.FromString(endorsed.proposal_response_payload)
    block = common_pb2.Block.FromString(
        proposal_pb2.ChaincodeAction.FromString(answer.extension).response.payload
    )
    return Statement(
        endorser=endorsed.endorsements[0].endorser,
        signature=endorsed.endorsements[0].signature,
        proposal_hash=answer.proposal_hash,
        metadata=block.metadata.SerializeToString(deterministic=True),
    )
