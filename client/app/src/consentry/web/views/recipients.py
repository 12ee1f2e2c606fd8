"""Who tried to access some data, organization by organization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipient:
    """One organization (MSP id): how often it was permitted and denied, and how often nobody decided yet."""

    msp_id: str
    permitted: int
    denied: int
    undecided: int

    @property
    def attempts(self) -> int:
        """How often it tried."""
        return self.permitted + self.denied + self.undecided


def recipients(counts: Mapping[tuple[str, str], int]) -> tuple[Recipient, ...]:
    """Organizations by their names, from numbers of attempts by organization and outcome."""
    return tuple(
        Recipient(
            msp_id,
            *(counts.get((msp_id, outcome), 0) for outcome in ("permit", "deny", "open")),
        )
        for msp_id in sorted({msp_id for msp_id, _ in counts})
    )
