"""fabric_shim beside the official runtimes: CPU, rate and latency, interleaved, on equal requests.

All are chaincode services without TLS, driven by a peer that answers at once, so that the figures are the
runtimes' own; CPU is that of the service's process with all its threads (``/proc/<pid>/stat``).
Run it alone: ``python -m benchmarks.chaincode_runtimes``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import grpc.aio

from benchmarks.load import process_seconds
from benchmarks.null_peer import VALUE, NullPeer, creator
from benchmarks.results import Measurement
from benchmarks.runtimes import GO, NODE, OURS, Runtime, runtimes

ROUNDS = 5
_TEXT = VALUE.decode()
_START_SECONDS = 60


@dataclass(frozen=True)
class Shape:
    """A kind of transaction.

    Attributes:
        function: of the contract.
        arguments: of each call.
        count: calls a round.
        in_flight: calls at once.
        bar: how many times Node's CPU a transaction must be ours.
        rate_bar: least rate of ours, in times Node's; 0 for none.
    """

    function: str
    arguments: tuple[str, ...]
    count: int
    in_flight: int
    bar: float
    rate_bar: float = 0.0


@dataclass(frozen=True)
class Round:
    """What one round came to.

    Attributes:
        cpu: milliseconds of the service's CPU a transaction.
        latency: median of their milliseconds.
        rate: transactions a second; the peer's share is in it, too.
    """

    cpu: float
    latency: float
    rate: float


SHAPES = (
    Shape("put", ("key", _TEXT), 1500, 20, 1 / 0.8),
    Shape("get", ("key",), 1500, 20, 1.0),
    Shape("domain", ("key", _TEXT), 800, 20, 1.5, 1.5),
    Shape("write_many", ("key", _TEXT), 20, 2, 5.0, 5.0),
    Shape("read_many", ("key",), 20, 2, 3.0, 3.0),
)
_ALONE = Shape("put", ("key", _TEXT), 400, 1, 1.0)


@dataclass(frozen=True)
class Service:
    """A runtime that serves."""

    runtime: Runtime
    address: str
    process: subprocess.Popen[bytes]

    async def run(self, shape: Shape) -> Round:
        """One round."""
        options = [("grpc.max_receive_message_length", -1)]
        async with grpc.aio.insecure_channel(self.address, options=options) as channel:
            await asyncio.wait_for(channel.channel_ready(), _START_SECONDS)
            peer = NullPeer(channel, creator())
            await peer.open()
            began, cpu = time.perf_counter(), process_seconds(self.process.pid)
            latencies = await peer.run(shape.function, shape.arguments, shape.count, shape.in_flight)
            seconds, spent = time.perf_counter() - began, process_seconds(self.process.pid) - cpu
            await peer.close()
        return Round(spent / shape.count * 1000, median(latencies) * 1000, shape.count / seconds)


def measure(directory: Path) -> Iterator[Measurement]:
    """Run the services side by side; bars are Node's."""
    del directory
    with contextlib.ExitStack() as stack:
        services = [stack.enter_context(_service(runtime)) for runtime in runtimes()]
        # One event loop for all: gRPC's threads keep talking to the first that they met.
        loop = stack.enter_context(asyncio.Runner())
        for shape in SHAPES:
            rounds = loop.run(_interleaved(services, shape))
            cpu = {name: median(one.cpu for one in found) for name, found in rounds.items()}
            yield from _compared(f"chaincode {shape.function}, Node's CPU / ours", cpu, shape.bar)
            if shape.rate_bar:
                yield from _compared_rates(shape, rounds)
        rounds = loop.run(_interleaved(services, _ALONE))
        latency = {name: median(one.latency for one in found) for name, found in rounds.items()}
        yield from _compared("chaincode put alone, Node's latency (p50) / ours", latency, _ALONE.bar)


async def _interleaved(services: list[Service], shape: Shape) -> dict[str, list[Round]]:
    """The rounds, by runtime."""
    found: dict[str, list[Round]] = {service.runtime.name: [] for service in services}
    for turn in range(ROUNDS + 1):
        for service in services:
            came_to = await service.run(shape)
            # The first turn warms caches and compilers up.
            if turn:
                found[service.runtime.name].append(came_to)
    return found


def _compared_rates(shape: Shape, rounds: dict[str, list[Round]]) -> Iterator[Measurement]:
    rates = {name: median(one.rate for one in found) for name, found in rounds.items()}
    print(f"chaincode {shape.function}: {', '.join(f'{name} {rate:,.0f}/s' for name, rate in rates.items())}")
    if NODE in rates:
        what = f"chaincode {shape.function}, ours / Node's rate"
        yield Measurement(what, rates[OURS] / rates[NODE], "×", shape.rate_bar)


def _compared(what: str, milliseconds: dict[str, float], bar: float) -> Iterator[Measurement]:
    told = ", ".join(f"{name} {value:.3f} ms" for name, value in milliseconds.items())
    print(f"{what.partition(',')[0]}: {told}")
    if NODE in milliseconds:
        yield Measurement(what, milliseconds[NODE] / milliseconds[OURS], "×", bar)
    if GO in milliseconds:
        print(f"{what.replace('Node', 'Go')}: {milliseconds[GO] / milliseconds[OURS]:.2f} × (no bar)")


@contextlib.contextmanager
def _service(runtime: Runtime) -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        address = f"127.0.0.1:{found.getsockname()[1]}"
    environment = {
        "CORE_CHAINCODE_ID": "bench:1",
        "CHAINCODE_SERVER_ADDRESS": address,
        "CHAINCODE_TLS_DISABLED": "true",
    }
    process = subprocess.Popen(  # noqa: S603 - a runtime of the table
        runtime.command,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Service(runtime, address, process)
    finally:
        process.terminate()
        process.wait(20)


if __name__ == "__main__":
    for measurement in measure(Path()):
        print(
            f"{measurement.what}: {measurement.measured:.2f}; {'reached' if measurement.holds else 'missed'}"
        )
