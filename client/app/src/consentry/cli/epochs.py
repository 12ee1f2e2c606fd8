"""``consentry epochs``: the completeness chains that custodians commit, and whether they are right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.errors import ExitStatus
from consentry.cli.output import AsJson, examples, say, show_json, show_record, show_table

if TYPE_CHECKING:
    from consentry.epoch_closing import EpochCloser
    from consentry.ledger import Ledger

app = typer.Typer(
    name="epochs", no_args_is_help=True, help="Completeness of trail and reports: closed epochs, audited."
)


@app.command(
    epilog=examples(
        "consentry --as northgate/service epochs close",
        "",
        "`consentry decide serve` does so by itself, once an hour.",
    )
)
def close(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Close the own organization's epoch: commit one root over the chains of its subjects and datasets.

    What was committed up to now cannot be left out of a report any more. One run after another, each once.
    """
    context = command_context(ctx)
    with context.connect() as ledger, closer_of(context, ledger) as closer:
        epoch = closer.close()
    if epoch is None:
        if as_json:
            show_json({"closed": None})
        else:
            say("Nothing was written since the last epoch.")
        return
    show_record(epoch, as_json)


@app.command(epilog=examples("consentry --as regulator/officer epochs audit"))
def audit(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Compare every epoch that any custodian closed with the blocks; status 1 if one is wrong."""
    from consentry.cli.index_access import open_trail
    from consentry.index.epochs import closed_epochs, followed

    context = command_context(ctx)
    rows = []
    with open_trail(context) as trail, trail.snapshot() as connection:
        for custodian in sorted(context.profile.organizations):
            closed = closed_epochs(connection, custodian)
            right = followed(connection, custodian)
            if closed:
                last = right.last_block if right.number else None
                rows.append((custodian, len(closed), right.number, last))
    columns = ("custodian", "closed", "right", "last_block")
    if as_json:
        show_json({"items": [dict(zip(columns, row, strict=True)) for row in rows]})
    elif rows:
        show_table(("custodian", "epochs closed", "right through epoch", "up to block"), rows)
    else:
        say("No custodian has closed an epoch.")
    if any(closed != right for _, closed, right, _ in rows):
        raise typer.Exit(int(ExitStatus.REFUSED))


@contextmanager
def closer_of(context: CommandContext, ledger: Ledger) -> Iterator[EpochCloser]:
    """What closes the own organization's epochs, from the index that its trail and reports are read from."""
    from consentry.cli.index_access import catch_up, open_database_of
    from consentry.epoch_closing import EpochCloser

    with open_database_of(context) as engine:
        yield EpochCloser(
            ledger.transactions,
            ledger.identity.msp_id,
            engine,
            lambda: catch_up(context, engine),
            lambda: datetime.now(UTC),
        )
