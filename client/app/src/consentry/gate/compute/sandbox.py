"""One function run on rows, in a process that has nothing of the machine but a Python, and limits on it.

bubblewrap gives it namespaces of its own (user, processes, network, IPC, host name, cgroups) and a root
without a writable file, /proc or environment; `inside.run` limits itself further before the function is
begun. Rows go in and outputs come out by pipes: nothing of either ever lies in a file.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from consentry.errors import ConfigurationError
from consentry.gate.compute.environment import PythonEnvironment
from consentry.gate.compute.inside.run import READY
from consentry.gate.stopping import Stopped

_INSIDE = Path(__file__).parent / "inside"
_PLACE = "/consentry"
_BEGIN = f"import sys; sys.path.insert(0, {_PLACE!r}); from inside.run import main; main()"
_POLL_SECONDS = 0.1
_LAST_SECONDS = 1.0
_PIECE = 1 << 20
_DEVICES = ("/dev/null", "/dev/urandom")
_DESCRIPTION_BYTES = 1 << 20
_KILLED = 128 + signal.SIGKILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may take: seconds by the wall's clock, seconds of processor time, bytes of address space,
    open files, threads of numerical libraries, threads altogether. There is never more than one process, and
    no writable file.
    """

    seconds: float = 600.0
    cpu_seconds: int = 1200
    memory_bytes: int = 4 << 30
    open_files: int = 64
    threads: int = 1
    most_threads: int = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be run: source, parameters (JSON values), and the kind of each declared output by its name.

    `output_bytes` is how much may come out altogether.
    """

    source: str
    parameters: Any
    outputs: Mapping[str, str]
    output_bytes: int


class RunEnded(Stopped):
    """A run has no outputs."""


class Sandbox:
    """Runs functions in one environment under the same limits, each in a sandbox of its own."""

    def __init__(self, environment: PythonEnvironment, limits: Limits) -> None:
        """Find bubblewrap.

        Raises:
            ConfigurationError: ISOLATION_UNAVAILABLE, there is none.
        """
        found = shutil.which("bwrap")
        if found is None:
            raise ConfigurationError(
                "ISOLATION_UNAVAILABLE",
                "functions are not run here: there is no bubblewrap (bwrap) on the PATH; "
                "install the package bubblewrap",
            )
        self.environment = environment
        self.limits = limits
        self._bubblewrap = found

    def run(self, order: Order, rows: pa.Schema, batches: Iterable[pa.RecordBatch]) -> bytes:
        """Run a function on rows; return what it wrote. Use `Run` where a run may have to be stopped.

        Raises:
            RunEnded: limit-exceeded, function-failed.
        """
        return Run(self, order).result(rows, batches)

    def command(self) -> list[str]:
        """Return the command that starts the sandbox."""
        isolation = (
            *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
            *("--unshare-cgroup", "--cap-drop", "ALL", "--die-with-parent", "--new-session"),
            *("--hostname", "sandbox", "--uid", "65534", "--gid", "65534"),
        )
        environment = {
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": str(self.limits.threads),
            "OPENBLAS_NUM_THREADS": str(self.limits.threads),
        }
        variables = [part for name, value in environment.items() for part in ("--setenv", name, value)]
        devices = [part for device in _DEVICES for part in ("--dev-bind", device, device)]
        return [
            self._bubblewrap,
            *isolation,
            "--clearenv",
            *variables,
            *devices,
            *self.environment.mounts(),
            *("--ro-bind", str(_INSIDE), f"{_PLACE}/inside"),
            *("--remount-ro", "/", "--chdir", "/", "--"),
            *(str(self.environment.executable), "-I", "-S", "-B", "-c", _BEGIN),
        ]


class Run:
    """One run; `stop` ends it from another thread. The thread that asks for the result has to stay: the
    sandbox ends with the thread that started it, so that none outlives the gate.
    """

    def __init__(self, sandbox: Sandbox, order: Order) -> None:
        self._sandbox = sandbox
        self._order = order
        self._stopped: str | None = None
        self._failure: BaseException | None = None
        self._is_ready = threading.Event()
        self._is_over = False

    def stop(self, end: str) -> None:
        """End it; the result is `RunEnded` with that code."""
        self._stopped = self._stopped or end

    def result(self, rows: pa.Schema, batches: Iterable[pa.RecordBatch]) -> bytes:
        """Run the function; return what it wrote, which is not to be believed.

        Raises:
            RunEnded: with what `stop` said; limit-exceeded; function-failed, it wrote nothing; failed, this
                machine starts no process.
            Exception: what `batches` raised.
        """
        process = self._started()
        into, out = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        feeder = threading.Thread(target=self._feed, args=(into, rows, batches), daemon=True)
        feeder.start()
        try:
            data = self._read(out, process.pid)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LAST_SECONDS)
        finally:
            # A sandbox that was not complete yet may outlive bubblewrap: it ends, as it is given no order.
            self._is_over = True
            self._is_ready.set()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
            feeder.join()
            out.close()
        if self._failure is not None:
            raise self._failure
        if self._stopped is not None:
            raise RunEnded(self._stopped)
        if not data:
            raise RunEnded("limit-exceeded" if status == _KILLED else "function-failed")
        return data

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            # The environment of bubblewrap itself is empty, too: its first process shows it.
            return subprocess.Popen(  # noqa: S603
                self._sandbox.command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )
        except OSError as error:
            # Not to be taken for a connection that broke off.
            raise RunEnded("failed") from error

    def _feed(self, pipe: IO[bytes], rows: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Write the order and the rows; a failure while doing so ends the run, and is what it ends with."""
        order = {**asdict(self._order), "limits": asdict(self._sandbox.limits)}
        order["paths"] = [str(path) for path in self._sandbox.environment.packages]
        try:
            with pipe:
                self._is_ready.wait()
                if self._is_over:
                    return
                pipe.write(json.dumps(order).encode() + b"\n")
                with pa.ipc.new_stream(pa.PythonFile(pipe, mode="w"), rows) as writer:
                    for batch in batches:
                        writer.write_batch(batch)
        except BrokenPipeError:
            return  # the function did not wait for all rows
        except BaseException as error:
            self._failure = error
            self.stop("failed")

    def _read(self, out: IO[bytes], process: int) -> bytes:
        end = time.monotonic() + self._sandbox.limits.seconds
        most = self._order.output_bytes + _DESCRIPTION_BYTES
        data, number = bytearray(), out.fileno()
        while True:
            if self._stopped is not None:
                raise self._failure or RunEnded(self._stopped)
            crowded = _threads_below(process) > self._sandbox.limits.most_threads
            if time.monotonic() > end or len(data) > most or crowded:
                raise RunEnded("limit-exceeded")
            if select.select([number], [], [], _POLL_SECONDS)[0]:
                piece = os.read(number, _PIECE)
                if not piece:
                    return bytes(data)
                if not self._is_ready.is_set():
                    piece = piece[len(READY) :]
                    self._is_ready.set()
                data += piece


def _threads_below(process: int) -> int:
    """How many threads a process and those below it have; what a kernel keeps for each is in no rlimit."""
    count, waiting = 0, [process]
    while waiting:
        place = Path("/proc", str(waiting.pop()), "task")
        with contextlib.suppress(OSError):
            tasks = list(place.iterdir())
            count += len(tasks)
            waiting += [int(child) for child in (tasks[0] / "children").read_text().split()]
    return count
