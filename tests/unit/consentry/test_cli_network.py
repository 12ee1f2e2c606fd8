"""Commands that start, stop and look at networks, the demo and the decision service; all of it replaced."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from consentry.cli.context import CommandContext
from consentry.cli.main import run


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = []

    def remembered(name: str, answer: Any = None) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            given = {key: value for key, value in options.items() if value is not None}
            made.append((name, *(item for item in arguments if not callable(item)), *given.items()))
            return answer

        return call

    monkeypatch.delenv("CONSENTRY_ENGINE", raising=False)
    network = ModuleType("consentry.network")
    nodes = [SimpleNamespace(name="engine", state="running", pid=7, detail="")]
    for name, answer in {
        "bring_up": None,
        "take_down": None,
        "destroy": None,
        "status": nodes,
        "revoke_user": b"-- the list --",
        "publish_revocations": 41,
        "enroll_user": SimpleNamespace(enrolment_id="5f0c"),
        "export_blocks": 12,
        "start_node": None,
        "stop_node": None,
        "kill_node": None,
        "log_tail": "last words",
    }.items():
        setattr(network, name, remembered(name, answer))
    demo = ModuleType("consentry.demo")
    demo.run = remembered("demo")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "consentry.network", network)
    monkeypatch.setitem(sys.modules, "consentry.demo", demo)
    return made


@pytest.mark.parametrize(
    ("arguments", "expected", "shown"),
    [
        (["network", "up"], ("bring_up", "consortium", None), "The network in {} is up.\n"),
        (
            ["network", "up", "--preset", "small"],
            ("bring_up", "small", None),
            "The network in {} is up.\n",
        ),
        (
            ["network", "up", "--engine", "fabric", "--topology", "ours.yaml", "--binaries", "bin"],
            (
                "bring_up",
                "consortium",
                "fabric",
                ("topology", Path("ours.yaml")),
                ("binaries", Path("bin")),
            ),
            "The network in {} is up.\n",
        ),
        (["network", "start", "peer-a"], ("start_node", "peer-a"), "peer-a runs.\n"),
        (["network", "stop", "peer-a"], ("stop_node", "peer-a"), "peer-a is stopped.\n"),
        (
            ["network", "kill", "peer-a"],
            ("kill_node", "peer-a"),
            "peer-a is killed; start it again with: consentry network start peer-a\n",
        ),
        (["network", "logs", "peer-a", "--lines", "3"], ("log_tail", "peer-a", 3), "last words\n"),
        (
            ["network", "down"],
            ("take_down",),
            "The network in {} is down; `consentry network up` starts it again.\n",
        ),
        (["network", "destroy", "--yes"], ("destroy",), "The network in {} is gone.\n"),
        (
            ["network", "enroll", "northgate", "steward", "--role", "steward", "--role", "dpo"],
            ("enroll_user", "northgate", "steward", ["steward", "dpo"], []),
            "northgate/steward is enrolled as 5f0c.\n",
        ),
        (
            ["network", "export-blocks", "blocks"],
            ("export_blocks", Path("blocks")),
            "12 blocks are in blocks.\n",
        ),
        (["demo", "--seed", "7"], ("demo", 7, ("engine", "embedded")), ""),
    ],
)
def test_a_command_does_one_thing_and_says_so(
    calls: list[tuple[Any, ...]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: tuple[Any, ...],
    shown: str,
) -> None:
    assert run(["--network", str(tmp_path), *arguments]) == 0
    assert calls == [(expected[0], tmp_path, *expected[1:])]
    assert capsys.readouterr().out == shown.format(tmp_path)


def test_a_revocation_says_that_the_channel_has_to_be_told(
    calls: list[tuple[Any, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "northgate.pem"
    command = ["--network", str(tmp_path), "network", "revoke", "northgate", "steward"]
    assert run(command) == 0
    shown = capsys.readouterr().out
    assert "northgate/steward is revoked at the CA" in shown
    assert "by a configuration update that puts it into northgate's MSP" in shown
    assert run([*command, "--crl", str(target)]) == 0
    assert target.read_bytes() == b"-- the list --"
    assert calls == [("revoke_user", tmp_path, "northgate", "steward")] * 2
    assert run([*command, "--publish"]) == 0
    assert calls[3:] == [("publish_revocations", tmp_path, "northgate", b"-- the list --")]
    assert "refuses the revoked certificates from block 41 on" in capsys.readouterr().out


def test_nothing_is_destroyed_without_a_yes(
    calls: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.confirm", lambda *_question, **_options: sys.exit(1))
    assert run(["--network", str(tmp_path), "network", "destroy"]) == 1
    assert calls == []


def test_the_status_is_a_table_or_json(
    calls: list[tuple[Any, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--network", str(tmp_path), "network", "status"]) == 0
    assert capsys.readouterr().out.split() == [
        "node",
        "state",
        "pid",
        "detail",
        "engine",
        "running",
        "7",
        "-",
    ]
    assert run(["--network", str(tmp_path), "network", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"name": "engine", "state": "running", "pid": 7, "detail": ""}
    ]


def test_the_decision_service_keeps_its_position_with_its_custodian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Any] = []

    class Ledger:
        identity = SimpleNamespace(msp_id="NorthgateMSP")

        def __enter__(self) -> "Ledger":
            return self

        def __exit__(self, *_exception: object) -> None:
            served.append("closed")

    profile = SimpleNamespace(
        organization_named=lambda name: SimpleNamespace(name=name),
        subject_register=lambda name: tmp_path / "custody" / name / "subjects.sqlite",
    )
    monkeypatch.setattr(CommandContext, "profile", profile)
    monkeypatch.setattr(CommandContext, "connect", lambda _context: Ledger())
    monkeypatch.setattr("consentry.decider.serve", lambda _ledger, checkpoint: served.append(checkpoint))
    arguments = ["--network", str(tmp_path), "--as", "northgate/service", "decide", "serve"]
    assert run([*arguments, "--close-epochs", "0"]) == 0
    assert served == [tmp_path / "custody" / "northgate" / "decide.json", "closed"]
    assert (tmp_path / "custody" / "northgate").stat().st_mode & 0o777 == 0o700
