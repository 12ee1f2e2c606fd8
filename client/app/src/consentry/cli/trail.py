"""``consentry trail``: questions to the verified trail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from consentry.cli import trail_accesses
from consentry.cli.context import command_context
from consentry.cli.index_access import open_trail
from consentry.cli.output import AsJson, examples, say, show_json, show_table
from consentry.cli.trail_options import (
    After,
    FromBlock,
    Outcome,
    PageSize,
    Purpose,
    Since,
    ToBlock,
    Until,
)
from consentry.cli.trail_recording import open_recorded_trail
from consentry.cli.trail_views import show_accesses, show_impact, show_lineage, show_transactions
from consentry_records.instants import format_instant

app = typer.Typer(
    name="trail",
    no_args_is_help=True,
    help="Who did what: questions to the verified trail, each recorded on the ledger.",
)
trail_accesses.add_to(app)


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo trail dataset biopsies",
        "consentry --as northgate/dpo trail dataset version-0123… --outcome deny --json",
    )
)
def dataset(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="DATASET", help="Name or id of a dataset, or a version's id.")
    ],
    purpose: Purpose = None,
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    page_size: PageSize = 100,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """Who tried to access a dataset, and what was decided."""
    from consentry.index import AccessFilter, PageRequest

    wanted = AccessFilter(dataset=name, purpose=purpose, outcome=outcome, since=since, until=until)
    with open_recorded_trail(command_context(ctx)) as trail:
        show_accesses(trail.accesses(wanted, PageRequest(page_size, after)), as_json)


@app.command(
    epilog=examples(
        "consentry --as regulator/officer trail actor RiversideMSP",
        "consentry --as regulator/officer trail actor 5f0c… --json",
    )
)
def actor(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ACTOR", help="Enrolment id, or an organization's MSP id.")],
    purpose: Purpose = None,
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    page_size: PageSize = 100,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """What somebody, or anybody of an organization, tried to access."""
    from consentry.index import AccessFilter, PageRequest

    context = command_context(ctx)
    is_organization = name in context.profile.organizations
    wanted = AccessFilter(
        requester_msp=name if is_organization else None,
        requester=None if is_organization else name,
        purpose=purpose,
        outcome=outcome,
        since=since,
        until=until,
    )
    with open_recorded_trail(context) as trail:
        show_accesses(trail.accesses(wanted, PageRequest(page_size, after)), as_json)


@app.command(
    name="open",
    epilog=examples(
        "consentry --as regulator/officer trail open",
        "consentry --as regulator/officer trail open --custodian NorthgateMSP --json",
    ),
)
def open_(
    ctx: typer.Context,
    custodian: Annotated[str | None, typer.Option(help="Only attempts at this MSP id's data.")] = None,
    at: Annotated[
        str | None, typer.Option(help="Instant at which the time is up (default: by this machine's clock).")
    ] = None,
    page_size: PageSize = 100,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """Attempts on which the custodian has not decided in the time that the ledger's settings give."""
    from consentry.index import PageRequest

    moment = at or format_instant(datetime.now(UTC))
    with open_recorded_trail(command_context(ctx)) as trail:
        show_accesses(trail.open_attempts(moment, custodian, PageRequest(page_size, after)), as_json)


@app.command(epilog=examples("consentry --as regulator/officer trail model modelversion-0123… --json"))
def model(
    ctx: typer.Context,
    model_version_id: Annotated[str, typer.Argument(help="Id of the model version.")],
    as_json: AsJson = False,
) -> None:
    """What a model version comes from: sessions, permits, grants, dataset versions."""
    with open_recorded_trail(command_context(ctx)) as trail:
        show_lineage(trail.model_lineage(model_version_id), as_json)


@app.command(epilog=examples("consentry --as northgate/dpo trail impact consent-0123…"))
def impact(
    ctx: typer.Context,
    consent_id: Annotated[str, typer.Argument(help="Id of the consent, withdrawn or not.")],
    as_json: AsJson = False,
) -> None:
    """What rests on a consent: dataset versions, grants, decisions, sessions, model versions."""
    from consentry.cli.subjects import own_manifest

    context = command_context(ctx)
    with open_recorded_trail(context) as trail, own_manifest(context) as manifest:
        found = trail.impact(consent_id, manifest)
        show_impact(found, trail.status().last_block, as_json)


@app.command(
    epilog=examples(
        "consentry --as regulator/officer trail transactions --invalid",
        "consentry --as regulator/officer trail transactions --code ENDORSEMENT_POLICY_FAILURE --json",
    )
)
def transactions(
    ctx: typer.Context,
    invalid: Annotated[bool, typer.Option("--invalid", help="Only those without effect.")] = False,
    code: Annotated[str | None, typer.Option(help="Only this validation code.")] = None,
    creator: Annotated[str | None, typer.Option(help="Only those of this enrolment id.")] = None,
    organization: Annotated[str | None, typer.Option(help="Only those of this MSP id.")] = None,
    function: Annotated[str | None, typer.Option(help="Only calls of this function.")] = None,
    from_block: FromBlock = None,
    to_block: ToBlock = None,
    since: Annotated[str | None, typer.Option(help="Only those created from this instant on.")] = None,
    until: Annotated[str | None, typer.Option(help="Only those created before this instant.")] = None,
    page_size: PageSize = 100,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """Every transaction, invalid ones too, with its validation code."""
    from consentry.index import PageRequest, TransactionFilter

    wanted = TransactionFilter(
        code_name=code,
        invalid_only=invalid,
        creator=creator,
        creator_msp=organization,
        function=function,
        from_block=from_block,
        to_block=to_block,
        since=since,
        until=until,
    )
    with open_recorded_trail(command_context(ctx)) as trail:
        show_transactions(trail.transactions(wanted, PageRequest(page_size, after)), as_json)


@app.command(epilog=examples("consentry --as northgate/dpo trail history grant grant-0123…"))
def history(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="Kind of record, e.g. consent, grant, session.")],
    record_id: Annotated[str, typer.Argument(help="Id of the record.")],
    as_json: AsJson = False,
) -> None:
    """Every change of one record, oldest first."""
    with open_recorded_trail(command_context(ctx)) as trail:
        rows = trail.history(kind, record_id)
    if as_json:
        show_json({"items": rows})
        return
    show_table(
        ("block", "state", "endorsed", "recorded", "transaction"),
        [(row.block, row.state, row.honoured, row.recorded_at, row.transaction_id) for row in rows],
    )


@app.command(epilog=examples("consentry --as regulator/officer trail findings"))
def findings(ctx: typer.Context, as_json: AsJson = False) -> None:
    """What on the ledger honest contracts would not have written: forged, rewritten, unreadable."""
    with open_recorded_trail(command_context(ctx)) as trail:
        rows = trail.findings()
    if as_json:
        show_json({"items": rows})
        return
    if not rows:
        say("None.")
        return
    show_table(("block", "code", "finding"), [(row.block, row.code, row.sentence) for row in rows])


@app.command(epilog=examples("consentry --as northgate/dpo trail status --json"))
def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Up to which block the trail is complete, and what that rests on."""
    with open_trail(command_context(ctx)) as trail:
        found = trail.status()
    if as_json:
        show_json(found)
        return
    anchored = "anchored" if found.anchored else "not anchored"
    say(f"Complete up to block {found.last_block} of channel {found.channel}, {anchored}.")
    say(f"Genesis {found.genesis_hash}.")
    show_table(("validation code", "transactions"), sorted(found.codes.items()))
