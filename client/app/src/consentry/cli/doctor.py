"""``consentry doctor``: whether network, identity, peer and outbox are in order."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, show_json, show_table


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=examples("consentry doctor", "consentry --as riverside/researcher doctor --json"))(
        doctor
    )


def doctor(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Examine the network's files, who acts, the peer and the clock; ends with status 1 if a check failed.

    `consentry network doctor` examines the machine instead.
    """
    from consentry.doctor import FAILED, examine

    context = command_context(ctx)
    findings = list(examine(context.directory, context.who, datetime.now(UTC), os.environ))
    if as_json:
        show_json({"items": findings})
    else:
        show_table(("check", "state", "detail"), [(f.check, f.state, f.detail) for f in findings])
    if any(finding.state == FAILED for finding in findings):
        raise typer.Exit(1)
