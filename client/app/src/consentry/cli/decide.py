"""``consentry decide``: a custodian's decision service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.output import examples, note
from consentry.errors import ConsentryError

if TYPE_CHECKING:
    from consentry.ledger import Ledger

_LONGEST_JOIN_SECONDS = 2.0

app = typer.Typer(name="decide", no_args_is_help=True, help="Decide on access attempts, as a custodian.")


@app.command(
    epilog=examples(
        "consentry --as northgate/service decide serve",
        "consentry --as northgate/service decide serve --checkpoint /var/lib/consentry/decide.json",
        "consentry --as northgate/service decide serve --close-epochs 15",
    )
)
def serve(
    ctx: typer.Context,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="File that keeps the position (default: DIR/custody/ORG/decide.json)."),
    ] = None,
    close_epochs: Annotated[
        int,
        typer.Option(
            metavar="MINUTES",
            min=0,
            help="Close an epoch of the completeness chains once a write is so old; 0 never.",
        ),
    ] = 60,
) -> None:
    """Decide on every attempt at the own organization's data until stopped (SIGTERM or Ctrl-C).

    Each attempt is decided exactly once, through restarts; what was missed is caught up first.
    """
    from consentry.decider import serve as serve_decisions
    from consentry.private_files import make_private_directory

    context = command_context(ctx)
    path = checkpoint or context.profile.subject_register(context.organization.name).parent / "decide.json"
    make_private_directory(path.parent)
    with context.connect() as ledger:
        note(f"deciding for {ledger.identity.msp_id}")
        with _closing_epochs(context, ledger, close_epochs):
            serve_decisions(ledger, path)


@contextmanager
def _closing_epochs(context: CommandContext, ledger: Ledger, minutes: int) -> Iterator[None]:
    """Epochs are closed in a thread beside the decisions, which wait for nothing of it."""
    if not minutes:
        yield
        return
    stop, every = threading.Event(), timedelta(minutes=minutes)
    arguments = (context, ledger, every, stop)
    thread = threading.Thread(target=_close_epochs, args=arguments, name="consentry-epochs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=_LONGEST_JOIN_SECONDS)


def _close_epochs(context: CommandContext, ledger: Ledger, every: timedelta, stop: threading.Event) -> None:
    from consentry.cli.epochs import closer_of

    # Nothing is as old as that before; and decisions are not to wait while an index is opened.
    while not stop.wait(every.total_seconds() / 4):
        try:
            with closer_of(context, ledger) as closer:
                closer.run(stop, every)
            return
        except ConsentryError as error:
            note(f"no epochs are closed, trying again in {every / 4}: {error}")
