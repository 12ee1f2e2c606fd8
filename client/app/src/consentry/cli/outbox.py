"""``consentry outbox``: what waits to be recorded since the ledger could not be reached."""

from __future__ import annotations

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, plain, say, show_json, show_table

app = typer.Typer(
    name="outbox",
    no_args_is_help=True,
    help="Training logs and reads of the trail made while the ledger could not be reached.",
)


@app.command("list", epilog=examples("consentry --as riverside/researcher outbox list"))
def list_entries(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List what was stated off-line, and what became of it."""
    with command_context(ctx).connect() as ledger:
        entries, reads = ledger.outbox.entries(), ledger.trail_reads.waiting()
    if as_json:
        show_json({"items": list(entries), "trail_reads": list(reads)})
        return
    columns = ("session", "number", "claimed time", "what", "state", "reason")
    show_table(
        columns, [(e.session_id, e.sequence, e.claimed_time, e.what, e.state, e.reason) for e in entries]
    )
    if reads:
        show_table(
            ("read", "question", "about", "claimed time"),
            [(r.trail_read_id, r.question, r.concerned, r.claimed_at) for r in reads],
        )


@app.command(epilog=examples("consentry --as riverside/researcher outbox send"))
def send(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Send what waits, in order; ends with status 4 where the ledger gives no answer."""
    from consentry.cli.errors import ExitStatus
    from consentry.cli.progress import counted

    with command_context(ctx).connect() as ledger, counted("statements", None) as progress:
        sent = ledger.outbox.send(progress)
        reads = ledger.trail_reads.send()
    if as_json:
        show_json({**plain(sent), "trail_reads": reads})
    else:
        say(f"{sent.recorded} recorded, {sent.refused} refused, {sent.waiting} waiting.")
        if reads.recorded or reads.refused or reads.waiting:
            say(f"Reads: {reads.recorded} recorded, {reads.refused} refused, {reads.waiting} waiting.")
    if sent.waiting or reads.waiting:
        raise typer.Exit(int(ExitStatus.UNREACHABLE))
    if sent.refused or reads.refused:
        raise typer.Exit(int(ExitStatus.REFUSED))
