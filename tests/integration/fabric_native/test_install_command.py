"""``consentry network install-fabric`` as a user gives it: downloaded, brought, refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import MappingProxyType

import pytest
from support.faulty_server import serving
from support.release_archives import regular, release_archive, script, write_archive

from consentry.cli.main import run
from fabric_native import find_binaries
from fabric_native.installing import FABRIC, release_for, releases

COMMAND = ["network", "install-fabric"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's directory for data, and no Fabric anywhere else."""
    home = tmp_path / "home"
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return home


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive whose digest is the pinned one of this machine's platform."""
    path = release_archive(tmp_path / release_for(FABRIC).file_name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(
        releases, "_PINNED", MappingProxyType({(FABRIC, release_for(FABRIC).platform): digest})
    )
    return path


def test_a_connected_machine_downloads_it(
    home: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(archive.read_bytes(), "drop") as server:
        assert run([*COMMAND, "--mirror", server.url]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "peer 3.1.5 is at" in said
    assert "our own CA service issues" in said
    assert find_binaries().peer.path.is_relative_to(home)


def test_a_machine_without_internet_takes_the_file(home: Path, archive: Path) -> None:
    assert run([*COMMAND, "--archive", str(archive)]) == 0
    assert find_binaries().peer.path.is_relative_to(home)


def test_a_wrong_digest_is_refused_and_nothing_is_left(
    home: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    altered = archive.read_bytes() + b"\0"
    archive.write_bytes(altered)
    assert run([*COMMAND, "--archive", str(archive)]) == 1
    with serving(altered) as server:
        assert run([*COMMAND, "--mirror", server.url]) == 1
    assert capsys.readouterr().err.count("DIGEST_WRONG") == 2
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_fabric_ca_is_brought_with_its_digest(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = write_archive(tmp_path / "ca.tar.gz", [regular("bin/fabric-ca-server", script("1.5.21"))])
    assert run([*COMMAND, "--ca"]) == 2
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert run([*COMMAND, "--ca", "--archive", str(archive), "--sha256", digest]) == 0
    assert "fabric-ca-server 1.5.21 is at" in " ".join(capsys.readouterr().out.split())
