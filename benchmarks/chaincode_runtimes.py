"""fabric_shim beside the official runtimes: CPU and latency of a transaction, interleaved, on equal requests.

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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import grpc.aio

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
    """

    function: str
    arguments: tuple[str, ...]
    count: int
    in_flight: int
    bar: float


SHAPES = (
    Shape("put", ("key", _TEXT), 1500, 20, 1 / 0.8),
    Shape("get", ("key",), 1500, 20, 1.0),
    Shape("domain", ("key", _TEXT), 800, 20, 1.5),
    Shape("write_many", ("key", _TEXT), 20, 2, 5.0),
    Shape("read_many", ("key",), 20, 2, 3.0),
)
_ALONE = Shape("put", ("key", _TEXT), 400, 1, 1.0)


@dataclass(frozen=True)
class Service:
    """A runtime that serves."""

    runtime: Runtime
    address: str
    process: subprocess.Popen[bytes]

    async def run(self, shape: Shape) -> tuple[float, float]:
        """One round: milliseconds of CPU a transaction, and the median of their latencies."""
        options = [("grpc.max_receive_message_length", -1)]
        async with grpc.aio.insecure_channel(self.address, options=options) as channel:
            await asyncio.wait_for(channel.channel_ready(), _START_SECONDS)
            peer = NullPeer(channel, creator())
            await peer.open()
            began = self._seconds()
            latencies = await peer.run(shape.function, shape.arguments, shape.count, shape.in_flight)
            spent = self._seconds() - began
            await peer.close()
        return spent / shape.count * 1000, median(latencies) * 1000

    def _seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(directory: Path) -> Iterator[Measurement]:
    """Run the services side by side; bars are Node's."""
    del directory
    with contextlib.ExitStack() as stack:
        services = [stack.enter_context(_service(runtime)) for runtime in runtimes()]
        # One event loop for all: gRPC's threads keep talking to the first that they met.
        loop = stack.enter_context(asyncio.Runner())
        for shape in SHAPES:
            cpu = loop.run(_interleaved(services, shape, 0))
            yield from _compared(f"chaincode {shape.function}, Node's CPU / ours", cpu, shape.bar)
        latency = loop.run(_interleaved(services, _ALONE, 1))
        yield from _compared("chaincode put alone, Node's latency (p50) / ours", latency, _ALONE.bar)


async def _interleaved(services: list[Service], shape: Shape, figure: int) -> dict[str, float]:
    """Median of the rounds, by runtime."""
    found: dict[str, list[float]] = {service.runtime.name: [] for service in services}
    for turn in range(ROUNDS + 1):
        for service in services:
            measured = (await service.run(shape))[figure]
            # The first turn warms caches and compilers up.
            if turn:
                found[service.runtime.name].append(measured)
    return {name: median(values) for name, values in found.items()}


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
