"""The examination of a machine: every finding can come out well and badly, and says what to do."""

import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.release_archives import script

from fabric_native import Finding, State, doctor, examine
from fabric_native.kernel_clock import KernelClock, kernel_clock

NAMES = ["peer", "orderer", "fabric-ca-server", "ports", "disk", "clock", "file limits", "Python"]


@pytest.fixture
def finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Finding]:
    """A machine where all is well, until a test changes something."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for name, version in {"peer": "3.1.5", "orderer": "3.1.5", "fabric-ca-server": "1.5.21"}.items():
        (binaries / name).write_bytes(script(version))
        (binaries / name).chmod(0o755)
    monkeypatch.setattr(doctor, "_ports", lambda host: Finding("ports", State.OK, host))
    monkeypatch.setattr(doctor, "kernel_clock", lambda: KernelClock(True, 0.01))
    monkeypatch.setattr(resource, "getrlimit", lambda which: (8192, resource.RLIM_INFINITY))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=50 << 30))

    def find(name: str) -> Finding:
        found = examine(tmp_path / "not" / "there", binaries=binaries, environment={})
        assert [item.name for item in found] == NAMES
        return found[NAMES.index(name)]

    return find


@pytest.mark.parametrize("name", NAMES)
def test_all_is_well(finding: Callable[[str], Finding], name: str) -> None:
    assert finding(name).state is State.OK


@pytest.mark.parametrize(
    ("name", "state"),
    [("peer", State.FAILED), ("orderer", State.FAILED), ("fabric-ca-server", State.WARNING)],
)
def test_a_missing_executable(
    finding: Callable[[str], Finding], tmp_path: Path, name: str, state: State
) -> None:
    (tmp_path / "bin" / name).unlink()
    found = finding(name)
    assert found.state is state
    assert str(tmp_path / "bin") in found.sentence
    assert "consentry network install-fabric" in found.sentence


@pytest.mark.parametrize(("free", "state"), [(1 << 30, State.WARNING), (1 << 20, State.FAILED)])
def test_little_room(
    finding: Callable[[str], Finding], monkeypatch: pytest.MonkeyPatch, free: int, state: State
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    assert finding("disk").state is state


@pytest.mark.parametrize(
    ("soft", "state"), [(1024, State.WARNING), (256, State.FAILED), (resource.RLIM_INFINITY, State.OK)]
)
def test_few_open_files(
    finding: Callable[[str], Finding], monkeypatch: pytest.MonkeyPatch, soft: int, state: State
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, 1_048_576))
    assert finding("file limits").state is state


@pytest.mark.parametrize(
    ("clock", "state"),
    [(KernelClock(False, 16.0), State.WARNING), (KernelClock(True, 9.0), State.WARNING), (None, State.OK)],
)
def test_a_clock_that_nobody_keeps(
    finding: Callable[[str], Finding], monkeypatch: pytest.MonkeyPatch, clock: Any, state: State
) -> None:
    monkeypatch.setattr(doctor, "kernel_clock", lambda: clock)
    assert finding("clock").state is state


def test_a_clock_in_the_past(finding: Callable[[str], Finding], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_EARLIEST", doctor._EARLIEST.replace(year=9000))
    assert finding("clock").state is State.FAILED


def test_an_old_python(finding: Callable[[str], Finding], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_PYTHON", (9, 0))
    assert finding("Python").state is State.FAILED


def test_the_kernel_tells_about_its_clock_or_nothing() -> None:
    clock = kernel_clock()
    assert clock is None or clock.largest_error_seconds >= 0
