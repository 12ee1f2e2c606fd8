"""A network's processes one by one: start, stop, kill, and what they print."""

from __future__ import annotations

from pathlib import Path

from consentry.network.engines import load_network
from consentry.network.translation import translated


@translated()
def start_node(directory: Path, name: str) -> None:
    """Start one process of a network, e.g. `peer-northgate`; returns when it can be used.

    Raises:
        ConsentryError: NODE_UNKNOWN, with the names that there are; or why it did not start.
    """
    load_network(directory).start_node(name)


@translated()
def stop_node(directory: Path, name: str) -> None:
    """End one process of a network in good order; raises as `start_node`."""
    load_network(directory).stop_node(name)


@translated()
def kill_node(directory: Path, name: str) -> None:
    """End one process of a network without warning, as a power failure would; raises as `start_node`."""
    load_network(directory).kill_node(name)


@translated()
def log_tail(directory: Path, name: str, lines: int) -> str:
    """The last lines that one process of a network printed; raises as `start_node`.

    Args:
        directory: The network's directory.
        name: The process's, as `status` tells it.
        lines: At most how many.
    """
    text = load_network(directory).log(name).read_text(encoding="utf-8", errors="replace")
    return "\n".join(text.splitlines()[-lines:]) if lines > 0 else ""
