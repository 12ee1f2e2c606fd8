"""How far an index is behind the peer that it follows."""

from __future__ import annotations

from collections.abc import Callable

_SECONDS = 1.0


class Lag:
    """Tells after each block how many more the peer has; asks it once a second at most while it catches up.

    Args:
        newest: gives the number of the peer's newest block.
        clock: monotonic seconds.
    """

    def __init__(self, newest: Callable[[], int], clock: Callable[[], float]) -> None:
        self._newest = newest
        self._clock = clock
        self._known = -1
        self._asked_at = float("-inf")

    def behind(self, block: int) -> int:
        """How many blocks the peer has after one.

        Raises:
            LedgerUnreachable: the peer gave no answer.
        """
        if block >= self._known or self._clock() - self._asked_at >= _SECONDS:
            self._known, self._asked_at = self._newest(), self._clock()
        return max(self._known - block, 0)

    def sentence(self, block: int) -> str:
        """The same for a reader."""
        count = self.behind(block)
        return f"block {block}, {count} behind" if count else f"block {block}, up to date"
