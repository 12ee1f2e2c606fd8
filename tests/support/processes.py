"""Processes of this machine: which descend from one, and whether they are gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

_SECONDS = 60


def below(ancestor: int) -> list[int]:
    """Processes that descend from one."""
    parents: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(place.parent.name)] = int(place.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, new = set[int](), {ancestor}
    while new:
        new = {process for process, parent in parents.items() if parent in new} - found
        found |= new
    return sorted(found)


def until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition, a minute at most; return whether it came true."""
    end = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def all_gone(processes: list[int]) -> bool:
    """Whether these processes are gone within a minute."""
    return until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes))
