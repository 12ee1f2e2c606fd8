"""``consentry grants``: ask for access, grant, change, revoke and suspend it."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.grant_options import (
    AggregateOutputOnly,
    ConditionColumns,
    Countries,
    DataCategories,
    Diseases,
    MaximumUses,
    Persons,
    ProjectMembersOnly,
    PublicationNotBefore,
    conditions_of,
)
from consentry.cli.output import AsJson, examples, say, show_json, show_record, show_table

app = typer.Typer(name="grants", no_args_is_help=True, help="Requests for access and grants.")

Versions = Annotated[list[str], typer.Option("--version", help="Dataset version; may be repeated.")]
Purposes = Annotated[list[str], typer.Option("--purpose", help="Purpose code; may be repeated.")]
Restrictions = Annotated[
    list[str] | None, typer.Option("--restriction", help="Restriction; may be repeated.")
]
GrantId = Annotated[str, typer.Argument(help="Id of the grant.")]


@app.command(
    epilog=examples(
        "consentry --as riverside/researcher grants request --version version-0123… \\",
        "    --purpose DUO:0000006 --duration 30d",
    )
)
def request(
    ctx: typer.Context,
    version: Versions,
    purpose: Purposes,
    duration: Annotated[str, typer.Option(help="Longest time asked for, e.g. 30d or 12h.")],
    restriction: Restrictions = None,
    ethics_approval_digest: Annotated[str | None, typer.Option(help="sha256:… of the approval.")] = None,
    disease: Diseases = None,
    topic: Annotated[
        list[str] | None, typer.Option(help="methods, ancestry or genetic; may be repeated.")
    ] = None,
    commercial: Annotated[bool, typer.Option("--commercial", help="Some use is commercial.")] = False,
    project: Annotated[str | None, typer.Option(help="Name of the project, such as heart-2027.")] = None,
    protocol_digest: Annotated[str | None, typer.Option(help="sha256:… of the project's protocol.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Column that alone is asked for; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask for access to dataset versions, as a researcher."""
    from consentry.cli.frames import parse_duration

    length = parse_duration(duration)
    with command_context(ctx).connect() as ledger:
        made = ledger.grants.request(
            version,
            purposes=purpose,
            duration=length,
            restrictions=restriction or (),
            ethics_approval_digest=ethics_approval_digest,
            diseases=disease or (),
            topics=topic or (),
            commercial=commercial,
            project=project,
            protocol_digest=protocol_digest,
            columns=column or (),
        )
    if as_json:
        show_json(made)
        return
    say(f"{made.request_id} is on record; its custodians answer with `consentry grants grant`.")


@app.command(
    epilog=examples(
        "consentry --as northgate/steward grants grant request-0123… --version version-0123… \\",
        "    --purpose DUO:0000006 --duration 30d",
    )
)
def grant(
    ctx: typer.Context,
    request_id: Annotated[str, typer.Argument(help="Id of the request.")],
    version: Versions,
    purpose: Purposes,
    duration: Annotated[str | None, typer.Option(help="How long it holds, e.g. 30d.")] = None,
    not_after: Annotated[str | None, typer.Option(help="Or until when, e.g. 2027-01-31T12:00:00Z.")] = None,
    not_before: Annotated[str | None, typer.Option(help="From when; by default from now on.")] = None,
    restriction: Restrictions = None,
    disease: Diseases = None,
    maximum_uses: MaximumUses = None,
    person: Persons = None,
    country: Countries = None,
    project_members_only: ProjectMembersOnly = False,
    aggregate_output_only: AggregateOutputOnly = False,
    publication_not_before: PublicationNotBefore = None,
    column: ConditionColumns = None,
    data_category: DataCategories = None,
    as_json: AsJson = False,
) -> None:
    """Grant what a request asks for, or less, as the custodian."""
    from consentry.cli.frames import parse_duration, parse_time

    length = parse_duration(duration) if duration is not None else None
    end = parse_time(not_after) if not_after is not None else None
    begin = parse_time(not_before) if not_before is not None else None
    with command_context(ctx).connect() as ledger:
        made = ledger.grants.grant(
            request_id,
            versions=version,
            purposes=purpose,
            duration=length,
            not_after=end,
            not_before=begin,
            restrictions=restriction or (),
            diseases=disease or (),
            conditions=conditions_of(
                maximum_uses=maximum_uses,
                persons=person,
                countries=country,
                project_members_only=project_members_only,
                aggregate_output_only=aggregate_output_only,
                publication_not_before=publication_not_before,
                columns=column,
                data_categories=data_category,
            ),
        )
    if as_json:
        show_json(made)
        return
    say(f"{made.grant_id} holds for {made.grantee} from {made.not_before} until {made.not_after}.")


@app.command(
    epilog=examples("consentry --as northgate/dpo grants change grant-0123… --not-after 2027-01-31T12:00:00Z")
)
def change(
    ctx: typer.Context,
    grant_id: GrantId,
    not_after: Annotated[str, typer.Option(help="The new end, e.g. 2027-01-31T12:00:00Z.")],
    as_json: AsJson = False,
) -> None:
    """Move a grant's end, as its custodian."""
    from consentry.cli.frames import parse_time

    end = parse_time(not_after)
    with command_context(ctx).connect() as ledger:
        made = ledger.grants.change(grant_id, not_after=end)
    if as_json:
        show_json(made)
        return
    say(f"{made.grant_id} holds until {made.not_after} now.")


@app.command(
    epilog=examples("consentry --as northgate/dpo grants renew grant-0123… --not-after 2028-01-31T12:00:00Z")
)
def renew(
    ctx: typer.Context,
    grant_id: GrantId,
    not_after: Annotated[str, typer.Option(help="The new end, e.g. 2028-01-31T12:00:00Z.")],
    as_json: AsJson = False,
) -> None:
    """Let a grant hold on, as its custodian, at most for the duration asked for, counted from now."""
    from consentry.cli.frames import parse_time

    end = parse_time(not_after)
    with command_context(ctx).connect() as ledger:
        made = ledger.grants.renew(grant_id, not_after=end)
    if as_json:
        show_json(made)
        return
    say(f"{made.grant_id} holds until {made.not_after} now.")


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo grants narrow grant-0123… --aggregate-output-only --maximum-uses 20",
        "consentry --as northgate/dpo grants narrow grant-0123… --column age --column stage",
    )
)
def narrow(
    ctx: typer.Context,
    grant_id: GrantId,
    version: Annotated[list[str] | None, typer.Option("--version", help="Those that stay.")] = None,
    purpose: Annotated[list[str] | None, typer.Option("--purpose", help="Those that stay.")] = None,
    restriction: Restrictions = None,
    disease: Diseases = None,
    not_after: Annotated[str | None, typer.Option(help="An earlier end.")] = None,
    maximum_uses: MaximumUses = None,
    person: Persons = None,
    country: Countries = None,
    project_members_only: ProjectMembersOnly = False,
    aggregate_output_only: AggregateOutputOnly = False,
    publication_not_before: PublicationNotBefore = None,
    column: ConditionColumns = None,
    data_category: DataCategories = None,
    as_json: AsJson = False,
) -> None:
    """Make a grant narrower, as its custodian; what is not named stays as it is."""
    from consentry.cli.frames import parse_time

    named = {"versions": version, "purposes": purpose, "restrictions": restriction, "diseases": disease}
    changes: dict[str, object] = {name: tuple(value) for name, value in named.items() if value is not None}
    if not_after is not None:
        changes["not_after"] = parse_time(not_after)
    with command_context(ctx).connect() as ledger:
        changes["conditions"] = conditions_of(
            ledger.grants.get(grant_id).conditions,
            maximum_uses=maximum_uses,
            persons=person,
            countries=country,
            project_members_only=project_members_only,
            aggregate_output_only=aggregate_output_only,
            publication_not_before=publication_not_before,
            columns=column,
            data_categories=data_category,
        )
        made = ledger.grants.narrow(grant_id, **changes)
    if as_json:
        show_json(made)
        return
    say(f"{made.grant_id} is narrower now (revision {made.revision}).")


@app.command(epilog=examples("consentry --as regulator/officer grants lift-suspension grant-0123…"))
def lift_suspension(ctx: typer.Context, grant_id: GrantId) -> None:
    """Lift a suspension, as the regulator that suspended."""
    with command_context(ctx).connect() as ledger:
        ledger.grants.lift_suspension(grant_id)
    say(f"{grant_id} is suspended no longer.")


@app.command(epilog=examples("consentry --as northgate/dpo grants revoke grant-0123…"))
def revoke(ctx: typer.Context, grant_id: GrantId) -> None:
    """Revoke a grant for good, as its custodian."""
    with command_context(ctx).connect() as ledger:
        ledger.grants.revoke(grant_id)
    say(f"{grant_id} is revoked.")


@app.command(epilog=examples("consentry --as regulator/officer grants suspend grant-0123…"))
def suspend(ctx: typer.Context, grant_id: GrantId) -> None:
    """Suspend a grant, as a regulator; no custodian can lift that."""
    with command_context(ctx).connect() as ledger:
        ledger.grants.suspend(grant_id)
    say(f"{grant_id} is suspended.")


@app.command(epilog=examples("consentry --as northgate/dpo grants show grant-0123… --json"))
def show(ctx: typer.Context, grant_id: GrantId, as_json: AsJson = False) -> None:
    """Show one grant as the ledger has it now."""
    with command_context(ctx).connect() as ledger:
        show_record(ledger.grants.get(grant_id), as_json)


@app.command("list", epilog=examples("consentry --as northgate/dpo grants list --all"))
def list_grants(
    ctx: typer.Context,
    everybody: Annotated[bool, typer.Option("--all", help="Those of all custodians.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the grants that the own organization gave, from the verified index."""
    from consentry.cli.index_access import open_trail

    context = command_context(ctx)
    with open_trail(context) as trail:
        rows = trail.records("grant", owner=None if everybody else context.organization.msp_id)
    if as_json:
        show_json({"items": [row.body for row in rows]})
        return
    show_table(
        ("grant", "custodian", "grantee", "state", "purposes", "until", "endorsed"),
        [
            (
                r.record_id,
                r.owner,
                r.body["grantee"],
                r.state,
                r.body["purposes"],
                r.body["not_after"],
                r.honoured,
            )
            for r in rows
        ],
    )
