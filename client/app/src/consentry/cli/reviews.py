"""``consentry reviews``: review requests for access, and emergency accesses afterwards."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, say, show_json, show_record, show_table

app = typer.Typer(name="reviews", no_args_is_help=True, help="Reviews of requests and of emergency accesses.")

RequestId = Annotated[str, typer.Argument(help="Id of the request.")]


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo reviews record request-0123… approve --reason PURPOSE_FITS \\",
        '    --rationale "The cohort is small enough; see the minutes of 3 March."',
    )
)
def record(
    ctx: typer.Context,
    request_id: RequestId,
    recommendation: Annotated[str, typer.Argument(help="approve, reject or abstain.")],
    reason: Annotated[list[str], typer.Option("--reason", help="Reason code; may be repeated.")],
    rationale: Annotated[
        str | None, typer.Option(help="Words; kept in the own organization's private collection.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Review a request for data of the own organization."""
    with command_context(ctx).connect() as ledger:
        made = ledger.reviews.record(request_id, recommendation, reasons=reason, rationale=rationale)
    if as_json:
        show_json(made)
        return
    say(f"The review of {request_id} is on record: {made.recommendation}.")


@app.command("list", epilog=examples("consentry --as northgate/steward reviews list request-0123…"))
def list_reviews(ctx: typer.Context, request_id: RequestId, as_json: AsJson = False) -> None:
    """List the reviews of a request, of all custodians."""
    with command_context(ctx).connect() as ledger:
        found = ledger.reviews.list(request_id)
    if as_json:
        show_json({"items": [review.to_dict() for review in found]})
        return
    show_table(
        ("custodian", "reviewer", "roles", "recommendation", "reasons", "terms say", "at"),
        [
            (
                r.custodian,
                r.reviewer,
                list(r.roles),
                r.recommendation,
                list(r.reasons),
                r.match,
                r.reviewed_at,
            )
            for r in found
        ],
    )


@app.command(epilog=examples("consentry --as northgate/steward reviews match request-0123…"))
def match(ctx: typer.Context, request_id: RequestId, as_json: AsJson = False) -> None:
    """Show what the datasets' DUO terms say to a request: yes, no, or for a person to decide."""
    from consentry_records.reasons import words

    with command_context(ctx).connect() as ledger:
        found = ledger.reviews.match(request_id)
    if as_json:
        items = [
            {
                "version_id": one.version_id,
                "outcome": one.outcome,
                "reasons": [r.to_dict() for r in one.reasons],
            }
            for one in found
        ]
        show_json({"items": items})
        return
    show_table(
        ("dataset version", "answer", "why"),
        [(one.version_id, one.outcome, "; ".join(words(reason) for reason in one.reasons)) for one in found],
    )


@app.command(epilog=examples("consentry --as northgate/dpo reviews rationale request-0123… u-4f2a…"))
def rationale(
    ctx: typer.Context,
    request_id: RequestId,
    reviewer: Annotated[str, typer.Argument(help="Enrolment id of the reviewer.")],
) -> None:
    """Show a colleague's rationale from the own organization's private collection."""
    with command_context(ctx).connect() as ledger:
        say(ledger.reviews.rationale(request_id, reviewer))


@app.command(epilog=examples("consentry --as northgate/dpo reviews policy --approvals 2 --role ethics"))
def policy(
    ctx: typer.Context,
    approvals: Annotated[int, typer.Option(help="How many approving reviews a grant needs.")],
    role: Annotated[
        list[str] | None, typer.Option("--role", help="Role that one of them has; may be repeated.")
    ] = None,
) -> None:
    """Say what reviews the own organization demands before it grants."""
    with command_context(ctx).connect() as ledger:
        ledger.reviews.set_policy(approvals=approvals, required_roles=role or ())
    say(f"A grant needs {approvals} approving reviews now.")


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo reviews emergencies",
        "consentry --as regulator/officer reviews emergencies --custodian NorthgateMSP",
    )
)
def emergencies(
    ctx: typer.Context,
    custodian: Annotated[
        list[str] | None, typer.Option(help="MSP id; may be repeated (default: the own organization).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List emergency accesses whose review is owed; overdue ones say so."""
    with command_context(ctx).connect() as ledger:
        found = ledger.reviews.open_emergencies(custodian or ())
    if as_json:
        show_json({"items": [{**one.access.to_dict(), "overdue": one.overdue} for one in found]})
        return
    show_table(
        ("attempt", "requester", "of", "reason", "review due", ""),
        [
            (
                one.access.attempt_id,
                one.access.requester,
                one.access.requester_msp,
                one.access.reason,
                one.access.review_due,
                "overdue" if one.overdue else "",
            )
            for one in found
        ],
    )


@app.command(
    "emergency",
    epilog=examples(
        "consentry --as northgate/dpo reviews emergency attempt-0123… --justified \\",
        "    --finding EMERGENCY_CONFIRMED",
    ),
)
def review_emergency(
    ctx: typer.Context,
    attempt_id: Annotated[str, typer.Argument(help="Id of the access attempt.")],
    justified: Annotated[bool, typer.Option("--justified/--unjustified", help="What the review found.")],
    finding: Annotated[list[str], typer.Option("--finding", help="Finding code; may be repeated.")],
) -> None:
    """Record what the review of an emergency access found."""
    with command_context(ctx).connect() as ledger:
        ledger.reviews.review_emergency(attempt_id, justified=justified, findings=finding)
    say(f"The review of {attempt_id} is on record.")


@app.command(
    "show-request", epilog=examples("consentry --as northgate/steward reviews show-request request-0123…")
)
def show_request(ctx: typer.Context, request_id: RequestId, as_json: AsJson = False) -> None:
    """Show a request as the ledger has it."""
    with command_context(ctx).connect() as ledger:
        show_record(ledger.grants.get_request(request_id), as_json)
