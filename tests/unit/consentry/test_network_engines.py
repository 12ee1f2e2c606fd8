"""Engines that this release does not start are refused, and nothing is made."""

from pathlib import Path

import pytest

from consentry.cli.main import run


@pytest.mark.parametrize(("engine", "code"), [("fabric", "ENGINE_NOT_SUPPORTED"), ("besu", "ENGINE_UNKNOWN")])
def test_another_engine_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str, code: str
) -> None:
    directory = tmp_path / "network"
    assert run(["--network", str(directory), "network", "up", "--engine", engine]) == 1
    assert capsys.readouterr().err.startswith(f"Error ({code}): ")
    assert not directory.exists()
