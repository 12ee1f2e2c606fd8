"""``consentry settings``: who is in the consortium, and votes on that."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.json_files import read_json_object
from consentry.cli.output import AsJson, examples, say, show_json, show_table

app = typer.Typer(name="settings", no_args_is_help=True, help="Who is in the consortium, and votes on that.")


@app.command(epilog=examples("consentry --as northgate/dpo settings show --json > settings.json"))
def show(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the ledger's settings."""
    with command_context(ctx).connect() as ledger:
        settings = ledger.settings()
    if as_json:
        show_json(settings.to_dict())
        return
    show_table(
        ("organization", "kind", "country"),
        [(one.msp_id, one.kind, one.country or "") for one in settings.organizations],
    )
    say(f"Clocks may differ by {settings.time_tolerance_ms} ms.")


@app.command(epilog=examples("consentry --as northgate/dpo settings vote settings.json"))
def vote(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `show --json` printed, with changes.")],
) -> None:
    """Vote for other settings in the name of one's organization; more than half of the votes decide."""
    from consentry.errors import InputRejected
    from consentry_records import LedgerError, Settings

    try:
        wanted = Settings.from_dict(read_json_object(file))
    except LedgerError as error:
        raise InputRejected("SETTINGS_INVALID", f"{file} holds no settings: {error}") from error
    with command_context(ctx).connect() as ledger:
        voted_for = ledger.vote(wanted)
        decided = ledger.settings() == voted_for
    say("The settings are in force." if decided else "The vote is on record; more are needed.")


@app.command(epilog=examples("consentry --as northgate/dpo settings votes"))
def votes(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the votes for other settings than those in force, with what each would change."""
    with command_context(ctx).connect() as ledger:
        cast = ledger.votes()
    if as_json:
        show_json([one.to_dict() for one in cast])
        return
    show_table(
        ("settings", "voter", "organizations", "voted at"),
        [(one.settings_digest, one.voter_msp, ", ".join(one.settings.msp_ids), one.voted_at) for one in cast],
    )
