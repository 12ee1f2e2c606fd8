"""``consentry report``: reports for subjects, officers and authorities."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import examples
from consentry.cli.report_files import Format, FormatOption, OutputOption, deliver

app = typer.Typer(name="report", no_args_is_help=True, help="Reports from the verified trail.")


@app.callback()
def reports() -> None:
    """Reports from the verified trail."""


@app.command(
    "subject-access",
    epilog=examples(
        "consentry --as northgate/dpo report subject-access --output report.html < pseudonym.txt",
        "consentry --as northgate/dpo report subject-access --format pdf --output report.pdf < pseudonym.txt",
        "consentry --as northgate/dpo report subject-access --subject hmac-sha256:… --format json",
    ),
)
def subject_access(
    ctx: typer.Context,
    subject: Annotated[
        str | None,
        typer.Option(help="The subject's commitment on the ledger; else the pseudonym is read from input."),
    ] = None,
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
) -> None:
    """Answer one subject's request for access (GDPR Art. 15): every access, recipient and use of the data.

    Without --subject the pseudonym is asked for, or read from standard input.
    """
    from consentry.cli.index_access import open_trail
    from consentry.cli.subjects import commitment_of, own_manifest, read_pseudonym
    from consentry.reports import subject_access_report
    from consentry_records.instants import format_instant

    context = command_context(ctx)
    commitment = subject or commitment_of(context, read_pseudonym())
    with open_trail(context) as trail, own_manifest(context) as manifest:
        report = subject_access_report(
            trail, commitment, generated_at=format_instant(datetime.now(UTC)), manifest=manifest
        )
    deliver(report, form, output)
