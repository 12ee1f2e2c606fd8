"""Which of this user's networks has which ports: two must not be given the same, even while neither is up."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fabric_operator.network_directory import PORTS, UNFINISHED
from fabric_operator.ports import choose_ports

_FILE = "ports.json"


def claim_ports(
    names: Sequence[str], host: str, directory: Path, keep: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Choose a port for each name that is free now and no other network's of this user.

    Parameters:
        names: what the ports are for.
        host: address that they are to be free on.
        directory: of the network; its earlier claim is replaced.
        keep: ports that the network has already, and goes on having.

    Returns:
        The ports of `names`.

    Raises:
        NetworkError: NO_FREE_PORTS.
    """
    with _claims() as claims:
        for claimed in [item for item in claims if item == str(directory) or not _is_network(Path(item))]:
            del claims[claimed]
        kept = set((keep or {}).values())
        taken = {port for ports in claims.values() for port in ports}
        chosen = choose_ports(names, host, avoid=taken | kept)
        claims[str(directory)] = sorted({*kept, *chosen.values()})
        return chosen


def _is_network(directory: Path) -> bool:
    return (directory / PORTS).exists() or (directory / UNFINISHED).exists()


@contextlib.contextmanager
def _claims() -> Iterator[dict[str, list[int]]]:
    """The claims, locked, and written back; kept nowhere where this user has no place for them."""
    try:
        place = _place()
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = place.open("a+", encoding="utf-8")
    except (OSError, RuntimeError):
        yield {}
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        claims = _read(file.read())
        yield claims
        file.seek(0)
        file.truncate()
        file.write(json.dumps(claims))


def _place() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "consentry" / _FILE


def _read(text: str) -> dict[str, list[int]]:
    try:
        document = json.loads(text)
        return {str(directory): [int(port) for port in ports] for directory, ports in document.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
