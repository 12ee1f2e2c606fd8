"""Engines that cannot be started here are refused, and nothing is made."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from consentry.cli.main import run
from consentry.errors import ConfigurationError, ConsentryError
from consentry.network import bring_up, status
from consentry.network.presets import small


@pytest.mark.parametrize(("engine", "code"), [("fabric", "BINARIES_MISSING"), ("besu", "ENGINE_UNKNOWN")])
def test_another_engine_is_refused_in_one_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    code: str,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    directory = tmp_path / "network"
    assert run(["--network", str(directory), "network", "up", "--engine", engine]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"Error ({code}): ")
    assert not directory.exists()


def test_what_a_new_network_started_ends_when_it_does_not_come_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def interrupted(_progress: object) -> None:
        raise KeyboardInterrupt

    network = SimpleNamespace(
        directory=tmp_path,
        topology=small(),
        anchor=lambda: "ab" * 32,
        up=interrupted,
        down=lambda: calls.append("down"),
    )
    monkeypatch.setattr("consentry.network.operations.create_network", lambda *_arguments: network)
    with pytest.raises(KeyboardInterrupt):
        bring_up(tmp_path)
    assert calls == ["down"]


def test_a_network_of_the_other_engine_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "network.json").write_text('{"engine": "embedded"}')
    with pytest.raises(ConsentryError, match="holds a network of the embedded engine") as refusal:
        bring_up(tmp_path, engine="fabric")
    assert refusal.value.code == "ENGINE_DIFFERS"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (None, "NETWORK_MISSING"),
        ("{}", "PROFILE_INVALID"),
        ("no JSON", "PROFILE_INVALID"),
        # Attached: it runs elsewhere, and none of its processes is ours.
        ('{"engine": "fabric"}', "NETWORK_NOT_FOUND"),
    ],
)
def test_what_is_no_network_of_ours_is_named(tmp_path: Path, document: str | None, code: str) -> None:
    if document is not None:
        (tmp_path / "network.json").write_text(document)
    with pytest.raises((ConfigurationError, ConsentryError)) as refusal:
        status(tmp_path)
    assert refusal.value.code == code
