"""``consentry rights``: requests of data subjects and their one-month clock."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, say, show_json, show_record, show_table

app = typer.Typer(name="rights", no_args_is_help=True, help="Requests of data subjects (GDPR Art. 15 to 21).")

RequestId = Annotated[str, typer.Argument(help="Id of the request.")]


@app.command(epilog=examples("consentry --as northgate/dpo rights receive erasure < pseudonym.txt"))
def receive(
    ctx: typer.Context,
    right: Annotated[
        str, typer.Argument(help="erasure, restriction, objection, rectification, access, portability.")
    ],
    purpose: Annotated[list[str] | None, typer.Option(help="Purpose objected to; may be repeated.")] = None,
    received_at: Annotated[
        str | None, typer.Option(help="When it arrived, e.g. 2027-01-31T12:00:00Z; now by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record a request; the pseudonym is read from input. What it limits holds from here on."""
    from consentry.cli.frames import parse_time
    from consentry.cli.subjects import read_pseudonym

    arrived = parse_time(received_at) if received_at is not None else None
    pseudonym = read_pseudonym()
    with command_context(ctx).connect() as ledger:
        made = ledger.rights.receive(pseudonym, right, received_at=arrived, purposes=purpose or ())
    if as_json:
        show_json(made)
        return
    say(f"{made.rights_request_id} is on record; answer it by {made.due_at}.")


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo rights advance rightsrequest-0123… accepted",
        "consentry --as northgate/dpo rights advance rightsrequest-0123… rejected --ground GDPR-17-3-b",
    )
)
def advance(
    ctx: typer.Context,
    request: RequestId,
    step: Annotated[
        str,
        typer.Argument(
            help="acknowledged, requires-action, extended, accepted, rejected, cancelled, lifted."
        ),
    ],
    ground: Annotated[str | None, typer.Option(help="Why it is rejected or extended.")] = None,
) -> None:
    """Take the next step of a request."""
    with command_context(ctx).connect() as ledger:
        made = ledger.rights.advance(request, step, ground)
    say(f"{request} is {made.state}, due {made.due_at}.")


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo rights erase rightsrequest-0123… --datasets searched \\",
        "    --backups key-destroyed",
    )
)
def erase(
    ctx: typer.Context,
    request: RequestId,
    datasets: Annotated[str, typer.Option(help="How dataset files were reached: searched or not-held.")],
    backups: Annotated[
        str, typer.Option(help="How backups were reached: searched, key-destroyed or not-held.")
    ],
) -> None:
    """Carry an accepted erasure out: purge private entries, destroy the subject's key, attest."""
    stores = {
        "collection": "searched",
        "custody": "searched",
        "peer-files": "key-destroyed",
        "datasets": datasets,
        "backups": backups,
    }
    with command_context(ctx).connect() as ledger:
        made = ledger.rights.erase(request, stores)
    say(f"{request} is {made.state}; {made.purged} private entries purged. Next: `rights notify`.")


@app.command(epilog=examples("consentry --as northgate/dpo rights fulfil rightsrequest-0123…"))
def fulfil(ctx: typer.Context, request: RequestId) -> None:
    """Record that an accepted request other than an erasure is fulfilled."""
    with command_context(ctx).connect() as ledger:
        made = ledger.rights.fulfil(request)
    say(f"{request} is {made.state}.")


@app.command(epilog=examples("consentry --as northgate/dpo rights notify rightsrequest-0123… RiversideMSP"))
def notify(
    ctx: typer.Context,
    request: RequestId,
    recipients: Annotated[list[str], typer.Argument(help="MSP ids of recipients that were told.")],
) -> None:
    """Record which recipients of the data were told (GDPR Art. 19)."""
    with command_context(ctx).connect() as ledger:
        made = ledger.rights.notify(request, recipients)
    say(f"{len(made.notices)} recipients were told of {request}.")


@app.command(epilog=examples("consentry --as northgate/dpo rights show rightsrequest-0123… --json"))
def show(ctx: typer.Context, request: RequestId, as_json: AsJson = False) -> None:
    """Show one request with its steps."""
    with command_context(ctx).connect() as ledger:
        show_record(ledger.rights.get(request), as_json)


@app.command("list", epilog=examples("consentry --as northgate/dpo rights list"))
def list_requests(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the own organization's open requests in the order in which they are due."""
    with command_context(ctx).connect() as ledger:
        found = ledger.rights.unanswered()
    if as_json:
        show_json({"items": [request.to_dict() for request in found]})
        return
    show_table(
        ("request", "right", "state", "due"),
        [(entry.rights_request_id, entry.right, entry.state, entry.due_at) for entry in found],
    )
