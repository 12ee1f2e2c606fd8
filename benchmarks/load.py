"""Load with many calls in flight, and what it costs: rates, and CPU time of every process that takes part."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric_gateway import Contract

IN_FLIGHT = 200
VALUE = "v" * 200
CLIENT = "client"


@dataclass(frozen=True)
class Load:
    """What some calls came to.

    Attributes:
        rate: calls a second.
        milliseconds: of CPU a call, user and system, by process.
    """

    rate: float
    milliseconds: dict[str, float]

    @property
    def total(self) -> float:
        """Milliseconds of CPU a call, of all processes."""
        return sum(self.milliseconds.values())

    def __str__(self) -> str:
        """As one line."""
        parts = ", ".join(f"{name} {spent:.2f}" for name, spent in self.milliseconds.items() if spent >= 0.01)
        return f"{self.rate:,.0f}/s; CPU {self.total:.2f} ms each: {parts}"


def submits(contract: Contract, prefix: str, count: int) -> Callable[[], None]:
    """Submits of 200 bytes under keys of their own, 200 in flight."""

    def run() -> None:
        with contract.in_flight(IN_FLIGHT) as calls:
            _succeed(calls.submit("bench:put", f"{prefix}-{number}", VALUE) for number in range(count))

    return run


def evaluations(contract: Contract, prefix: str, count: int, keys: int) -> Callable[[], None]:
    """Evaluations of values that `submits` wrote, 200 in flight."""

    def run() -> None:
        with contract.in_flight(IN_FLIGHT) as calls:
            _succeed(calls.evaluate("bench:get", f"{prefix}-{number % keys}") for number in range(count))

    return run


def measured(network: Any, count: int, run: Callable[[], None]) -> Load:
    """Run a number of calls against a network whose processes are on this machine."""
    processes = {node.name: node.pid for node in network.status() if node.pid is not None}
    before = {name: process_seconds(pid) for name, pid in processes.items()}
    own, began = time.process_time(), time.perf_counter()
    run()
    elapsed, own = time.perf_counter() - began, time.process_time() - own
    spent = {name: process_seconds(pid) - before[name] for name, pid in processes.items()}
    milliseconds = {name: seconds / count * 1000 for name, seconds in {CLIENT: own, **spent}.items()}
    return Load(count / elapsed, milliseconds)


def _succeed(futures: Iterable[Future[bytes]]) -> None:
    for future in list(futures):
        future.result()


def process_seconds(pid: int) -> float:
    """CPU time of a process with all its threads (proc(5), /proc/<pid>/stat: utime, stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
