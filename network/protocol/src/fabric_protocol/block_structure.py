"""Blocks: header hashes, data hashes, metadata, well-formedness.

Source: common/common.proto; Fabric ``protoutil/blockutils.go``.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import BlockError

_METADATA_SLOTS = 5


def header_bytes(header: Any) -> bytes:
    """DER of a header: SEQUENCE{INTEGER number, OCTET STRING previous_hash, OCTET STRING data_hash}."""
    number = header.number.to_bytes(header.number.bit_length() // 8 + 1, "big")
    content = (
        _der(0x02, number) + _der(0x04, bytes(header.previous_hash)) + _der(0x04, bytes(header.data_hash))
    )
    return _der(0x30, content)


def header_hash(header: Any) -> bytes:
    """SHA-256 of `header_bytes`: what the next block names as its predecessor."""
    return sha256(header_bytes(header)).digest()


def data_hash(data: Any) -> bytes:
    """SHA-256 of a block's entries, one after the other.

    Parameters:
        data: common.BlockData.
    """
    digest = sha256()
    for entry in data.data:
        digest.update(entry)
    return digest.digest()


def parse_block(data: bytes) -> Any:
    """Read M(Block).

    Returns:
        common.Block.

    Raises:
        BlockError: BLOCK_MALFORMED, if it does not parse or has no header.
    """
    try:
        block = common_pb2.Block.FromString(data)
    except DecodeError as error:
        raise BlockError("BLOCK_MALFORMED", f"{len(data)} bytes are not a Block message.") from error
    if not block.HasField("header"):
        raise BlockError("BLOCK_MALFORMED", "The block has no header.")
    return block


def new_block(number: int, previous_hash: bytes, envelopes: Sequence[bytes]) -> Any:
    """Make an unsigned block.

    Parameters:
        number: height of the block; 0 is the genesis block.
        previous_hash: `header_hash` of the block before.
        envelopes: M(Envelope) of each transaction, in order.

    Returns:
        common.Block with empty metadata.
    """
    block = common_pb2.Block()
    block.data.data.extend(envelopes)
    block.header.number = number
    block.header.previous_hash = previous_hash
    block.header.data_hash = data_hash(block.data)
    _fill_metadata(block)
    return block


def check_link(block: Any, *, number: int, previous_hash: bytes) -> None:
    """Check that a block is the next of a chain.

    Parameters:
        block: common.Block.
        number: number that it must have.
        previous_hash: `header_hash` of the block before.

    Raises:
        BlockError: BLOCK_NUMBER_WRONG, PREVIOUS_HASH_WRONG.
    """
    if block.header.number != number:
        raise BlockError("BLOCK_NUMBER_WRONG", f"Got block {block.header.number}, expected block {number}.")
    if block.header.previous_hash != previous_hash:
        raise BlockError(
            "PREVIOUS_HASH_WRONG",
            f"Block {number} names {block.header.previous_hash.hex() or 'no hash'} as its predecessor, "
            f"expected {previous_hash.hex()}.",
        )


def check_well_formed(block: Any) -> None:
    """Check that a block's data is what its header says, and that every entry has one possible encoding.

    The second part is the answer to CVE-2023-46132: every entry must be an Envelope with payload and
    signature whose bytes are the ones it would be written with again; a configuration alone is exempt.

    Parameters:
        block: common.Block.

    Raises:
        BlockError: BLOCK_MALFORMED, DATA_HASH_WRONG, ENVELOPE_MALFORMED; the sentence names the entry.
    """
    number = block.header.number
    if len(block.metadata.metadata) < _METADATA_SLOTS:
        raise BlockError(
            "BLOCK_MALFORMED",
            f"Block {number} has {len(block.metadata.metadata)} metadata entries, not {_METADATA_SLOTS}.",
        )
    if not block.data.data:
        raise BlockError("BLOCK_MALFORMED", f"Block {number} has no transactions.")
    if data_hash(block.data) != block.header.data_hash:
        raise BlockError("DATA_HASH_WRONG", f"The data of block {number} is not what its header names.")
    if not is_config_block(block):
        for index, entry in enumerate(block.data.data):
            _check_envelope(number, index, entry)


def is_config_block(block: Any) -> bool:
    """Whether the block holds one configuration and nothing else."""
    if len(block.data.data) != 1:
        return False
    try:
        envelope = common_pb2.Envelope.FromString(block.data.data[0])
        payload = common_pb2.Payload.FromString(envelope.payload)
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    except DecodeError:
        return False
    return bool(payload.HasField("header") and header.type == common_pb2.CONFIG)


def transaction_flags(block: Any) -> bytes:
    """Validation codes of a block's transactions, one byte each; empty if no peer has validated it yet."""
    if len(block.metadata.metadata) <= common_pb2.TRANSACTIONS_FILTER:
        return b""
    flags: bytes = block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER]
    return flags


def set_flags(block: Any, flags: bytes) -> Any:
    """Write validation codes into a block, and return the same block.

    Raises:
        BlockError: FLAGS_WRONG, unless there is one for each transaction.
    """
    if len(flags) != len(block.data.data):
        raise BlockError(
            "FLAGS_WRONG", f"Got {len(flags)} validation codes for {len(block.data.data)} transactions."
        )
    set_metadata(block, common_pb2.TRANSACTIONS_FILTER, flags)
    return block


def last_config_index(block: Any) -> int:
    """Number of the block with the configuration in force, as the orderers signed it.

    Raises:
        BlockError: BLOCK_MALFORMED, if the signatures' metadata does not parse.
    """
    try:
        signatures = common_pb2.Metadata.FromString(metadata(block, common_pb2.SIGNATURES))
        if signatures.value:
            signed = common_pb2.OrdererBlockMetadata.FromString(signatures.value)
            return int(signed.last_config.index)
        unsigned = common_pb2.Metadata.FromString(metadata(block, common_pb2.LAST_CONFIG))
        return int(common_pb2.LastConfig.FromString(unsigned.value).index)
    except DecodeError as error:
        raise BlockError("BLOCK_MALFORMED", "The block's metadata does not parse.") from error


def metadata(block: Any, slot: int) -> bytes:
    """One of a block's metadata entries; empty if it is missing."""
    entries = block.metadata.metadata
    return bytes(entries[slot]) if slot < len(entries) else b""


def set_metadata(block: Any, slot: int, value: bytes) -> None:
    """Write one of a block's metadata entries in place."""
    _fill_metadata(block)
    block.metadata.metadata[slot] = value


def _fill_metadata(block: Any) -> None:
    missing = _METADATA_SLOTS - len(block.metadata.metadata)
    if missing > 0:
        block.metadata.metadata.extend([b""] * missing)


def _check_envelope(number: int, index: int, entry: bytes) -> None:
    try:
        envelope = common_pb2.Envelope.FromString(entry)
    except DecodeError as error:
        raise BlockError(
            "ENVELOPE_MALFORMED", f"Transaction {index} of block {number} is not an Envelope message."
        ) from error
    problem = None
    if not envelope.payload:
        problem = "has no payload"
    elif not envelope.signature:
        problem = "has no signature"
    elif envelope.SerializeToString() != entry:
        problem = "is not encoded as Fabric encodes it"
    if problem is not None:
        raise BlockError("ENVELOPE_MALFORMED", f"Transaction {index} of block {number} {problem}.")


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    encoded = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(encoded))) + encoded + content
