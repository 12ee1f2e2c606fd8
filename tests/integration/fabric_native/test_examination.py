"""``consentry network doctor`` on this machine: real ports, disk, clock, limits; scripts as executables."""

import json
from pathlib import Path

import pytest
from support.release_archives import release_archive, release_of

from consentry.cli.main import run
from fabric_native import State, doctor
from fabric_native.installing import install


@pytest.fixture
def binaries(tmp_path: Path) -> Path:
    archive = release_archive(tmp_path / "release.tar.gz")
    return install(release_of(archive.read_bytes()), tmp_path / "fabric", archive=archive).directory / "bin"


def test_a_fit_machine(binaries: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "network"
    arguments = ["--network", str(directory), "network", "doctor", "--binaries", str(binaries)]
    assert run([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["fit"] is True
    assert {"name": "peer", "state": "ok", "sentence": f"version 3.1.5 at {binaries / 'peer'}"} in answer[
        "findings"
    ]
    assert run(arguments) == 0
    assert "The Fabric engine can run here." in capsys.readouterr().out
    assert not directory.exists()


def test_without_executables_the_status_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert run(["--network", str(tmp_path), "network", "doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["fit"] is False


def test_ports_that_are_taken_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_LAST_PORT", doctor._FIRST_PORT + 39)
    finding = doctor._ports("127.0.0.1")
    assert finding.state is State.FAILED
    assert "expected 40" in finding.sentence
