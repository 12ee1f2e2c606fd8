"""The same block as several organizations' peers have it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consentry.verification import BlockSource, ChainVerifier, DifferenceKind, Finding, ProvedBlock


@dataclass(frozen=True)
class BlockCopy:
    """One peer's copy of the next block; no data where its copy of the chain ends before."""

    name: str
    number: int
    data: bytes | None

    def agree(self, chain: ChainVerifier, other: ProvedBlock | None) -> ProvedBlock:
        """Prove this copy, and that it says the same as another one.

        Validation codes and commit hash need no comparison of their own: each copy's are recomputed.

        Args:
            chain: what is proved so far.
            other: the same block from the copy before, proved; None for the first.

        Returns:
            The block as the first copy has it.

        Raises:
            Finding: this copy does not hold, is missing, or is another block.
        """
        if self.data is None:
            raise Finding(
                DifferenceKind.ENDS_EARLY,
                self.number,
                f"Block {self.number} is missing: this copy ends before it, while another goes on.",
                expected=f"block {self.number}",
                got="nothing",
            )
        if other is not None and self.data == other.data:
            return other
        proved = chain.prove(self.data, other)
        if other is not None and proved.header_hash != other.header_hash:
            raise Finding(
                DifferenceKind.FORK,
                self.number,
                f"Block {self.number} differs from that of the others, and each is sound by itself: "
                "the chain forks here.",
                expected=other.header_hash.hex(),
                got=proved.header_hash.hex(),
            )
        return other or proved


Copies = tuple[BlockCopy, ...]
"""One block's copies, at least one."""


def read_together(sources: Sequence[BlockSource], start: int) -> Iterator[Copies]:
    """Block after block from all sources, as long as the first one goes on."""
    first, *others = [(source.name, iter(source.blocks(start))) for source in sources]
    for number, data in enumerate(first[1], start):
        rest = (BlockCopy(name, number, next(blocks, None)) for name, blocks in others)
        yield (BlockCopy(first[0], number, data), *rest)
