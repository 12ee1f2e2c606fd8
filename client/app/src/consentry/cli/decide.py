"""``consentry decide``: a custodian's decision service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import examples, note

app = typer.Typer(name="decide", no_args_is_help=True, help="Decide on access attempts, as a custodian.")


@app.command(
    epilog=examples(
        "consentry --as northgate/service decide serve",
        "consentry --as northgate/service decide serve --checkpoint /var/lib/consentry/decide.json",
    )
)
def serve(
    ctx: typer.Context,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="File that keeps the position (default: DIR/custody/ORG/decide.json)."),
    ] = None,
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
        serve_decisions(ledger, path)
