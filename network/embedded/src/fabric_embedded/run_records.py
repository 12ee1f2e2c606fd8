"""Which process is ours: a pid counts only together with the time at which that process started.

Pids are used again; a record of a process that ended long ago must never lead to somebody else's process.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
# Fields of /proc/<pid>/stat after the command's closing parenthesis.
_STATE, _THREADS, _START_TIME = 0, 17, 19


@dataclass(frozen=True)
class RunRecord:
    """A process that was started.

    Parameters:
        name: its name in the network.
        pid: its process id, which is its group's too.
        started: tells it from any other process that ever had its pid.
        fingerprint: of command and environment, to tell whether it runs what is wanted.
    """

    name: str
    pid: int
    started: str
    fingerprint: str

    def to_dict(self) -> dict[str, object]:
        """As it is written to `run/<name>.json`."""
        return {"fingerprint": self.fingerprint, "name": self.name, "pid": self.pid, "started": self.started}

    @classmethod
    def from_dict(cls, value: Any) -> RunRecord:
        """Read strictly.

        Raises:
            ValueError: when a field is missing, unknown or of the wrong type.
        """
        match value:
            case {"name": str(name), "pid": int(pid), "started": str(started), "fingerprint": str(mark)} if (
                len(value) == 4 and pid > 1
            ):
                return cls(name, pid, started, mark)
        raise ValueError("expected name, pid, started and fingerprint of a process")


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
    return start_mark(record.pid) == record.started


def start_mark(pid: int) -> str | None:
    """What tells this process from others that had or will have its pid; None when it does not run.

    Linux: boot id and start time in clock ticks since boot (proc(5)). Elsewhere: what `ps` prints.
    """
    if _PROC.joinpath("self", "stat").exists():
        return _start_mark_of_proc(pid)
    return _start_mark_of_ps(pid)


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
    answer = subprocess.run(  # noqa: S603 - a fixed program with a number
        ["/bin/ps", "-o", "state=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()
