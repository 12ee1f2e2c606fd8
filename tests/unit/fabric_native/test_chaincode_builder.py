"""The external builder, run as a peer runs it: as programs, with an almost empty environment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fabric_native.chaincode_builder import STEPS, main, scripts


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """What a peer unpacks before it asks a builder."""
    for name in ("source", "metadata", "built", "released"):
        (tmp_path / name).mkdir()
    (tmp_path / "metadata" / "metadata.json").write_text('{"type": "ccaas", "label": "basic"}')
    (tmp_path / "source" / "connection.json").write_text('{"address": "127.0.0.1:9"}')
    return tmp_path


def run(directory: Path, step: str, *arguments: str) -> int:
    program = directory / step
    program.write_bytes(scripts(sys.executable)[step])
    program.chmod(0o700)
    done = subprocess.run([program, *(str(directory / name) for name in arguments)], env={}, check=False)
    return done.returncode


def test_a_package_goes_through_all_steps(package: Path) -> None:
    assert set(scripts(sys.executable)) == set(STEPS)
    assert run(package, "detect", "source", "metadata") == 0
    assert run(package, "build", "source", "metadata", "built") == 0
    assert run(package, "release", "built", "released") == 0
    released = package / "released" / "chaincode" / "server" / "connection.json"
    assert json.loads(released.read_text()) == {"address": "127.0.0.1:9"}


@pytest.mark.parametrize("metadata", ['{"type": "golang"}', "{}", "no JSON", "[]"])
def test_other_packages_are_left_to_other_builders(package: Path, metadata: str) -> None:
    (package / "metadata" / "metadata.json").write_text(metadata)
    assert main(["detect", str(package / "source"), str(package / "metadata")]) == 1


@pytest.mark.parametrize("arguments", [[], ["detect"], ["dance", "a", "b"], ["build", "/missing", "a", "b"]])
def test_what_cannot_be_done_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert "the chaincode package cannot be used" in capsys.readouterr().err
