"""``consentry report``: reports for subjects, officers and authorities."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import examples, say
from consentry.errors import InputRejected

app = typer.Typer(name="report", no_args_is_help=True, help="Reports from the verified trail.")


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    JSON = "json"


@app.callback()
def reports() -> None:
    """Reports from the verified trail."""


@app.command(
    "subject-access",
    epilog=examples(
        "consentry --as northgate/dpo report subject-access --output report.html < pseudonym.txt",
        "consentry --as northgate/dpo report subject-access --subject hmac-sha256:… --format json",
    ),
)
def subject_access(
    ctx: typer.Context,
    subject: Annotated[
        str | None,
        typer.Option(help="The subject's commitment on the ledger; else the pseudonym is read from input."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.HTML,
    output: Annotated[Path | None, typer.Option(help="File to write; by default standard output.")] = None,
) -> None:
    """Answer one subject's request for access (GDPR Art. 15): every access, recipient and use of the data.

    Without --subject the pseudonym is asked for, or read from standard input.
    """
    from consentry.cli.index_access import open_trail
    from consentry.cli.subjects import commitment_of, own_manifest, read_pseudonym
    from consentry.reports import html, json, subject_access_report
    from consentry_records.instants import format_instant

    context = command_context(ctx)
    commitment = subject or commitment_of(context, read_pseudonym())
    with open_trail(context) as trail, own_manifest(context) as manifest:
        report = subject_access_report(
            trail, commitment, generated_at=format_instant(datetime.now(UTC)), manifest=manifest
        )
    text = html.render(report) if form is Format.HTML else json.render(report)
    if output is None:
        typer.echo(text, nl=False)
        return
    _write(output, text)
    say(f"The report is in {output}; it is complete up to block {report.completeness.last_block}.")


def _write(output: Path, text: str) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.touch(mode=0o600, exist_ok=True)
        output.chmod(0o600)
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputRejected(
            "FILE_NOT_WRITABLE", f"{output} cannot be written ({error.strerror}); name another file."
        ) from error
