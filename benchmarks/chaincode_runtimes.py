"""fabric_shim beside the official Node.js runtime: CPU a transaction, interleaved, on the same requests.

Both are chaincode services without TLS, driven by a peer that answers at once, so that the figures are the
runtimes' own; CPU is that of the service's process with all its threads (``/proc/<pid>/stat``).
Run it alone: ``python -m benchmarks.chaincode_runtimes``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import grpc.aio

from benchmarks.null_peer import VALUE, NullPeer, creator
from benchmarks.results import Measurement

ROUNDS = 5
_HERE = Path(__file__).parent
_TEXT = VALUE.decode()
# Function, arguments, runs a round, in flight, how many times Node's CPU a transaction must be ours.
_SHAPES = (
    ("put", ("key", _TEXT), 1500, 20, 1 / 0.8),
    ("get", ("key",), 1500, 20, 1.0),
    ("domain", ("key", _TEXT), 800, 20, 1.5),
    ("write_many", ("key", _TEXT), 20, 2, 5.0),
    ("read_many", ("key",), 20, 2, 3.0),
)


def measure(directory: Path) -> Iterator[Measurement]:
    """Run both services; nothing where Node.js or its packages are not there, with a line that says so."""
    del directory
    packages = next(iter(sorted((_HERE.parent / ".tools").glob("node-packages-*/node_modules"))), None)
    if shutil.which("node") is None or packages is None:
        print("chaincode runtimes: not run; they need Node.js, and its packages, which `make test` installs")
        return
    yield from asyncio.run(_compare(packages))


async def _compare(packages: Path) -> list[Measurement]:
    ours, node = _address(), _address()
    with _service(_ours(ours)) as first, _service(_node(node, packages)) as second:
        services = {"ours": (first, ours), "node": (second, node)}
        found = []
        for function, arguments, count, in_flight, bar in _SHAPES:
            spent: dict[str, list[float]] = {"ours": [], "node": []}
            for turn in range(ROUNDS + 1):
                for name, (process, address) in services.items():
                    seconds = await _cpu(process, address, function, arguments, count, in_flight)
                    # The first turn warms caches and compilers up.
                    if turn:
                        spent[name].append(seconds / count * 1000)
            own, other = median(spent["ours"]), median(spent["node"])
            print(f"chaincode runtime, {function}: fabric_shim {own:.3f} ms, Node {other:.3f} ms of CPU")
            found.append(Measurement(f"chaincode {function}, Node's CPU / ours", other / own, "×", bar))
        return found


async def _cpu(
    process: subprocess.Popen[bytes],
    address: str,
    function: str,
    arguments: tuple[str, ...],
    count: int,
    in_flight: int,
) -> float:
    options = [("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        await asyncio.wait_for(channel.channel_ready(), 60)
        peer = NullPeer(channel, creator())
        await peer.open()
        began = _ticks(process.pid)
        await peer.run(function, arguments, count, in_flight)
        spent = _ticks(process.pid) - began
        await peer.close()
    return spent / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return f"127.0.0.1:{found.getsockname()[1]}"


def _ours(address: str) -> tuple[list[str], dict[str, str]]:
    environment = {
        "CORE_CHAINCODE_ID": "bench:1",
        "CHAINCODE_SERVER_ADDRESS": address,
        "CHAINCODE_TLS_DISABLED": "true",
    }
    return [sys.executable, str(_HERE / "runtime_chaincode.py")], environment


def _node(address: str, packages: Path) -> tuple[list[str], dict[str, str]]:
    command = [str(packages / ".bin" / "fabric-chaincode-node"), "server"]
    command += ["--module-path", str(_HERE / "node_chaincode"), "--chaincode-id", "bench:1"]
    return [*command, "--chaincode-address", address], {"NODE_PATH": str(packages)}


@contextlib.contextmanager
def _service(started: tuple[list[str], dict[str, str]]) -> Iterator[subprocess.Popen[bytes]]:
    command, environment = started
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, **environment}, **quiet)  # type: ignore[call-overload]  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


if __name__ == "__main__":
    for measurement in measure(Path()):
        print(
            f"{measurement.what}: {measurement.measured:.2f}; {'reached' if measurement.holds else 'missed'}"
        )
