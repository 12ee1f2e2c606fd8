"""Further commands of ``consentry consents``: renew, narrow, find in error, opt out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.consents import app
from consentry.cli.context import command_context
from consentry.cli.output import examples, say

if TYPE_CHECKING:
    from consentry.consent_changes import Declaration

Consents = Annotated[list[str], typer.Argument(help="Ids of consents of the own organization.")]
Method = Annotated[str | None, typer.Option(help="How it was declared; kept in the own collection.")]
DeclaredBy = Annotated[str, typer.Option(help="Who declared it: subject, guardian or proxy.")]
Mandate = Annotated[str | None, typer.Option(help="sha256:… of a guardian's or proxy's mandate.")]
ClaimedAt = Annotated[str | None, typer.Option(help="When it was declared, if earlier than now.")]


@app.command(
    epilog=examples(
        "consentry --as northgate/steward consents renew consent-0123… --until 2031-01-01T00:00:00Z"
    )
)
def renew(
    ctx: typer.Context,
    consents: Consents,
    until: Annotated[str, typer.Option(help="The later end, e.g. 2031-01-01T00:00:00Z.")],
    notice_digest: Annotated[str | None, typer.Option(help="sha256:… of a newer notice.")] = None,
    method: Method = None,
    declared_by: DeclaredBy = "subject",
    mandate_digest: Mandate = None,
    claimed_at: ClaimedAt = None,
) -> None:
    """Let consents in force end later."""
    declaration = _declaration(method, declared_by, mandate_digest, claimed_at)
    with command_context(ctx).connect() as ledger:
        ledger.consents.renew(
            consents, not_after=_instant(until), notice_digest=notice_digest, declaration=declaration
        )
    say(f"{len(consents)} consents are renewed until {until}.")


@app.command(
    epilog=examples("consentry --as northgate/steward consents narrow consent-0123… --purpose TREAT")
)
def narrow(
    ctx: typer.Context,
    consents: Consents,
    purpose: Annotated[list[str] | None, typer.Option(help="Purpose that stays; may be repeated.")] = None,
    category: Annotated[list[str] | None, typer.Option(help="Category that stays.")] = None,
    recipient: Annotated[list[str] | None, typer.Option(help="Recipient that stays.")] = None,
    restriction: Annotated[list[str] | None, typer.Option(help="Restriction, old or new.")] = None,
    until: Annotated[str | None, typer.Option(help="An earlier end.")] = None,
    method: Method = None,
    declared_by: DeclaredBy = "subject",
    mandate_digest: Mandate = None,
    claimed_at: ClaimedAt = None,
) -> None:
    """Let consents allow less; what is not named stays as it is."""
    named = {
        "purposes": purpose,
        "categories": category,
        "recipients": recipient,
        "restrictions": restriction,
    }
    changes: dict[str, object] = {name: tuple(values) for name, values in named.items() if values}
    if until is not None:
        changes["not_after"] = _instant(until)
    declaration = _declaration(method, declared_by, mandate_digest, claimed_at)
    with command_context(ctx).connect() as ledger:
        ledger.consents.narrow(consents, declaration=declaration, **changes)
    say(f"{len(consents)} consents are narrowed.")


@app.command(
    "enter-in-error", epilog=examples("consentry --as northgate/dpo consents enter-in-error consent-0123…")
)
def enter_in_error(ctx: typer.Context, consents: Consents) -> None:
    """Mark consents as never given; they permit nothing and stay on record."""
    with command_context(ctx).connect() as ledger:
        ledger.consents.enter_in_error(consents)
    say(f"{len(consents)} consents are entered in error.")


@app.command(
    "withdraw-many",
    epilog=examples("consentry --as northgate/dpo consents withdraw-many consent-0123… consent-4567…"),
)
def withdraw_many(
    ctx: typer.Context,
    consents: Consents,
    method: Method = None,
    declared_by: DeclaredBy = "subject",
    mandate_digest: Mandate = None,
    claimed_at: ClaimedAt = None,
) -> None:
    """Withdraw many consents at once, with how that was declared."""
    declaration = _declaration(method, declared_by, mandate_digest, claimed_at)
    with command_context(ctx).connect() as ledger:
        ledger.consents.withdraw_many(consents, declaration)
    say(f"{len(consents)} consents are withdrawn.")


@app.command("opt-out", epilog=examples("consentry --as northgate/dpo consents opt-out < pseudonyms.txt"))
def opt_out(
    ctx: typer.Context,
    back: Annotated[bool, typer.Option("--back", help="They opt in again.")] = False,
    claimed_at: ClaimedAt = None,
) -> None:
    """Record who opts out of secondary use (EHDS Art. 71); pseudonyms are read from input, one a line."""
    pseudonyms = [line.strip() for line in sys.stdin if line.strip()]
    claimed = _instant(claimed_at) if claimed_at is not None else None
    with command_context(ctx).connect() as ledger:
        count = ledger.consents.opt_out(pseudonyms, opted_out=not back, claimed_at=claimed)
    say(f"{count} people opted {'in again' if back else 'out'}.")


def _instant(text: str) -> str:
    from consentry.cli.frames import parse_time
    from consentry_records.instants import format_instant

    return format_instant(parse_time(text))


def _declaration(
    method: str | None, declared_by: str, mandate_digest: str | None, claimed_at: str | None
) -> Declaration | None:
    from consentry.consent_changes import Declaration

    if method is None and claimed_at is None and mandate_digest is None:
        return None
    return Declaration(
        method=method or "not said",
        declared_by=declared_by,
        mandate_digest=mandate_digest,
        claimed_at=_instant(claimed_at) if claimed_at is not None else None,
    )
