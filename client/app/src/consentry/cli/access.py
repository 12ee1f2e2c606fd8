"""``consentry access``: attempt access to data, and see what became of an attempt."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, say, show_json

app = typer.Typer(name="access", no_args_is_help=True, help="Attempts at access and the decisions on them.")


@app.command(
    epilog=examples(
        "consentry --as riverside/researcher access attempt version-0123… --purpose DUO:0000006",
        "consentry --as riverside/researcher access attempt version-0123… --purpose TREAT --no-wait",
        "consentry --as riverside/researcher access attempt version-0123… --purpose TREAT --column radius",
    )
)
def attempt(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of the dataset version.")],
    purpose: Annotated[str, typer.Option(help="Purpose code, e.g. DUO:0000006.")],
    commercial: Annotated[bool, typer.Option("--commercial", help="The use is commercial.")] = False,
    emergency: Annotated[
        str | None,
        typer.Option(help="Break the glass, as a clinician: LIFE_THREATENING, …; a review follows."),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Column that would be used; may be repeated (default: all).")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the custodian's decision.")] = True,
    timeout: Annotated[float, typer.Option(help="Seconds to wait.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Record an attempt at access, and wait for its decision; a denial ends with status 1."""
    from consentry.access import reasons_in_words
    from consentry.errors import AccessDenied

    with command_context(ctx).connect() as ledger:
        identifier = ledger.access.attempt(
            version, purpose=purpose, commercial=commercial, emergency=emergency, columns=column or ()
        )
        decision = ledger.access.wait_for_decision(identifier, timeout) if wait else None
    if as_json:
        show_json({"attempt_id": identifier, "decision": decision})
        if decision is not None and not decision.permits:
            raise typer.Exit(1)
        return
    if decision is None:
        say(f"{identifier} is on record; see `consentry access show {identifier}`.")
        return
    if not decision.permits:
        raise AccessDenied(decision, reasons_in_words(decision))
    say(
        f"{decision.custodian} permitted {identifier} under {decision.grant_id or decision.emergency} "
        f"until {decision.permit_not_after}."
    )


@app.command(epilog=examples("consentry --as riverside/researcher access show attempt-0123…"))
def show(
    ctx: typer.Context,
    attempt_id: Annotated[str, typer.Argument(help="Id of the attempt.")],
    as_json: AsJson = False,
) -> None:
    """Show an attempt and the decision on it, if there is one yet."""
    from consentry.access import reasons_in_words

    with command_context(ctx).connect() as ledger:
        state = ledger.access.get(attempt_id)
    if as_json:
        show_json(
            {
                "attempt": state.attempt.to_dict(),
                "decision": state.decision.to_dict() if state.decision is not None else None,
            }
        )
        return
    made = state.attempt
    say(f"{made.requester} of {made.requester_msp} tried {made.version_id} for {made.purpose}.")
    if state.decision is None:
        say(f"Open: {made.custodian} has not decided.")
    elif state.decision.permits:
        say(f"Permitted under {state.decision.grant_id} until {state.decision.permit_not_after}.")
    else:
        say("Denied: " + "; ".join(reasons_in_words(state.decision)) + ".")
