"""``consentry training``: training sessions and their rounds."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.index_access import open_trail
from consentry.cli.output import AsJson, examples, say, show_json, show_record, show_table
from consentry.errors import InputRejected
from consentry_records.training import FAILURES

app = typer.Typer(name="training", no_args_is_help=True, help="Training sessions and their rounds.")


@app.command(epilog=examples("consentry --as riverside/researcher training show session-0123…"))
def show(
    ctx: typer.Context,
    session_id: Annotated[str, typer.Argument(help="Id of the training session.")],
    as_json: AsJson = False,
) -> None:
    """Show a training session and its rounds, from the verified index."""
    with open_trail(command_context(ctx)) as trail:
        session = trail.record("session", session_id)
        rounds = [row for row in trail.records("round") if row.body.get("session_id") == session_id]
        stated = [row for row in trail.records("statement") if row.body.get("session_id") == session_id]
    if session is None:
        raise InputRejected("SESSION_NOT_FOUND", f"The ledger has no training session {session_id}.")
    if as_json:
        show_json(
            {
                "session": session.body,
                "rounds": [row.body for row in rounds],
                "statements": [row.body for row in stated],
            }
        )
        return
    show_record(session.body, as_json)
    say("")
    show_table(
        ("round", "participants", "metrics", "aggregate"),
        [
            (
                row.body["number"],
                [part["msp"] for part in row.body["participants"]],
                row.body["metrics"],
                row.body["aggregate_digest"],
            )
            for row in rounds
        ],
    )
    if stated:
        say("\nStated while the ledger could not be reached (claimed times are the trainer's word):")
        columns = ("statement", "round", "end", "claimed", "recorded")
        fields = ("sequence", "round_number", "end_state", "claimed_time", "recorded_at")
        show_table(columns, [tuple(row.body[field] for field in fields) for row in stated])


@app.command(
    epilog=examples(
        "consentry --as riverside/researcher training end session-0123… --state failed --failure PROCESS_LOST"
    )
)
def end(
    ctx: typer.Context,
    session_id: Annotated[str, typer.Argument(help="Id of a running session of the own organization.")],
    state: Annotated[str, typer.Option(help="completed, failed or aborted.")],
    failure: Annotated[
        str | None, typer.Option(help=f"Why not completed: {', '.join(FAILURES)}.", show_default=False)
    ] = None,
) -> None:
    """Record the end of a session whose trainer vanished; sessions end by themselves otherwise."""
    with command_context(ctx).connect() as ledger:
        ledger.end_training(session_id, state=state, failure=failure)
    say(f"{session_id} is {state}.")


@app.command(epilog=examples("consentry --as northgate/dpo training usage session-0123…"))
def usage(
    ctx: typer.Context,
    session_id: Annotated[str, typer.Argument(help="Id of the training session.")],
    as_json: AsJson = False,
) -> None:
    """Compare what a session used of each dataset version with what it was granted."""
    with command_context(ctx).connect() as ledger:
        answer = ledger.training_usage(session_id)
    if as_json:
        show_json(answer)
        return
    columns = ("version_id", "grant_id", "granted_until", "row_count", "rows", "findings")
    heads = ("version", "grant", "granted until", "its rows", "rows used", "findings")
    show_table(heads, [tuple(row[column] for column in columns) for row in answer["versions"]])


@app.command("list", epilog=examples("consentry --as regulator/officer training list"))
def list_sessions(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List training sessions from the verified index."""
    with open_trail(command_context(ctx)) as trail:
        rows = trail.records("session")
    if as_json:
        show_json({"items": [row.body for row in rows]})
        return
    show_table(
        ("session", "organization", "purpose", "state", "started", "ended"),
        [
            (
                r.record_id,
                r.owner,
                r.body["purpose"],
                r.state,
                r.body["started_at"],
                r.body["ended_at"],
            )
            for r in rows
        ],
    )
