"""Going on from what an earlier verification proved: first each copy must be of that very chain."""

from __future__ import annotations

from collections.abc import Sequence

from consentry.verification import checks
from consentry.verification.encoding import read_block
from consentry.verification.errors import VerificationError
from consentry.verification.findings import Finding
from consentry.verification.proved_block import Position
from consentry.verification.reading import FollowedCopy
from consentry.verification.results import DifferenceKind
from consentry.verification.sources import BlockSource
from fabric_protocol.blocks import header_hash


def follow_from(source: BlockSource, position: Position) -> FollowedCopy:
    """A copy at the first block that is not proved; its last proved block is compared.

    Header hash and commit hash stand for everything before: each covers its predecessor's.

    Args:
        source: the copy.
        position: where the chain is proved to.
    """
    last = position.next_block - 1
    if last < 0:
        return FollowedCopy(source.name, source.blocks())
    copy = FollowedCopy(source.name, source.blocks(last), blocks=last)
    found = next(copy.iterator, None)
    if found is None:
        copy.ended = True
        copy.ends_early(f"but an earlier verification reached block {last}: blocks are missing")
        return copy
    try:
        _check_same(found, position)
    except Finding as finding:
        copy.difference = finding.in_source(copy.name)
    else:
        copy.blocks += 1
    return copy


def require_one_that_continues(copies: Sequence[FollowedCopy]) -> None:
    """Refuse to go on where no copy is of the chain that was proved.

    Args:
        copies: as ``follow_from`` left them.

    Raises:
        VerificationError: CHECKPOINT_FOREIGN.
    """
    if all(copy.difference is not None and copy.difference.kind is DifferenceKind.FORK for copy in copies):
        raise VerificationError(
            "CHECKPOINT_FOREIGN",
            f"None of the copies has the block {copies[0].blocks} that an earlier verification proved: its "
            "checkpoint is of another chain, or this is; verify from block 0 without it.",
        )


def _check_same(data: bytes, position: Position) -> None:
    last = position.next_block - 1
    block = read_block(data, last)
    checks.check_number(block, last)
    got = header_hash(block.header)
    if got != position.header_hash:
        raise Finding(
            DifferenceKind.FORK,
            last,
            f"Block {last} is not the one that an earlier verification proved: it was exchanged since.",
            expected=position.header_hash.hex(),
            got=got.hex(),
        )
    if last:
        checks.check_commit_hash(block, last, position.commit_hash)
