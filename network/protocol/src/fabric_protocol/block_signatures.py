"""Orderers' signatures over blocks: made in Raft's form, checked in Raft's and SmartBFT's.

A signature covers the header and the orderers' metadata, not the validation codes.

Source: Fabric ``protoutil/blockutils.go · BlockSignatureVerifier``,
``orderer/common/multichannel/blockwriter.go``.
"""

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from fabric_protos.common import common_pb2
from fabric_protos.msp import identities_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.block_structure import header_bytes, metadata, set_metadata
from fabric_protocol.errors import BlockError
from fabric_protocol.policies import SignedData
from fabric_protocol.signatures import Signer

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig

BLOCK_VALIDATION_POLICY = "/Channel/Orderer/BlockValidation"
_BFT_CAPABILITY = "V3_0"


def sign_block(
    block: Any,
    *,
    last_config: int,
    signer: Signer,
    creator: bytes,
    nonce: bytes,
    consenter_metadata: bytes = b"",
) -> Any:
    """Sign a block as a Raft orderer does, and return the same block.

    Parameters:
        block: common.Block; its metadata entries 0 and 1 are written.
        last_config: number of the block with the configuration in force; of a configuration block its own.
        signer: signs a SHA-256 digest, DER with low S.
        creator: serialized identity of the orderer.
        nonce: bytes that make the signature unique.
        consenter_metadata: what the consensus keeps with the block.
    """
    content = common_pb2.OrdererBlockMetadata(consenter_metadata=consenter_metadata)
    content.last_config.index = last_config
    value = content.SerializeToString()
    signature_header = common_pb2.SignatureHeader(creator=creator, nonce=nonce).SerializeToString()
    signature = signer(sha256(value + signature_header + header_bytes(block.header)).digest())
    signed = common_pb2.Metadata(value=value)
    signed.signatures.add(signature_header=signature_header, signature=signature)
    set_metadata(block, common_pb2.SIGNATURES, signed.SerializeToString())
    index = common_pb2.LastConfig(index=last_config).SerializeToString()
    set_metadata(block, common_pb2.LAST_CONFIG, common_pb2.Metadata(value=index).SerializeToString())
    return block


def signed_data(block: Any, config: "ChannelConfig") -> tuple[SignedData, ...]:
    """A block's signatures, each with what it is over and by whom; those of unknown consenters are left out.

    Parameters:
        block: common.Block.
        config: configuration in force before the block.

    Raises:
        BlockError: BLOCK_MALFORMED, if the metadata does not parse.
    """
    try:
        content = common_pb2.Metadata.FromString(metadata(block, common_pb2.SIGNATURES))
        consenters = _consenter_identities(config)
        found = [_signed(block, content.value, signature, consenters) for signature in content.signatures]
    except DecodeError as error:
        raise BlockError(
            "BLOCK_MALFORMED", f"The signatures of block {block.header.number} do not parse."
        ) from error
    return tuple(entry for entry in found if entry is not None)


def verify_block_signatures(block: Any, config: "ChannelConfig") -> None:
    """Check that enough orderers signed a block. Block 0 has no signatures: it is trusted or pinned.

    Parameters:
        block: common.Block.
        config: configuration in force before the block.

    Raises:
        BlockError: BLOCK_MALFORMED; BLOCK_SIGNATURES_INSUFFICIENT.
        PolicyError: POLICY_NOT_FOUND, if the configuration has no policy for it.
    """
    policy = config.policies.policy(BLOCK_VALIDATION_POLICY)
    signed = signed_data(block, config)
    if not policy.evaluate(signed):
        raise BlockError(
            "BLOCK_SIGNATURES_INSUFFICIENT",
            f"Block {block.header.number} has {len(signed)} signatures by known names, "
            f"and they do not satisfy {BLOCK_VALIDATION_POLICY}.",
        )


def _consenter_identities(config: "ChannelConfig") -> dict[int, bytes]:
    """Serialized identity by consenter id, where the channel lets orderers sign by id alone."""
    if not config.has_capability("Channel", _BFT_CAPABILITY):
        return {}
    identities: dict[int, bytes] = {}
    for consenter in config.consenters:
        identity = identities_pb2.SerializedIdentity(mspid=consenter.msp_id, id_bytes=consenter.identity)
        # Of two consenters with one id Fabric finds the first.
        identities.setdefault(consenter.consenter_id, identity.SerializeToString())
    return identities


def _signed(block: Any, value: bytes, signature: Any, consenters: dict[int, bytes]) -> SignedData | None:
    header = header_bytes(block.header)
    if consenters and not signature.signature_header and signature.identifier_header:
        identifier = common_pb2.IdentifierHeader.FromString(signature.identifier_header).identifier
        identity = consenters.get(identifier)
        if identity is None:
            return None
        return SignedData(value + signature.identifier_header + header, identity, signature.signature)
    creator = common_pb2.SignatureHeader.FromString(signature.signature_header).creator
    return SignedData(value + signature.signature_header + header, creator, signature.signature)
