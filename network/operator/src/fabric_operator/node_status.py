"""The state of one process of a network, the same under either engine."""

from __future__ import annotations

from dataclasses import dataclass

RUNNING = "running"
STOPPED = "stopped"
DIED = "died"


@dataclass(frozen=True)
class NodeStatus:
    """One process of the network.

    Parameters:
        name: what the engine calls it, or as `start_process` was told.
        state: "running", "stopped", or "died" when it ended without being stopped.
        pid: its process id while it runs.
        detail: what else is known, for people.
    """

    name: str
    state: str
    pid: int | None
    detail: str
