"""When a transaction that others overtook is made anew, and how often."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fabric_gateway.errors import CommitError, EndorseError, GatewayError

_Result = TypeVar("_Result")

# Another transaction overtook this one; any other invalid code would come back.
_CONFLICTS = frozenset({"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"})
# Endorsers that run before and after a commit disagree; nothing was submitted (Fabric's gateway's text).
_ENDORSERS_DISAGREE = "ProposalResponsePayloads do not match"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictRetry:
    """A conflict (MVCC, phantom read, endorsers that differ by a block) is answered by a new transaction.

    The first one had no effect, so that nothing happens twice. `tries` counts all transactions; pauses are in
    seconds, drawn at random around a length that doubles from `first_pause` to `longest_pause`. Nothing else
    is ever retried: an unknown outcome least of all.
    """

    tries: int = 5
    first_pause: float = 0.05
    longest_pause: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.tries, bool) or not isinstance(self.tries, int) or self.tries < 1:
            raise ValueError(f"tries: got {self.tries!r}, expected a number, 1 or more")
        for name in ("first_pause", "longest_pause"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: got {value}, expected seconds, 0 or more")

    def run(self, transact: Callable[[], _Result]) -> _Result:
        """Call `transact`, which makes, submits and awaits a new transaction, until it meets no conflict.

        Raises:
            GatewayError: what the last call raised.
        """
        pause = self.first_pause
        for _ in range(self.tries - 1):
            try:
                return transact()
            except GatewayError as error:
                if not is_conflict(error):
                    raise
            time.sleep(pause * (0.5 + random.random()))
            pause = min(2 * pause, self.longest_pause)
        return transact()


NO_RETRY = ConflictRetry(tries=1)


def is_conflict(error: GatewayError) -> bool:
    """Whether another transaction overtook the one that failed, which had no effect."""
    if isinstance(error, CommitError):
        return error.status.name in _CONFLICTS
    words = (error.message, *(detail.message for detail in error.details))
    return isinstance(error, EndorseError) and any(_ENDORSERS_DISAGREE in text for text in words)
