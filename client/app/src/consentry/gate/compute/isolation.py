"""Whether a sandbox holds here: a hostile function is run in it first, and has to achieve nothing."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from consentry.errors import ConfigurationError
from consentry.gate.compute.environment import PythonEnvironment
from consentry.gate.compute.outputs import ARRAYS, METRICS, Declared, read_outputs, typed
from consentry.gate.compute.sandbox import Limits, Order, RunEnded, Sandbox

_PROBE = Path(__file__).with_name("probe.py")
_DECLARED = {"done": Declared(METRICS, 4096), "rows": Declared(ARRAYS, 4096)}
_ROWS = 3
_AGAIN_SECONDS = 60.0
_NOT_RUN = "functions are not run here"
_HIDDEN = ("/etc/passwd", "/etc/hostname", "/proc/1/environ", "/sys/kernel", "/run", "/var")
_PLACES = ("/", "/dev", "/dev/shm", "/etc", "/tmp", "/usr/lib", "/consentry/inside")  # noqa: S108
_HINT = "; look whether users may make namespaces on this machine: `bwrap --unshare-all --bind / / true`"


class Isolation:
    """Gives the sandbox for functions, proved before the first of them; usable by many threads."""

    def __init__(
        self,
        limits: Limits = Limits(),  # noqa: B008
        *,
        python: str | None = None,
        hidden: Sequence[Path] = (),
        most: int = 2,
    ) -> None:
        """`python` is the interpreter that functions run in (default: the gate's own), `hidden` are places
        that must not be there, `most` how many functions run at a time.
        """
        self._limits = limits
        self._python = python
        self._hidden = hidden
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None
        self._failure: ConfigurationError | None = None
        self._failed_at = 0.0
        self.places = threading.BoundedSemaphore(most)

    def sandbox(self) -> Sandbox:
        """Return the sandbox; where it was not proved before, it is now. One that did not hold is tried again
        after a minute, not by every call.

        Raises:
            ConfigurationError: ISOLATION_UNAVAILABLE, ENVIRONMENT_UNFIT.
        """
        with self._lock:
            if self._failure is not None and time.monotonic() - self._failed_at < _AGAIN_SECONDS:
                raise ConfigurationError(self._failure.code, self._failure.message)
            if self._sandbox is None:
                try:
                    self._sandbox = isolated(self._limits, python=self._python, hidden=self._hidden)
                except ConfigurationError as error:
                    self._failure, self._failed_at = error, time.monotonic()
                    raise
            return self._sandbox

    def in_words(self) -> str:
        """Say in a sentence whether functions are run here, and why not."""
        try:
            environment = self.sandbox().environment
        except ConfigurationError as error:
            is_said = error.message.startswith(_NOT_RUN)
            return error.message if is_said else f"{_NOT_RUN}: {error.message}"
        return f"functions are run by {environment.executable} in a sandbox; a hostile one reached nothing"


def isolated(limits: Limits, *, python: str | None = None, hidden: Sequence[Path] = ()) -> Sandbox:
    """Return a sandbox that has just been proved to hold, in which none of the `hidden` places is there.

    Raises:
        ConfigurationError: ISOLATION_UNAVAILABLE, there is none, or it does not hold; ENVIRONMENT_UNFIT.
    """
    environment = PythonEnvironment.of() if python is None else PythonEnvironment.of(python)
    sandbox = Sandbox(environment, limits)
    achieved = probe(sandbox, hidden)
    if achieved:
        raise _unavailable(f"a function in the sandbox could reach: {', '.join(achieved)}")
    return sandbox


def probe(sandbox: Sandbox, hidden: Sequence[Path] = ()) -> list[str]:
    """Return what a hostile function could do in a sandbox, sorted: nothing where it holds.

    Raises:
        ConfigurationError: ISOLATION_UNAVAILABLE, not even a function was run.
    """
    batch = pa.RecordBatch.from_pydict({"x": list(range(_ROWS))})
    with tempfile.TemporaryDirectory() as directory, socket.create_server(("127.0.0.1", 0)) as server:
        parameters = {
            "port": server.getsockname()[1],
            "hidden": [directory, str(Path.home() / ".ssh"), *_HIDDEN, *map(str, hidden)],
            "places": [directory, *_PLACES],
            "file": str(Path(directory) / "probe"),
            "secret": os.environ.get("PATH", os.defpath),
            "memory": sandbox.limits.memory_bytes,
        }
        done, rows = _run(sandbox, parameters, batch)
        written = list(Path(directory).iterdir())
    if rows != [_ROWS] or written:
        raise _unavailable("the sandbox does not do what it is told")
    return sorted(name for name, could in done.items() if could)


def _run(sandbox: Sandbox, parameters: Any, batch: pa.RecordBatch) -> tuple[dict[str, Any], list[int]]:
    order = Order(
        source=_PROBE.read_text(encoding="utf-8"),
        parameters=parameters,
        outputs={name: one.kind for name, one in _DECLARED.items()},
        output_bytes=sum(one.maximum_bytes for one in _DECLARED.values()),
    )
    try:
        found = read_outputs(sandbox.run(order, batch.schema, [batch]), _DECLARED)
    except RunEnded as ended:
        raise _unavailable(f"bubblewrap runs no Python here ({ended.end}){_HINT}") from None
    return typed(METRICS, found["done"]), typed(ARRAYS, found["rows"])["count"].tolist()


def _unavailable(reason: str) -> ConfigurationError:
    return ConfigurationError("ISOLATION_UNAVAILABLE", f"{_NOT_RUN}: {reason}")
