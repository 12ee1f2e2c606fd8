"""Processes of a network: detached, output to files, recorded, ended by TERM, then KILL."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fabric_operator.errors import ProcessError
from fabric_operator.run_records import (
    TOKEN_VARIABLE,
    RunRecord,
    find_by_token,
    fingerprint,
    is_running,
    read_record,
    start_mark,
    write_record,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_POLL_SECONDS = 0.01
_KILL_SECONDS = 10.0
_TAIL_LINES = 20
_TAIL_BYTES = 16_384
# A session of its own keeps the terminal's hang-up away too; macOS cannot give one at spawn.
_OWN_GROUP: dict[str, Any] = {"setsid": True} if sys.platform.startswith("linux") else {"setpgroup": 0}


@dataclass(frozen=True)
class ProcessKeeper:
    """Starts and ends the processes of one network directory.

    Parameters:
        run: directory of run records.
        logs: directory of log files.
        withheld: beginnings of names of variables that this process's own environment does not hand on.
    """

    run: Path
    logs: Path
    withheld: tuple[str, ...] = ()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> RunRecord:
        """Start a process; it outlives this one and hears no Ctrl-C of this terminal.

        Parameters:
            name: lower-case name of run record and log file.
            command: program and arguments; `python` means the interpreter that runs this.
            environment: variables added to this process's own.

        Raises:
            ProcessError: PROCESS_NAME_INVALID, PROCESS_RUNNING, PROGRAM_NOT_FOUND.
        """
        path = self._record_path(name)
        running = self.find(name)
        if running is not None:
            raise ProcessError(
                "PROCESS_RUNNING", f"{name} already runs as process {running.pid}: stop it first"
            )
        arguments = (find_program(command), *command[1:])
        for directory in (self.run, self.logs):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = self.logs / f"{name}.log"
        token = secrets.token_hex(16)
        planned = RunRecord(name, token, fingerprint(command, environment))
        write_record(path, planned)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(self.withheld)}
        pid = _spawn(arguments, {**inherited, **environment, TOKEN_VARIABLE: token}, log)
        record = replace(planned, pid=pid, started=start_mark(pid) or "ended at once")
        write_record(path, record)
        return record

    def ensure(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Have this process running: one that runs the same is kept, another one of this name is replaced.

        Returns:
            Whether it had to be started.
        """
        running = self.find(name)
        if running is not None and running.fingerprint == fingerprint(command, environment):
            return False
        self.stop([name])
        self.start(name, command, environment)
        return True

    def find(self, name: str) -> RunRecord | None:
        """The running process of this name, or None."""
        record = read_record(self._record_path(name))
        if record is not None and not record.pid:
            record = self._find_unrecorded(record)
        return record if record is not None and _runs(record) else None

    def recorded(self) -> list[RunRecord]:
        """All records, running or not, by name."""
        records = (read_record(path) for path in sorted(self.run.glob("*.json")))
        return [record for record in records if record is not None]

    def is_recorded(self, name: str) -> bool:
        """Whether a process of this name was started here and not stopped; it may have ended since."""
        return read_record(self._record_path(name)) is not None

    def stop(self, names: Iterable[str], timeout_seconds: float = 10.0) -> None:
        """End these processes together: TERM, and KILL to what still runs after `timeout_seconds`.

        Only a process whose start time agrees with its record gets a signal. Records are removed.
        """
        records = {name: self.find(name) for name in names}
        alive = [record for record in records.values() if record is not None]
        _signal(alive, signal.SIGTERM)
        if not _wait_until(lambda: not any(_runs(record) for record in alive), timeout_seconds):
            _signal([record for record in alive if _runs(record)], signal.SIGKILL)
            _wait_until(lambda: not any(_runs(record) for record in alive), timeout_seconds)
        for name in records:
            self.forget(name)

    def kill(self, name: str) -> None:
        """End a process and its group without warning; its record stays, so that it counts as died."""
        record = self.find(name)
        if record is not None:
            _signal([record], signal.SIGKILL)
            _wait_until(lambda: not _runs(record), _KILL_SECONDS)

    def forget(self, name: str) -> None:
        """Remove the record of a process that no longer runs."""
        self._record_path(name).unlink(missing_ok=True)

    def wait_until_ready(self, name: str, ready: Callable[[], bool], timeout_seconds: float) -> None:
        """Wait for `ready`, watching that the process has not ended meanwhile.

        Raises:
            ProcessError: PROCESS_ENDED or PROCESS_NOT_READY, with the tail of its log.
        """
        if (
            _wait_until(lambda: self.find(name) is None or ready(), timeout_seconds)
            and self.find(name) is not None
        ):
            return
        ended = self.find(name) is None
        happened = "ended before it was ready" if ended else f"was not ready after {timeout_seconds:g} s"
        raise ProcessError(
            "PROCESS_ENDED" if ended else "PROCESS_NOT_READY",
            f"{name} {happened}. The end of {self.logs / f'{name}.log'}:\n{self.log_tail(name)}",
        )

    def log_path(self, name: str) -> Path:
        """The file with what a process printed.

        Raises:
            ProcessError: NODE_UNKNOWN, with the names that there are.
        """
        known = {path.stem: path for path in sorted(self.logs.glob("*.log"))}
        if name not in known:
            raise ProcessError(
                "NODE_UNKNOWN", f"no log of {name!r}; there are {', '.join(known) or 'none yet'}"
            )
        return known[name]

    def log_tail(self, name: str) -> str:
        """The last lines of a process's log."""
        try:
            with (self.logs / f"{name}.log").open("rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - _TAIL_BYTES))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return "(no log)"
        return "\n".join(text.splitlines()[-_TAIL_LINES:]) or "(empty log)"

    def _find_unrecorded(self, planned: RunRecord) -> RunRecord | None:
        """Whoever was to write down the process was killed or interrupted just then."""
        pid = find_by_token(planned.token)
        if pid is None:
            return None
        record = replace(planned, pid=pid, started=start_mark(pid) or "ended at once")
        write_record(self._record_path(planned.name), record)
        return record

    def _record_path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ProcessError(
                "PROCESS_NAME_INVALID",
                f"got process name {name!r}, expected 1 to 64 of a-z, 0-9, dot, dash and underscore",
            )
        return self.run / f"{name}.json"


def find_program(command: Sequence[str]) -> str:
    """Absolute path of the program of a command; `python` is the interpreter that runs this.

    Raises:
        ProcessError: PROGRAM_NOT_FOUND.
    """
    if not command or not command[0]:
        raise ProcessError("PROGRAM_NOT_FOUND", "got an empty command, expected a program and its arguments")
    if command[0] in ("python", "python3"):
        return sys.executable
    found = shutil.which(command[0])
    if found is None:
        raise ProcessError(
            "PROGRAM_NOT_FOUND",
            f"{command[0]!r} is neither a file that can be run nor on PATH ({os.environ.get('PATH', '')})",
        )
    return str(Path(found).absolute())


def _spawn(arguments: tuple[str, ...], environment: Mapping[str, str], log: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    handled = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE]
    return os.posix_spawn(
        arguments[0],
        arguments,
        environment,
        file_actions=actions,
        setsigmask=[],
        setsigdef=handled,
        **_OWN_GROUP,
    )


def _runs(record: RunRecord) -> bool:
    if is_running(record):
        return True
    # A child of this very process stays a zombie until somebody asks for its exit status.
    with contextlib.suppress(ChildProcessError, PermissionError):
        os.waitpid(record.pid, os.WNOHANG)
    return False


def _signal(records: Iterable[RunRecord], number: signal.Signals) -> None:
    for record in records:
        if _runs(record):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(record.pid, number)


def _wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
