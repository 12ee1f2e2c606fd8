"""How often one address may ask for a challenge: checking signatures is costly."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from consentry.web.errors import PageRefused

_MOST_ADDRESSES = 10_000


class RateLimit:
    """So many times in so many seconds by one address; usable by many threads.

    Args:
        times: how often.
        seconds: in which period.
        now: Unix seconds.
    """

    def __init__(self, times: int, seconds: float, now: Callable[[], float]) -> None:
        self._times = times
        self._seconds = seconds
        self._now = now
        self._asked: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, address: str) -> None:
        """Count one time; raises PageRefused TOO_MANY_REQUESTS."""
        now = self._now()
        with self._lock:
            recent = [moment for moment in self._asked.pop(address, []) if now - moment < self._seconds]
            is_refused = len(recent) >= self._times
            self._asked[address] = recent if is_refused else [*recent, now]
            while len(self._asked) > _MOST_ADDRESSES:
                self._asked.popitem(last=False)
        if is_refused:
            raise PageRefused(429, "TOO_MANY_REQUESTS", "too many requests from this address; wait a minute")
