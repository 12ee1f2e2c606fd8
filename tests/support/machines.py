"""Machines of a network as network namespaces: each has an address of its own on one wire."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

_SWITCH = "switch"


@dataclass(frozen=True)
class Machines:
    """Namespaces by name, and the address of each."""

    addresses: dict[str, str]

    def inside(self, name: str) -> tuple[str, ...]:
        """What to put before a command so that it runs on that machine."""
        return ("ip", "netns", "exec", _namespace(name))

    def run(self, name: str, command: Sequence[str], status: int = 0) -> str:
        """What a command prints on that machine; it has to succeed, or to end with another status.

        What it says of an error comes after what it prints.
        """
        line = [*self.inside(name), *command]
        wide = {**os.environ, "COLUMNS": "1000", "NO_COLOR": "1"}
        done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=300, env=wide)
        assert done.returncode == status, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout + (done.stderr if status else "")


@contextmanager
def machines(names: Sequence[str]) -> Iterator[Machines]:
    """Machines on a wire of their own, which reaches nothing else; they are gone afterwards."""
    with ExitStack() as stack:
        for name in (_SWITCH, *names):
            _ip("netns", "add", _namespace(name))
            stack.callback(_ip, "netns", "del", _namespace(name))
        switch = _namespace(_SWITCH)
        _ip("-n", switch, "link", "add", "wire", "type", "bridge")
        _ip("-n", switch, "link", "set", "wire", "up")
        addresses = {name: f"10.231.7.{number}" for number, name in enumerate(names, start=10)}
        for number, (name, address) in enumerate(addresses.items()):
            _connect(switch, _namespace(name), f"port{number}", address)
        yield Machines(addresses)


def _connect(switch: str, machine: str, port: str, address: str) -> None:
    _ip("-n", switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", machine)
    _ip("-n", switch, "link", "set", port, "master", "wire", "up")
    _ip("-n", machine, "address", "add", f"{address}/24", "dev", "eth0")
    for device in ("lo", "eth0"):
        _ip("-n", machine, "link", "set", device, "up")


def _namespace(name: str) -> str:
    """A namespace of this process's own."""
    return f"consentry-{os.getpid()}-{name}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
