"""What must hold of one block, check by check, in the order in which a Fabric peer looks.

Sources: Fabric's ``common/deliverclient/block_verification.go`` for header, data and signatures;
``core/ledger/kvledger`` for flags and commit hash.
"""

from fabric_protos.common import common_pb2

from consentry.verification import encoding
from consentry.verification.encoding import Block, read_metadata, read_orderer_metadata
from consentry.verification.findings import Finding
from consentry.verification.results import DifferenceKind
from fabric_protocol.block_signatures import signed_data, verify_block_signatures
from fabric_protocol.blocks import check_well_formed, data_hash, header_hash
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.errors import ProtocolError
from fabric_protocol.policies import signing_identities
from fabric_protocol.validation_codes import code_name


def check_number(block: Block, number: int) -> None:
    """The block stands where its number says."""
    got = block.header.number
    if got == number:
        return
    what = f"block {got} stands in its place"
    sentence = (
        f"Block {number} is missing: {what}." if got > number else f"Block {number} is not here: {what}."
    )
    raise Finding(DifferenceKind.BLOCK_NUMBER, number, sentence, expected=str(number), got=str(got))


def check_previous_hash(block: Block, number: int, previous: bytes) -> None:
    """The header names the hash of the header before it (empty in block 0)."""
    got = block.header.previous_hash
    if got != previous:
        raise Finding(
            DifferenceKind.PREVIOUS_HASH,
            number,
            f"Block {number} does not follow block {number - 1}: it names another previous header."
            if number
            else "Block 0 names a previous block, which a genesis block cannot have.",
            expected=previous.hex(),
            got=got.hex(),
        )


def check_data(block: Block, number: int) -> None:
    """The data is what the header's data hash says, and each entry has its only encoding."""
    computed = data_hash(block.data)
    if computed != block.header.data_hash:
        raise Finding(
            DifferenceKind.DATA_HASH,
            number,
            f"Block {number}: the stored transactions are not those of its header (data hash).",
            expected=block.header.data_hash.hex(),
            got=computed.hex(),
        )
    try:
        check_well_formed(block)
    except ProtocolError as error:
        raise Finding(
            DifferenceKind.ENCODING,
            number,
            f"Block {number}: a transaction is not canonically encoded ({error}).",
            expected="canonically encoded envelopes",
            got=str(error),
        ) from error


def check_metadata(block: Block, number: int, last_config: int) -> None:
    """Five slots; the signed last configuration is right; the unsigned copy agrees; nothing else is there.

    Args:
        block: the block.
        number: its number.
        last_config: number of the block whose configuration is in force after this one.

    Raises:
        Finding: METADATA.
    """
    slots = block.metadata.metadata
    if len(slots) != encoding.METADATA_SLOTS:
        raise _metadata(number, f"{encoding.METADATA_SLOTS} slots", f"{len(slots)} slots")
    signed = read_orderer_metadata(read_metadata(block, encoding.SIGNATURES, number), number)
    if signed.last_config.index != last_config:
        raise _metadata(
            number, f"last configuration {last_config}", f"last configuration {signed.last_config.index}"
        )
    index = common_pb2.LastConfig(index=last_config).SerializeToString()
    unsigned = common_pb2.Metadata(value=index).SerializeToString()
    if slots[encoding.LAST_CONFIG] != unsigned:
        raise _metadata(number, "the same last configuration in slot 1 as is signed", "another")
    if slots[encoding.ORDERER]:
        raise _metadata(number, "nothing in slot 3", f"{len(slots[encoding.ORDERER])} bytes")


def check_orderer_signatures(block: Block, number: int, config: ChannelConfig) -> None:
    """The orderers signed the header, as the configuration before this block asks.

    Stricter than Fabric in one respect: a signature that does not hold is a finding even where enough
    others do, for honest orderers attach none.
    """
    try:
        verify_block_signatures(block, config)
        attached = len(read_metadata(block, encoding.SIGNATURES, number).signatures)
        sound = len(signing_identities(signed_data(block, config), config.msps))
    except ProtocolError as error:
        raise Finding(
            DifferenceKind.ORDERER_SIGNATURE,
            number,
            f"Block {number} is not signed by the orderers as the channel's configuration asks ({error}).",
            expected="signatures that satisfy /Channel/Orderer/BlockValidation",
            got=str(error),
        ) from error
    if sound != attached:
        raise Finding(
            DifferenceKind.ORDERER_SIGNATURE,
            number,
            f"Block {number} carries {attached} signatures, of which {sound} are an orderer's own and hold.",
            expected=f"{attached} signatures that hold",
            got=f"{sound}",
        )


def check_flags(block: Block, number: int, codes: tuple[int, ...]) -> None:
    """The stored validation flags are those that validation gives."""
    stored = tuple(block.metadata.metadata[encoding.FLAGS])
    if len(stored) != len(codes):
        raise Finding(
            DifferenceKind.FLAGS,
            number,
            f"Block {number} has {len(stored)} validation flags for {len(codes)} transactions.",
            expected=f"{len(codes)} flags",
            got=f"{len(stored)} flags",
        )
    for index, (got, expected) in enumerate(zip(stored, codes, strict=True)):
        if got != expected:
            raise Finding(
                DifferenceKind.FLAGS,
                number,
                f"Block {number}, transaction {index}: it is marked {code_name(got)}, "
                f"but validating it again gives {code_name(expected)}.",
                expected=code_name(expected),
                got=code_name(got),
                transaction=index,
            )


def check_commit_hash(block: Block, number: int, expected: bytes) -> None:
    """The stored commit hash is the one over flags, updates and the hash before."""
    metadata = read_metadata(block, encoding.COMMIT_HASH, number)
    if metadata.signatures:
        raise _metadata(number, "a commit hash without signatures", f"{len(metadata.signatures)} signatures")
    if metadata.value != expected:
        raise Finding(
            DifferenceKind.COMMIT_HASH,
            number,
            f"Block {number}: the peer committed another state than these transactions give (commit hash)."
            if metadata.value
            else f"Block {number} carries no commit hash: a peer adds one to every block after the first.",
            expected=expected.hex(),
            got=metadata.value.hex(),
        )


def check_anchor(block: Block, anchor: str | None) -> None:
    """The genesis header has the hash that was pinned from outside."""
    got = header_hash(block.header).hex()
    if anchor is not None and got != anchor:
        raise Finding(
            DifferenceKind.ANCHOR,
            0,
            "Block 0 is not the genesis block that the anchor names: this is another channel, "
            f"whatever its names say (anchor {anchor}, found {got}).",
            expected=anchor,
            got=got,
        )


def _metadata(number: int, expected: str, got: str) -> Finding:
    return Finding(
        DifferenceKind.METADATA,
        number,
        f"Block {number}: its metadata must hold {expected}, and holds {got}.",
        expected=expected,
        got=got,
    )


def check_unsigned(block: Block) -> None:
    """Block 0 carries no signatures and no commit hash: nothing could check them."""
    if read_metadata(block, encoding.SIGNATURES, 0).signatures:
        raise _metadata(0, "no signatures, as genesis blocks have none", "signatures")
    if block.metadata.metadata[encoding.COMMIT_HASH]:
        raise _metadata(0, "no commit hash, as genesis blocks have none", "one")
