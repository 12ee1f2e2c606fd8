"""Blocks recorded from a real Fabric network (tests/fixtures/fabric-bft)."""

from pathlib import Path
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2, transaction_pb2

FABRIC_BFT = Path(__file__).parents[1] / "fixtures" / "fabric-bft"


def recorded_block(name: str) -> Any:
    """common.Block from a file such as "peer-03"."""
    return common_pb2.Block.FromString((FABRIC_BFT / f"{name}.block").read_bytes())


def peer_blocks() -> list[Any]:
    """Blocks 0 to 14 as Org1's peer delivered them."""
    return [recorded_block(f"peer-{number:02}") for number in range(15)]


def envelopes(block: Any) -> list[Any]:
    """The block's entries as common.Envelope."""
    return [common_pb2.Envelope.FromString(entry) for entry in block.data.data]


def creator(envelope: Any) -> bytes:
    """The serialized identity that an envelope names as its creator."""
    payload = common_pb2.Payload.FromString(envelope.payload)
    creator_bytes: bytes = common_pb2.SignatureHeader.FromString(payload.header.signature_header).creator
    return creator_bytes


def endorsed_action(envelope: Any) -> Any:
    """The ChaincodeEndorsedAction of an endorser transaction."""
    payload = common_pb2.Payload.FromString(envelope.payload)
    transaction = transaction_pb2.Transaction.FromString(payload.data)
    return transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload).action


def chaincode_name(envelope: Any) -> str:
    """The chaincode that an endorser transaction called."""
    payload = common_pb2.Payload.FromString(envelope.payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    name: str = proposal_pb2.ChaincodeHeaderExtension.FromString(header.extension).chaincode_id.name
    return name
