"""Look at a machine before real Fabric is started on it: binaries, ports, disk, clock, limits, Python."""

from __future__ import annotations

import resource
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from fabric_native.binaries import REQUIRED, VERSIONS, find_binary
from fabric_native.errors import BinariesNotFoundError
from fabric_native.kernel_clock import kernel_clock
from fabric_operator.ports import is_free

_PYTHON = (3, 11)
_GIB = 1 << 30
_DISK_NEEDED, _DISK_WISHED = _GIB // 2, 4 * _GIB
_FILES_NEEDED, _FILES_WISHED = 1024, 4096
_PORTS_NEEDED = 40
# Below the ranges from which Linux and macOS take the ports of outgoing connections.
_FIRST_PORT, _LAST_PORT = 20_000, 32_000
# Fabric v3.1.5 is younger than this: a clock before it makes certificates that nobody else accepts.
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
_CLOCK_ERROR_SECONDS = 2.0


class State(StrEnum):
    """What a finding means."""

    OK = "ok"
    WARNING = "warning"
    """It works, and something is worth knowing."""
    FAILED = "failed"
    """The Fabric engine cannot run so."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: What, such as `peer`, `ports`, `disk`.
        state: What it means.
        sentence: What was found, where it was looked for, and what to do.
    """

    name: str
    state: State
    sentence: str


def examine(
    directory: Path,
    *,
    binaries: Path | None = None,
    host: str = "127.0.0.1",
    environment: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Examine the machine; starts nothing but the binaries' own `version`, and writes nothing.

    Args:
        directory: Where a network is to live; it need not exist.
        binaries: Where Fabric's binaries are looked for first.
        host: Address whose ports are looked at.
        environment: See :func:`fabric_native.find_binary`.

    Returns:
        One finding for each thing, in a fixed order.
    """
    found = [_binary(name, binaries, environment) for name in VERSIONS]
    return [*found, _ports(host), _disk(directory), _clock(), _files(), _python()]


def _binary(name: str, directory: Path | None, environment: Mapping[str, str] | None) -> Finding:
    try:
        binary = find_binary(name, directory, environment=environment)
    except BinariesNotFoundError as error:
        if name in REQUIRED:
            return Finding(name, State.FAILED, str(error))
        return Finding(name, State.WARNING, f"{error} Until then our own CA service issues identities.")
    return Finding(name, State.OK, f"version {binary.version} at {binary.path}")


def _ports(host: str) -> Finding:
    free = 0
    for port in range(_FIRST_PORT, _LAST_PORT):
        free += is_free(host, port)
        if free == _PORTS_NEEDED:
            return Finding("ports", State.OK, f"at least {free} are free on {host} from {_FIRST_PORT} on")
    return Finding(
        "ports",
        State.FAILED,
        f"{free} are free on {host} between {_FIRST_PORT} and {_LAST_PORT}, expected {_PORTS_NEEDED}; "
        "end what listens there, or name another address",
    )


def _disk(directory: Path) -> Finding:
    place = directory.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    amount = f"{free / _GIB:.1f} GiB are free in {place}"
    if free >= _DISK_WISHED:
        return Finding("disk", State.OK, amount)
    state = State.WARNING if free >= _DISK_NEEDED else State.FAILED
    return Finding(
        "disk",
        state,
        f"{amount}, expected {_DISK_WISHED // _GIB} GiB for a network that is used: ledgers only grow; "
        "make room, or name another directory with --network",
    )


def _clock() -> Finding:
    now = datetime.now(UTC)
    if now < _EARLIEST:
        return Finding(
            "clock",
            State.FAILED,
            f"it says {now:%Y-%m-%d %H:%M}Z, which is past; set it before keys are made",
        )
    kernel = kernel_clock()
    if kernel is None:
        return Finding("clock", State.OK, f"{now:%Y-%m-%d %H:%M:%S}Z; this system does not tell how exact")
    if kernel.synchronized and kernel.largest_error_seconds <= _CLOCK_ERROR_SECONDS:
        return Finding("clock", State.OK, f"synchronized, at most {kernel.largest_error_seconds:.3f} s off")
    return Finding(
        "clock",
        State.WARNING,
        f"{now:%Y-%m-%d %H:%M:%S}Z, not synchronized as far as the kernel knows: peers refuse proposals more "
        "than 60 s away from their own clock, so run chrony or systemd-timesyncd on every machine",
    )


def _files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Go programs raise their own soft limit to the hard one; Python programs do not.
    limits = f"{_limit(soft)} open files a process (hard limit {_limit(hard)})"
    if _at_least(soft, _FILES_WISHED):
        return Finding("file limits", State.OK, limits)
    state = State.WARNING if _at_least(soft, _FILES_NEEDED) else State.FAILED
    return Finding(
        "file limits",
        state,
        f"{limits}, expected {_FILES_WISHED} under load; raise it with `ulimit -n {_FILES_WISHED}` or in "
        "/etc/security/limits.conf",
    )


def _limit(value: int) -> str:
    return "unlimited" if value == resource.RLIM_INFINITY else str(value)


def _at_least(value: int, needed: int) -> bool:
    return value == resource.RLIM_INFINITY or value >= needed


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= _PYTHON:
        return Finding("Python", State.OK, f"{version} at {sys.executable}")
    return Finding("Python", State.FAILED, f"{version} at {sys.executable}, expected 3.11 or later")
