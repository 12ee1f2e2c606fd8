"""Which attempts a decision service is to decide on next."""

from __future__ import annotations

import time
from collections import deque

from consentry_records.access import MAXIMUM_DECISIONS

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


class WaitingAttempts:
    """Attempts that are new, and those to be decided again, each with a pause of its own that doubles."""

    def __init__(self) -> None:
        self._new: deque[str] = deque()
        self._under_way: tuple[str, ...] = ()
        self._due: dict[str, float] = {}
        self._pauses: dict[str, float] = {}

    def add(self, attempt_id: str) -> None:
        """Note a new attempt."""
        self._new.append(attempt_id)

    def take_new(self) -> tuple[str, ...]:
        """New attempts for one transaction; none while the one before is under way."""
        if not self._under_way:
            count = min(len(self._new), MAXIMUM_DECISIONS)
            self._under_way = tuple(self._new.popleft() for _ in range(count))
            return self._under_way
        return ()

    def finish(self, attempt_ids: tuple[str, ...]) -> None:
        """Note that a transaction is no longer under way."""
        if attempt_ids is self._under_way:
            self._under_way = ()

    def postpone(self, attempt_id: str) -> None:
        """Let an attempt wait, twice as long as the time before."""
        pause = self._pauses.get(attempt_id, FIRST_PAUSE_SECONDS)
        self._pauses[attempt_id] = min(2 * pause, LONGEST_PAUSE_SECONDS)
        self._due[attempt_id] = time.monotonic() + pause

    def take_due(self) -> str | None:
        """Return an attempt whose pause is over, None where there is none."""
        due = min(self._due, key=self._due.__getitem__, default=None)
        if due is None or self._due[due] > time.monotonic():
            return None
        del self._due[due]
        return due

    def until_due(self, longest: float) -> float:
        """Seconds until the next pause is over, at most `longest`."""
        earliest = min(self._due.values(), default=None)
        return longest if earliest is None else min(max(earliest - time.monotonic(), 0.0), longest)

    def forget(self, attempt_id: str) -> None:
        """Nothing more is to be done about an attempt."""
        self._pauses.pop(attempt_id, None)
