"""How long each step may take."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Deadlines in seconds, those that Fabric's documentation suggests to clients.

    `commit_status` also bounds how long an unknown outcome is followed up.
    """

    evaluate: float = 30.0
    endorse: float = 15.0
    submit: float = 5.0
    commit_status: float = 60.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"timeout {field.name}: got {type(value).__name__}, expected seconds")
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"timeout {field.name}: got {value}, expected a positive number of seconds")
