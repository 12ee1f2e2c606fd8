"""Which process is ours: a pid counts only together with the time at which that process started.

Pids are used again; a record of a process that ended long ago must never lead to somebody else's process.
The record is there before the process: one whose starter was killed in between is found by a token in its
environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
# Fields of /proc/<pid>/stat after the command's closing parenthesis.
_STATE, _THREADS, _START_TIME = 0, 17, 19


TOKEN_VARIABLE = "FABRIC_NETWORK_PROCESS"  # noqa: S105
"""Environment variable with a process's token."""


@dataclass(frozen=True)
class RunRecord:
    """A process that was started, or is about to be.

    Parameters:
        name: its name in the network.
        token: random, in its environment; nobody else's process has it.
        fingerprint: of command and environment, to tell whether it runs what is wanted.
        pid: its process id, which is its group's too; 0 while it is about to be started.
        started: tells it from any other process that ever had its pid.
    """

    name: str
    token: str
    fingerprint: str
    pid: int = 0
    started: str = ""

    def to_dict(self) -> dict[str, object]:
        """As it is written to `run/<name>.json`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Any) -> RunRecord:
        """Read strictly.

        Raises:
            ValueError: when a field is missing, unknown or of the wrong type.
        """
        match value:
            case {
                "name": str(name),
                "token": str(token),
                "fingerprint": str(mark),
                "pid": int(pid),
                "started": str(started),
            } if len(value) == 5 and pid >= 0 and pid != 1 and token:
                return cls(name, token, mark, pid, started)
        raise ValueError("expected name, token, fingerprint, pid and start of a process")


def fingerprint(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Hex SHA-256 of a command with its environment (not recorded itself, for it may hold secrets)."""
    document = json.dumps([list(command), dict(environment)], sort_keys=True)
    return hashlib.sha256(document.encode("utf-8", "surrogateescape")).hexdigest()


def write_record(path: Path, record: RunRecord) -> None:
    """Write a record whole or not at all."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(record.to_dict()) + "\n", encoding="utf-8")
    temporary.replace(path)


def read_record(path: Path) -> RunRecord | None:
    """Read a record; None when there is none, or when it is damaged and so names no process."""
    try:
        return RunRecord.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def is_running(record: RunRecord) -> bool:
    """Whether the process of this record, and no other of the same pid, runs; a zombie does not."""
    return record.pid > 0 and start_mark(record.pid) == record.started


def find_by_token(token: str) -> int | None:
    """Pid of the process that has this token in its environment; only this user's processes are looked at."""
    wanted = f"{TOKEN_VARIABLE}={token}"
    if not _has_proc():
        return _find_by_ps(wanted)
    for directory in _PROC.glob("[0-9]*"):
        try:
            variables = directory.joinpath("environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted.encode("ascii") in variables:
            return int(directory.name)
    return None


def start_mark(pid: int) -> str | None:
    """What tells this process from others that had or will have its pid; None when it does not run.

    Linux: boot id and start time in clock ticks since boot (proc(5)). Elsewhere: what `ps` prints.
    """
    return _start_mark_of_proc(pid) if _has_proc() else _start_mark_of_ps(pid)


def _has_proc() -> bool:
    return _PROC.joinpath("self", "stat").exists()


def _start_mark_of_proc(pid: int) -> str | None:
    try:
        fields = (
            _PROC.joinpath(str(pid), "stat")
            .read_text(encoding="ascii", errors="replace")
            .rpartition(")")[2]
            .split()
        )
        boot = _PROC.joinpath("sys", "kernel", "random", "boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    # A zombie whose other threads still run holds its ports and locks: it has not ended yet.
    ended = fields[_STATE] in "ZX" and int(fields[_THREADS]) <= 1
    return None if ended else f"{boot}/{fields[_START_TIME]}"


def _start_mark_of_ps(pid: int) -> str | None:
    state, _, started = _ps("-o", "state=,lstart=", "-p", str(pid)).strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def _find_by_ps(wanted: str) -> int | None:
    for line in _ps("-x", "-E", "-ww", "-o", "pid=,command=").splitlines():
        pid, _, command = line.strip().partition(" ")
        if wanted in command.split(" "):
            return int(pid)
    return None


def _ps(*arguments: str) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    command = ["/bin/ps", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout  # noqa: S603
