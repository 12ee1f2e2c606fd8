"""The own organization's peer may be a block behind the one that committed what somebody else wrote."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from consentry.errors import LedgerRefused

LAG_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
_Answer = TypeVar("_Answer")


def await_arrival(read: Callable[[], _Answer], missing: str, seconds: float = LAG_SECONDS) -> _Answer:
    """Read what another organization has written, once the own peer has it too.

    Args:
        read: Asks the own peer.
        missing: Code of its refusal as long as the peer does not have it.
        seconds: How long it is waited for.

    Raises:
        LedgerRefused: With that code when the time is over, with another one at once.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return read()
        except LedgerRefused as refusal:
            if refusal.code != missing or time.monotonic() + _PAUSE_SECONDS > end:
                raise
        time.sleep(_PAUSE_SECONDS)
