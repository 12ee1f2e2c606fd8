"""What ends a delivery or a run before it is complete."""

from __future__ import annotations


class Stopped(Exception):
    """A delivery or a run must not go on; `end` is a code of `consentry_records.delivery.ENDS`."""

    def __init__(self, end: str) -> None:
        super().__init__(end)
        self.end = end
