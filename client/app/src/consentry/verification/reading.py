"""One copy of the chain while it is followed, some blocks read ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from consentry.verification.results import Difference, DifferenceKind
from consentry.verification.signature_pool import Held, SignaturePool


@dataclass
class FollowedCopy:
    """One copy of the chain.

    Attributes:
        name: of the source.
        iterator: its blocks.
        blocks: number of its first block that is not proved to hold.
        ended: whether it has no more blocks.
        difference: its first difference, after which it is not followed.
    """

    name: str
    iterator: Iterator[bytes]
    blocks: int = 0
    ended: bool = False
    difference: Difference | None = None
    _ahead: deque[tuple[bytes, Held]] = field(default_factory=deque)

    @property
    def active(self) -> bool:
        """Whether it is followed still."""
        return not self.ended and self.difference is None

    def next(self, pool: SignaturePool | None) -> tuple[bytes, tuple[bytes, ...]] | None:
        """Its next block and the names of signatures in it that hold; None, and ended, where there is none.

        Args:
            pool: checks signatures of the blocks that follow meanwhile; None without one, and for a copy
                whose blocks are compared with another one's.
        """
        if pool is not None:
            self._read_ahead(pool)
        if not self._ahead:
            found = next(self.iterator, None)
            self.ended = found is None
            return None if found is None else (found, ())
        data, check = self._ahead.popleft()
        held = check()
        if pool is not None:
            # At once, so that none of its processes waits while this one proves the block.
            self._read_ahead(pool)
        return data, held

    def _read_ahead(self, pool: SignaturePool) -> None:
        while len(self._ahead) < pool.capacity and (coming := next(self.iterator, None)) is not None:
            self._ahead.append((coming, pool.submit(coming)))

    def ends_early(self, why: str) -> None:
        """Note that blocks are missing at its end.

        Args:
            why: they must be there, for the sentence.
        """
        end = f"at block {self.blocks - 1}" if self.blocks else "before its first block"
        self.difference = Difference(
            kind=DifferenceKind.ENDS_EARLY,
            source=self.name,
            block=self.blocks,
            transaction=None,
            expected=f"block {self.blocks}",
            got="nothing",
            sentence=f"Block {self.blocks} is missing: this copy ends {end}, {why}.",
        )
