"""Commands that an organization leaves running: reports by a schedule, an index that follows its peer."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.consent_frames import consent_frame, pseudonyms
from support.installed_command import CONSENTRY, environment
from support.running_consortium import RunningConsortium

from consentry.cli.main import run
from consentry.index import Trail, open_database
from consentry.ledger import Ledger
from consentry_records.digest import sha256_digest
from consentry_records.instants import format_instant

pytestmark = pytest.mark.integration
SCHEDULE = """
deliver_to: {directory}
reports:
  - {{name: processing, report: processing, when: "0 6 * * *", formats: [html, csv]}}
  - {{name: requests, report: rights, when: "0 6 1 1 *", formats: [html]}}
"""
SECONDS = 60


@pytest.fixture
def arguments(consortium: RunningConsortium, tmp_path: Path) -> list[str]:
    """What `consentry` is told before the command: northgate's auditor, with an index of the test's own."""
    consortium.identity("northgate", "auditor")
    shared = ["--network", str(consortium.directory), "--index", f"sqlite:///{tmp_path / 'index.sqlite'}"]
    return [*shared, "--as", "northgate/auditor"]


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    made = tmp_path / "reports.yaml"
    made.write_text(SCHEDULE.format(directory=tmp_path / "delivered"))
    return made


def last_done(schedule: Path, before: timedelta) -> None:
    """Make the daily report one that was last made some time ago."""
    state = schedule.with_suffix(".state.json")
    now = format_instant(datetime.now(UTC))
    done = format_instant(datetime.now(UTC) - before)
    state.write_text(json.dumps({"processing": done, "requests": now}))


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.1)


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The installed command, which is asked to end afterwards."""
    process = subprocess.Popen(
        [CONSENTRY, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)


def test_a_schedule_is_caught_up_signed_and_on_the_ledger(
    consortium: RunningConsortium,
    arguments: list[str],
    schedule: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ("report", "schedule", "run", str(schedule))
    assert run([*arguments, *command]) == 0
    assert "Nothing is due before" in capsys.readouterr().out
    last_done(schedule, timedelta(days=3))
    assert run([*arguments, *command]) == 0
    said = capsys.readouterr().out
    assert said.startswith("processing: due ")
    assert ", and 2 missed before: processing-" in said
    (manifest,) = (tmp_path / "delivered").glob("processing-*.manifest.json")
    with consortium.ledger("northgate", "auditor") as ledger:
        ledger.trail.update()
        reads = Trail(ledger.trail.engine).records("trailread")
    digest = sha256_digest(manifest.read_bytes())
    (read,) = [row for row in reads if row.body["report_digest"] == digest]
    assert read.body["report"] == "gdpr-30"

    assert run([*arguments, "report", "schedule", "check", str(manifest)]) == 0
    assert "Keep them until" in capsys.readouterr().out
    (page,) = (tmp_path / "delivered").glob("processing-*.html")
    page.write_text(page.read_text() + " ")
    assert run([*arguments, "report", "schedule", "check", str(manifest)]) != 0
    assert page.name in capsys.readouterr().err


def test_reports_are_served_until_it_is_stopped(arguments: list[str], schedule: Path, tmp_path: Path) -> None:
    last_done(schedule, timedelta(days=1))
    with running(*arguments, "serve-reports", str(schedule)) as process:
        wait_until(lambda: any((tmp_path / "delivered").glob("*.manifest.json")), process)
        wait_until(lambda: state_of(schedule)["processing"].endswith("T06:00:00.000Z"), process)
    assert process.returncode == 0


def state_of(schedule: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(schedule.with_suffix(".state.json").read_text())
    return found


def test_the_index_follows_its_peer_and_compares_others(
    consortium: RunningConsortium, arguments: list[str], ledger_of: Callable[..., Ledger], tmp_path: Path
) -> None:
    (person,) = pseudonyms(1, f"patient-{time.time_ns()}")
    with running(*arguments, "index", "--follow", "--organization", "riverside") as process:
        assert process.stdout is not None
        assert "the index is complete up to block" in process.stdout.readline()
        steward = ledger_of("northgate", "steward")
        steward.consents.import_frame(consent_frame([person]))
        commitment = steward.subjects.find([person])[person].commitment
        engine = open_database(f"sqlite:///{tmp_path / 'index.sqlite'}")
        wait_until(lambda: bool(Trail(engine).records("consent", subject=commitment)), process)
        engine.dispose()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
    assert ", up to date" in said
    assert "Traceback" not in said
