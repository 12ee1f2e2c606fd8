"""What a disk may hold after the power fails: images built from a recorded trace of writes and syncs.

A process runs under strace. What it wrote to files below a directory is replayed up to some event; what was
synced by then is on the disk, of the rest any part may be. An entry of a directory is on the disk once the
directory, or the file itself, is synced, as journalling file systems have it.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_CALLS = "openat,write,pwrite64,fsync,fdatasync,ftruncate,unlink,rename"
_LINE = re.compile(r"^(\d+) +(.*)$")
_DONE = re.compile(r"^(\w+)\((.*)\) += (\d+)(?:<(.*)>)?$")
_RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
_FILE = re.compile(r"^(\d+)<([^>]*)>")
_TEXT = re.compile(r'"([^"]*)"')
_SECTOR = 512


@dataclass(frozen=True)
class Event:
    """One system call that succeeded: its name, the path concerned, data and offset or length."""

    call: str
    path: str
    data: bytes = b""
    number: int = 0


def record(strace: str, command: Sequence[str], trace: Path) -> list[Event]:
    """Run a command to its end under strace; what it did to files, in order.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    watch = [strace, "-f", "--seccomp-bpf", "-y", "-xx", "-s", "100000000", "-e", f"trace={_CALLS}"]
    subprocess.run([*watch, "-o", str(trace), *command], check=True, stdout=subprocess.DEVNULL)
    with trace.open(encoding="ascii") as lines:
        return list(_events(lines))


def _events(lines: Iterable[str]) -> Iterator[Event]:
    waiting: dict[str, str] = {}
    for line in lines:
        found = _LINE.match(line.rstrip("\n"))
        if found is None:
            continue
        process, text = found.groups()
        if text.endswith(" <unfinished ...>"):
            waiting[process] = text.removesuffix(" <unfinished ...>")
            continue
        resumed = _RESUMED.match(text)
        if resumed is not None:
            text = waiting.pop(process) + resumed.group(1)
        done = _DONE.match(text)
        event = done and _event(*done.groups())
        if event is not None:
            yield event


def _event(call: str, arguments: str, result: str, opened: str | None) -> Event | None:
    if call == "openat":
        return Event("create", _text(opened or "").decode()) if "O_CREAT" in arguments else None
    if call in {"unlink", "rename"}:
        names = [_text(name).decode() for name in _TEXT.findall(arguments)]
        return Event(call, names[0], names[-1].encode())
    file = _FILE.match(arguments)
    assert file is not None
    path = "stdout" if file.group(1) == "1" else _text(file.group(2)).decode()
    if call in {"fsync", "fdatasync"}:
        return Event("sync", path)
    if call == "ftruncate":
        return Event("truncate", path, number=int(arguments.rsplit(", ", 1)[1]))
    text = _TEXT.search(arguments)
    data = _text(text.group(1))[: int(result)] if text else b""
    return Event("write", path, data, int(arguments.rsplit(", ", 1)[1]) if call == "pwrite64" else 0)


def _text(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", "")) if escaped.startswith("\\x") else escaped.encode()


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    since: list[Event] = field(default_factory=list)


class Disk:
    """A directory as it is on the disk and as it is in memory, moved on event by event."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)
        self._entries: dict[str, _File] = {}
        self._now: dict[str, _File] = {}
        self._changes: list[tuple[str, _File | None]] = []

    def apply(self, event: Event) -> None:
        """Take one event into account; others than of this directory change nothing."""
        path = event.path
        if path == self._directory and event.call == "sync":
            self._sync_entries()
        if not path.startswith(self._directory + "/") or path.endswith("-shm"):
            return
        if event.call == "create" and path not in self._now:
            self._now[path] = _File()
            self._changes.append((path, self._now[path]))
        elif event.call == "unlink":
            del self._now[path]
            self._changes.append((path, None))
        elif event.call == "rename":
            raise NotImplementedError("nothing is renamed in a ledger's directory")
        elif event.call in {"write", "truncate"} and path in self._now:
            self._now[path].since.append(event)
        elif event.call == "sync" and path in self._now:
            file = self._now[path]
            _write(file.synced, file.since)
            file.since = []
            self._sync_entries()

    def _sync_entries(self) -> None:
        self._entries, self._changes = dict(self._now), []

    def image(self, destination: Path, randomness: random.Random | None, share: float) -> None:
        """Write what the disk may hold now.

        Parameters:
            destination: an empty directory.
            randomness: chooses what of the unsynced is there; None: nothing of it.
            share: of the unsynced writes that are there; each may be there in part.
        """
        entries = dict(self._entries)
        if randomness is not None:
            for path, file in self._changes[: randomness.randint(0, len(self._changes))]:
                entries.pop(path, None)
                if file is not None:
                    entries[path] = file
        for path, file in entries.items():
            since = [] if randomness is None else list(_survivors(file.since, randomness, share))
            content = bytearray(file.synced)
            _write(content, since)
            (destination / Path(path).name).write_bytes(content)


def _survivors(events: Sequence[Event], randomness: random.Random, share: float) -> Iterator[Event]:
    for event in events:
        if randomness.random() < share:
            whole = randomness.random() < 0.5 or event.call == "truncate"
            sectors = randomness.randint(0, len(event.data) // _SECTOR)
            yield (
                event
                if whole
                else Event(event.call, event.path, event.data[: sectors * _SECTOR], event.number)
            )


def _write(content: bytearray, events: Sequence[Event]) -> None:
    for event in events:
        end = event.number + len(event.data)
        content.extend(bytes(max(end - len(content), 0)))
        if event.call == "truncate":
            del content[event.number :]
        else:
            content[event.number : end] = event.data
