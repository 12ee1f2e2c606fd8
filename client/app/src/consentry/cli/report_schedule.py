"""``consentry report schedule`` and ``consentry serve-reports``: reports that are made by themselves."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.output import examples, note, say
from consentry.errors import ConsentryError, InputRejected, LedgerRefused

if TYPE_CHECKING:
    from consentry.reports.scheduled import Delivered, ScheduleRunner

app = typer.Typer(name="schedule", no_args_is_help=True, help="Reports by a schedule.")
_LONGEST_WAIT_SECONDS = 3600.0

ScheduleArgument = Annotated[Path, typer.Argument(help="The schedule, a YAML file.")]
StateOption = Annotated[
    Path | None, typer.Option(help="File that keeps what was done (default: beside the schedule).")
]


@app.command(
    epilog=examples(
        "consentry --as northgate/auditor report schedule run reports.yaml",
        "",
        "For a systemd timer. Missed runs are caught up: several of one line are done once.",
    )
)
def run(ctx: typer.Context, schedule: ScheduleArgument, state: StateOption = None) -> None:
    """Make the reports that are due, deliver them, and log each to the ledger."""
    with _runner(command_context(ctx), schedule, state) as runner:
        if not _run_due(runner):
            say(f"Nothing is due before {runner.next_due(datetime.now(UTC)):%Y-%m-%d %H:%M} UTC.")


@app.command("next", epilog=examples("consentry report schedule next reports.yaml"))
def show_next(schedule: ScheduleArgument) -> None:
    """Show when each line of a schedule is due next."""
    from consentry.reports.scheduled import read_schedule

    now = datetime.now(UTC)
    for entry in read_schedule(schedule).reports:
        say(f"{entry.name}: {entry.report}, {entry.due_after(now):%Y-%m-%d %H:%M} UTC")


@app.command(epilog=examples("consentry report schedule check processing-20261201T0600.manifest.json"))
def check(manifest: Annotated[Path, typer.Argument(help="Manifest of delivered reports.")]) -> None:
    """Check that delivered reports are the ones that were signed, and say how long they have to be kept."""
    from consentry.reports.retention import retention_of
    from consentry.reports.scheduled import verify_manifest

    try:
        data = manifest.read_bytes()
        named = json.loads(data).get("files", {})
        files = {name: (manifest.parent / Path(name).name).read_bytes() for name in named}
    except (OSError, ValueError, AttributeError) as error:
        raise InputRejected("MANIFEST_UNREADABLE", f"{manifest}, or a file of it, cannot be read.") from error
    content = verify_manifest(data, files)
    say(f"{len(files)} files are those that {content['msp_id']} signed, made {content['generated_at']}.")
    kept = retention_of(content["report"], content["generated_at"])
    say(f"Keep them until {kept.keep_until}: {'; '.join(kept.articles)}.")
    if kept.conflict:
        say(kept.conflict)


def add_to(main: typer.Typer) -> None:
    """Add the command that serves a schedule."""
    epilog = examples("consentry --as northgate/auditor serve-reports reports.yaml")
    main.command("serve-reports", epilog=epilog)(serve)


def serve(ctx: typer.Context, schedule: ScheduleArgument, state: StateOption = None) -> None:
    """Make reports when they are due until stopped (SIGTERM or Ctrl-C); missed ones first."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with _runner(command_context(ctx), schedule, state) as runner:
        while not stopped.is_set():
            try:
                _run_due(runner)
            except ConsentryError as error:
                note(f"{error.code}: {error.message}; trying again later.")
            now = datetime.now(UTC)
            wait = (runner.next_due(now) - now).total_seconds()
            stopped.wait(min(max(wait, 1.0), _LONGEST_WAIT_SECONDS))


def _run_due(runner: ScheduleRunner) -> int:
    done = 0
    for made in runner.run_due(datetime.now(UTC)):
        missed = f", and {made.missed} missed before" if made.missed else ""
        say(f"{made.name}: due {made.due_at:%Y-%m-%d %H:%M} UTC{missed}: {', '.join(made.files)}")
        done += 1
    return done


@contextmanager
def _runner(context: CommandContext, path: Path, state: Path | None) -> Iterator[ScheduleRunner]:
    from consentry.cli.index_access import catch_up, open_database_of
    from consentry.index import Trail
    from consentry.reports.scheduled import ScheduleRunner, read_schedule

    schedule = read_schedule(path)
    with context.connect() as ledger, open_database_of(context) as engine:

        def open_trail() -> Trail:
            catch_up(context, engine)
            return Trail(engine)

        def log(identifier: str, delivered: Delivered, manifest: bytes) -> None:
            try:
                ledger.trail_reads.record(
                    "report",
                    concerned=[delivered.about],
                    row_count=delivered.row_count,
                    last_block=delivered.last_block,
                    report=delivered.report,
                    report_bytes=manifest,
                    trail_read_id=identifier,
                )
            except LedgerRefused as refusal:
                if refusal.code != "TRAIL_READ_EXISTS":
                    raise

        kept = state or path.with_suffix(".state.json")
        yield ScheduleRunner(schedule, ledger.identity, open_trail, log, kept)
