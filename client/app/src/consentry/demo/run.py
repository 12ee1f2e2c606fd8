"""The demo from an empty directory to its summary."""

from __future__ import annotations

import json
import secrets
import shutil
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from consentry.demo.attempts import attempt_access, attempt_after_expiry, grant_for_seconds
from consentry.demo.cast import Cast
from consentry.demo.commands import CommandLine
from consentry.demo.consents_and_datasets import import_consents, register_datasets
from consentry.demo.data import load_hospitals, utc_today
from consentry.demo.gates import Gates
from consentry.demo.granting import change_without_the_custodian, request_and_grant
from consentry.demo.officer import query, report
from consentry.demo.proof import find_tampering, prove
from consentry.demo.story import StepFailedError, Story
from consentry.demo.training import train
from consentry.demo.withdrawal import withdraw
from consentry.errors import ConfigurationError
from consentry.network import EMBEDDED, FABRIC, bring_up, destroy

_MARK = "demo.json"
_OPERATORS = {
    EMBEDDED: "embedded engine: one operator holds every key; it proves integrity, not independence",
    FABRIC: "real Fabric: each organization's nodes are processes of their own, here on one machine",
}


def run(
    directory: Path, seed: int | None = None, console: Console | None = None, engine: str = EMBEDDED
) -> int:
    """Run the story in `directory` and leave its network running.

    Args:
        directory: Made when absent; what an earlier demo left there is stopped and removed first.
        seed: Of pseudonyms, choices and the byte that is flipped; drawn and printed when not given.
        console: Where to print; standard output by default.
        engine: `embedded`, or `fabric` for real peers, ordering nodes and CAs.

    Returns:
        int: 0 when every step gave its expected outcome, 1 otherwise; the failed step is named.

    Raises:
        ConfigurationError: DIRECTORY_IN_USE: the directory holds something that no demo made.
    """
    seed = secrets.randbits(32) if seed is None else seed
    story = Story(console or Console(highlight=False))
    _clear(directory)
    try:
        with ExitStack() as connections:
            hospitals = {hospital.name: hospital for hospital in load_hospitals(seed, utc_today())}
            cast = Cast(directory, hospitals, connections)
            gates = Gates(cast)
            connections.callback(gates.close)
            _tell(story, cast, gates, seed, engine)
    except StepFailedError as failure:
        story.console.print(f"\n[bold red]The demo failed:[/] {failure}", markup=True, highlight=False)
        story.console.print(f"Logs: {directory / 'logs'}; seed {seed}")
        return 1
    return 0


def _tell(story: Story, cast: Cast, gates: Gates, seed: int, engine: str) -> None:
    commands = CommandLine(story, cast.directory)
    with story.step(0, "A consortium of three hospitals and a regulator"):
        cast.directory.mkdir(parents=True, exist_ok=True)
        (cast.directory / _MARK).write_text(json.dumps({"seed": seed}), encoding="ascii")
        bring_up(cast.directory, "consortium", story.say, engine)
        story.say(f"{cast.enroll()} people enrolled at their organizations' CAs; seed {seed}")
        story.say(f"[dim]{_OPERATORS[engine]}[/]")
    with story.step(1, "Hospitals import their patients' consents"):
        import_consents(story, cast)
    with story.step(2, "Hospitals register their datasets"):
        register_datasets(story, cast)
        gates.start()
    with story.step(3, "Access is requested and granted; nobody changes a grant without its custodian"):
        request_and_grant(story, cast)
        short = grant_for_seconds(story, cast)
        # Peers whose chaincode is altered next answer nobody for a moment.
        gates.ready()
        change_without_the_custodian(story, cast)
    with story.step(4, "Attempts at access: on record first, then decided by the custodian"):
        attempt_access(story, cast)
        attempt_after_expiry(story, cast, short)
    with story.step(5, "A model is trained under the permits"):
        train(story, cast, gates.isolation)
    with story.step(6, "A patient withdraws"):
        pseudonym = withdraw(story, cast, commands)
    with story.step(7, "A compliance officer asks the trail"):
        query(story, cast, commands)
        reports = report(story, cast, commands, pseudonym)
    with story.step(8, "The trail is proved, and tampering is found"):
        prove(story, cast, commands)
        find_tampering(story, cast, commands, seed)
    story.summary(
        [
            ("network", str(cast.directory)),
            *(("report", str(path)) for path in reports),
            ("go on with", f"consentry --network {cast.directory} trail --help"),
            ("stop it with", "make down"),
        ]
    )


def _clear(directory: Path) -> None:
    """Remove what an earlier demo left; refuse to touch anything else."""
    if not directory.exists() or not any(directory.iterdir()):
        return
    if not (directory / _MARK).exists():
        raise ConfigurationError(
            "DIRECTORY_IN_USE", f"{directory} holds files that no demo made; name another directory"
        )
    if (directory / "network.json").exists():
        destroy(directory)
    if directory.exists():
        _remove_leftovers(directory)


def _remove_leftovers(directory: Path) -> None:
    """What a demo interrupted before its network was complete has left behind."""
    shutil.rmtree(directory)
