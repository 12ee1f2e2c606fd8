"""Reports on one subject: only the custodian knows the pseudonym, and no command line ever has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consentry.cli.context import command_context

if TYPE_CHECKING:
    from consentry.reports import Report

SubjectOption = Annotated[
    str | None,
    typer.Option(help="The subject's commitment on the ledger; else the pseudonym is read from input."),
]


def subject_report(ctx: typer.Context, subject: str | None, compose: Callable[..., Any]) -> Report:
    """A report on one subject, from the index and the custodian's own row manifests.

    Args:
        ctx: of the command.
        subject: the commitment; None to ask for the pseudonym.
        compose: makes the report of trail, commitment, ``generated_at`` and ``manifest``.
    """
    from consentry.cli.index_access import open_trail
    from consentry.cli.subjects import commitment_of, own_manifest, read_pseudonym
    from consentry_records.instants import format_instant

    context = command_context(ctx)
    commitment = subject or commitment_of(context, read_pseudonym())
    with open_trail(context) as trail, own_manifest(context) as manifest:
        generated_at = format_instant(datetime.now(UTC))
        report: Report = compose(trail, commitment, generated_at=generated_at, manifest=manifest)
    return report
