"""A block for which every check held, and where the chain stands after it."""

from collections import Counter
from dataclasses import dataclass

from consentry.verification.encoding import Block
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.updates import UpdateBatch
from fabric_protocol.validation import ValidatedBlock
from fabric_protocol.validation_codes import code_name
from fabric_protocol.validation_first_pass import claimed_id, open_envelope


@dataclass(frozen=True)
class Position:
    """How far a chain is proved, and what proving its next block needs besides the state.

    Attributes:
        next_block: number of the first block not yet proved.
        header_hash: SHA-256 of the last proved header; empty before block 0.
        commit_hash: commit hash of the last proved block; empty before block 1.
        genesis_hash: SHA-256 of the genesis header; empty before block 0.
        config_block: serialized block whose configuration is in force; empty before block 0.
        last_config: that block's number.
    """

    next_block: int = 0
    header_hash: bytes = b""
    commit_hash: bytes = b""
    genesis_hash: bytes = b""
    config_block: bytes = b""
    last_config: int = 0


@dataclass(frozen=True)
class ProvedBlock:
    """A block for which every check held, and what follows from it.

    Attributes:
        number: its number.
        data: its stored bytes.
        block: the parsed ``common.Block``.
        header_hash: SHA-256 of its header.
        codes: recomputed validation code of each transaction.
        updates: net updates of its valid transactions.
        validated: the outcome of validation: parsed transactions and their read-write sets.
        position: where the chain stands after it.
        config: channel configuration in force after it.
    """

    number: int
    data: bytes
    block: Block
    header_hash: bytes
    codes: tuple[int, ...]
    updates: UpdateBatch
    validated: ValidatedBlock
    position: Position
    config: ChannelConfig


def claimed_ids(block: Block) -> tuple[str, ...]:
    """Ids that a block's transactions claim, one each, empty where none can be read."""
    return tuple(claimed_id(open_envelope(data)) for data in block.data.data)


def count_codes(proved: ProvedBlock) -> Counter[str]:
    """How many of a block's transactions have each validation code, by name."""
    return Counter(code_name(code) for code in proved.codes)
