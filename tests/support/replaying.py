"""A verifier of whole chains, put together from the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fabric_protocol.blocks import (
    check_link,
    check_well_formed,
    header_hash,
    transaction_flags,
    verify_block_signatures,
)
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.commit_hash import commit_hash, read_commit_hash
from fabric_protocol.errors import ProtocolError
from fabric_protocol.memory_state import MemoryState
from fabric_protocol.validation import ValidatedBlock, validate_block


@dataclass(frozen=True)
class Step:
    """A block with what was known before it."""

    block: Any
    validated: ValidatedBlock
    previous_hash: bytes
    previous_commit_hash: bytes


def replay(blocks: Sequence[Any], state: MemoryState | None = None) -> Iterator[Step]:
    """Verify everything of a chain whose configuration never changes, block after block."""
    config = ChannelConfig.from_block(blocks[0])
    state = MemoryState() if state is None else state
    known: set[str] = set()
    previous = commit = b""
    for number, block in enumerate(blocks):
        check_link(block, number=number, previous_hash=previous)
        check_well_formed(block)
        if number:
            verify_block_signatures(block, config)
        validated = validate_block(block, config=config, state=state, known_transactions=known.intersection)
        yield Step(block, validated, previous, commit)
        state.apply(validated.updates)
        known.update(entry.transaction_id for entry in validated.transactions if entry)
        previous = header_hash(block.header)
        commit = commit_hash(validated.flags, validated.updates, commit) if number else b""


def verdict(blocks: Sequence[Any]) -> str:
    """What is wrong with a chain: a code and a block number, or "consistent"."""
    number = -1
    try:
        for number, step in enumerate(replay(blocks)):
            if step.validated.flags != transaction_flags(step.block):
                return f"FLAGS {number}"
            expected = (
                commit_hash(step.validated.flags, step.validated.updates, step.previous_commit_hash)
                if number
                else b""
            )
            if expected != read_commit_hash(step.block):
                return f"COMMIT_HASH {number}"
    except ProtocolError as error:
        return f"{error.code} {number + 1}"
    return "consistent"
