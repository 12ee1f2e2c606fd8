"""Accesses by any of what the trail knows of them, by one subject, and by one row of a dataset."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, say
from consentry.cli.subjects import own_register
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
from consentry.cli.trail_views import show_accesses, show_subject


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    by_anything = examples(
        "consentry --as regulator/officer trail accesses --grantee RiversideMSP --reason NO_GRANT",
        "consentry --as regulator/officer trail accesses --model modelversion-0123… --json",
        "consentry --as northgate/dpo trail accesses --dataset biopsies --from-block 100 --to-block 200",
    )
    by_row = examples(
        "consentry --as northgate/dpo trail row version-0123… 17",
        "",
        "Rows are counted from 0 in the order in which they were registered.",
    )
    app.command("accesses", epilog=by_anything)(accesses)
    app.command("row", epilog=by_row)(row)
    by_subject = examples(
        "consentry --as northgate/dpo trail subject",
        "consentry --as northgate/dpo trail subject --json < pseudonym.txt",
        "consentry --as regulator/officer trail subject --subject hmac-sha256:0123…",
        "",
        "The pseudonym never stands on a command line: it is asked for, or read from standard input.",
    )
    app.command("subject", epilog=by_subject)(subject)


def accesses(
    ctx: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Name or id of a dataset, or a version's id.")] = None,
    custodian: Annotated[str | None, typer.Option(help="Only data of this MSP id.")] = None,
    grantee: Annotated[str | None, typer.Option(help="Only attempts of this MSP id.")] = None,
    requester: Annotated[str | None, typer.Option(help="Only attempts of this enrolment id.")] = None,
    session: Annotated[str | None, typer.Option(help="Only what this training session used.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Only what training of this model, or of this version, used.")
    ] = None,
    grant: Annotated[str | None, typer.Option(help="Only what this grant permitted.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only denials for this reason, by its code.")] = None,
    purpose: Purpose = None,
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    from_block: FromBlock = None,
    to_block: ToBlock = None,
    page_size: PageSize = 100,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """Attempts at access with their decisions, by anything that the trail knows of them."""
    from consentry.index import AccessFilter, PageRequest

    wanted = AccessFilter(
        dataset=dataset,
        custodian=custodian,
        requester_msp=grantee,
        requester=requester,
        session=session,
        model=model,
        grant=grant,
        reason=reason,
        purpose=purpose,
        outcome=outcome,
        since=since,
        until=until,
        from_block=from_block,
        to_block=to_block,
    )
    with open_recorded_trail(command_context(ctx)) as trail:
        show_accesses(trail.accesses(wanted, PageRequest(page_size, after)), as_json)


def subject(
    ctx: typer.Context,
    commitment: Annotated[
        str | None,
        typer.Option("--subject", help="The commitment, for who is not the custodian and has no pseudonyms."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What is on the trail of one subject: consents, opt-out and other limits, requests, accesses."""
    from consentry.cli.subjects import commitment_of, own_manifest, read_pseudonym

    context = command_context(ctx)
    wanted = commitment or commitment_of(context, read_pseudonym())
    with own_manifest(context) as manifest, open_recorded_trail(context) as trail:
        found = trail.subject(wanted, manifest)
    show_subject(found, as_json)


def row(
    ctx: typer.Context,
    version_id: Annotated[str, typer.Argument(help="Id of a dataset version of one's own organization.")],
    position: Annotated[int, typer.Argument(min=0, help="Which of its rows.")],
    page_size: PageSize = 100,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """Accesses to every version of a dataset that holds a row; only the custodian knows which do."""
    from consentry.index import AccessFilter, PageRequest
    from consentry.index.row_manifests import find_row

    context = command_context(ctx)
    with own_register(context) as register:
        consent_id, versions = find_row(register, version_id, position)
    with open_recorded_trail(context) as trail:
        page = trail.accesses(AccessFilter(versions=versions), PageRequest(page_size, after))
    if not as_json:
        say(f"The row rests on {consent_id} and is in {len(versions)} versions: {', '.join(versions)}.")
    show_accesses(page, as_json)
