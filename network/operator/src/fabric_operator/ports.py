"""Ports of a network: chosen free once, recorded, and the same ever after, for clients name them."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from fabric_operator.errors import NetworkError

# Below the ranges from which Linux (32768) and macOS (49152) take the ports of outgoing connections, so that
# nothing else is given one of ours while the network is down.
_FIRST, _LAST = 20_000, 32_000
_ATTEMPTS = 2_000


def choose_ports(names: Sequence[str], host: str, *, avoid: Collection[int] = ()) -> dict[str, int]:
    """Choose a free port on `host` for each name, none of `avoid`.

    Raises:
        NetworkError: NO_FREE_PORTS when too few are free.
    """
    chosen: dict[str, int] = {}
    for _ in range(_ATTEMPTS):
        if len(chosen) == len(names):
            return chosen
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if port not in chosen.values() and port not in avoid and is_free(host, port):
            chosen[names[len(chosen)]] = port
    raise NetworkError(
        "NO_FREE_PORTS",
        f"found {len(chosen)} free ports between {_FIRST} and {_LAST} on {host}, expected {len(names)}: "
        "end what listens there, or choose another host",
    )


def is_free(host: str, port: int) -> bool:
    """Whether one could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def require_free(host: str, ports: Mapping[str, int], names: Iterable[str]) -> None:
    """Name whoever took a port that a process is to listen on, before a log has to.

    Parameters:
        host: on which the network listens.
        ports: of the network, by name.
        names: of the ports that are wanted.

    Raises:
        NetworkError: PORT_TAKEN.
    """
    taken = [f"{ports[name]} ({name})" for name in names if not is_free(host, ports[name])]
    if taken:
        raise NetworkError(
            "PORT_TAKEN",
            f"another process listens on {', '.join(taken)} of {host}: end it, or make a new network",
        )


def write_ports(path: Path, ports: Mapping[str, int]) -> None:
    """Record the ports."""
    path.write_text(json.dumps(dict(ports), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_ports(path: Path) -> dict[str, int]:
    """Read recorded ports.

    Raises:
        NetworkError: PORTS_UNREADABLE when the file is missing or is not a map of names to port numbers.
    """
    try:
        ports = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NetworkError(
            "PORTS_UNREADABLE", f"cannot read the ports of the network in {path}: {error}"
        ) from error
    if not isinstance(ports, dict) or not all(_is_port(port) for port in ports.values()):
        raise NetworkError(
            "PORTS_UNREADABLE",
            f"expected a map of names to numbers from 1 to 65535 in {path}, got something else",
        )
    return ports


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536
