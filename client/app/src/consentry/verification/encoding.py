"""Reading a stored block strictly: its bytes must be the only ones that say what it says."""

from typing import Any

from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from consentry.verification.findings import Finding
from consentry.verification.results import DifferenceKind

Block = Any
"""A ``common.Block``; the protobuf modules carry no types."""

METADATA_SLOTS = 5
SIGNATURES, LAST_CONFIG, FLAGS, ORDERER, COMMIT_HASH = range(METADATA_SLOTS)


def read_block(data: bytes, number: int) -> Block:
    """Parse a stored block and refuse what another block's bytes could also say.

    Args:
        data: the stored bytes.
        number: number that the block should have, for the finding.

    Returns:
        The ``common.Block``.

    Raises:
        Finding: UNREADABLE if the bytes are no block, ENCODING if they are not its canonical bytes.
    """
    block = common_pb2.Block()
    try:
        block.ParseFromString(data)
    except DecodeError as error:
        raise Finding(
            DifferenceKind.UNREADABLE,
            number,
            f"Block {number} cannot be read: its {len(data)} stored bytes are not a block.",
            expected="a serialized common.Block",
            got=f"{len(data)} bytes that do not parse",
        ) from error
    if not block.HasField("header") or not block.HasField("data") or not block.HasField("metadata"):
        raise Finding(
            DifferenceKind.UNREADABLE,
            number,
            f"Block {number} lacks its header, its data or its metadata.",
            expected="header, data and metadata",
            got=f"{len(data)} bytes without all three",
        )
    if has_unknown_fields(block) or block.SerializeToString(deterministic=True) != data:
        raise Finding(
            DifferenceKind.ENCODING,
            number,
            f"Block {number} is not stored in its canonical encoding: "
            "its bytes differ from what its own fields give.",
            expected="the canonical protobuf encoding",
            got="other bytes",
        )
    return block


def has_unknown_fields(message: Any) -> bool:
    """Whether a message, or one inside it, holds fields that its type does not have."""
    if len(UnknownFieldSet(message)) > 0:
        return True
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        members = (value,) if isinstance(value, Message) else value
        if any(has_unknown_fields(member) for member in members):
            return True
    return False


def read_metadata(block: Block, slot: int, number: int) -> Any:
    """Parse one metadata slot that holds a ``common.Metadata`` message.

    Args:
        block: the block.
        slot: which slot, e.g. ``SIGNATURES``.
        number: the block's number, for the finding.

    Returns:
        The ``common.Metadata``; empty if the slot is.

    Raises:
        Finding: METADATA if the slot does not hold the canonical bytes of such a message.
    """
    metadata = common_pb2.Metadata()
    data = block.metadata.metadata[slot]
    try:
        metadata.ParseFromString(data)
    except DecodeError as error:
        raise _slot_finding(number, slot, "is not a Metadata message") from error
    if has_unknown_fields(metadata) or metadata.SerializeToString(deterministic=True) != data:
        raise _slot_finding(number, slot, "is not canonically encoded")
    return metadata


def read_orderer_metadata(metadata: Any, number: int) -> Any:
    """Parse what the orderers signed beside the header.

    Args:
        metadata: the ``common.Metadata`` of slot ``SIGNATURES``.
        number: the block's number, for the finding.

    Returns:
        The ``common.OrdererBlockMetadata``.

    Raises:
        Finding: METADATA if it does not parse or is not canonically encoded.
    """
    signed = common_pb2.OrdererBlockMetadata()
    try:
        signed.ParseFromString(metadata.value)
    except DecodeError as error:
        raise _slot_finding(number, SIGNATURES, "does not hold orderer metadata") from error
    if has_unknown_fields(signed) or signed.SerializeToString(deterministic=True) != metadata.value:
        raise _slot_finding(number, SIGNATURES, "is not canonically encoded")
    return signed


def _slot_finding(number: int, slot: int, what: str) -> Finding:
    return Finding(
        DifferenceKind.METADATA,
        number,
        f"Block {number}: metadata slot {slot} {what}.",
        expected="canonical metadata",
        got=what,
    )
