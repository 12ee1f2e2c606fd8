"""Writing a report where and how it was asked for."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import say
from consentry.cli.trail_recording import record_report
from consentry.errors import InputRejected

if TYPE_CHECKING:
    from consentry.reports import Report


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    PDF = "pdf"
    CSV = "csv"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How to write it.")]
ProofsOption = Annotated[
    bool,
    typer.Option(
        "--proofs",
        help="With --format json: carry the blocks and the peers' statements, so that `consentry verify` "
        "needs no network.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(help="File to write (CSV: directory); by default HTML and JSON go to standard output."),
]


def deliver(ctx: typer.Context, report: Report, form: Format, output: Path | None) -> None:
    """Put a report on the ledger as read, then write it to a file, or to standard output.

    Raises:
        InputRejected: OUTPUT_MISSING for a format that needs a file, FILE_NOT_WRITABLE, FORMAT_UNAVAILABLE;
            READER_MISSING.
    """
    files = _recorded(ctx, report, form, output)
    if output is None:
        typer.echo(files[""].decode(), nl=False)
        return
    write_files(output, files)
    say(f"The report is in {output}; it is complete up to block {report.completeness.last_block}.")


def _recorded(ctx: typer.Context, report: Report, form: Format, output: Path | None) -> dict[str, bytes]:
    """The report's files, once it is on record that they were made."""
    if output is None and form not in (Format.HTML, Format.JSON):
        raise InputRejected("OUTPUT_MISSING", f"Say where the {form.upper()} goes with --output.")
    files = rendered(report, form)
    # Several files have one digest: that of their bytes, one after the other, in the order of their names.
    data = b"".join(files[name] for name in sorted(files))
    record_report(command_context(ctx), report, data)
    return files


def rendered(report: Report, form: Format) -> dict[str, bytes]:
    """The report's files by name; the only one has none."""
    from consentry.reports import csv, html, json, pdf

    match form:
        case Format.HTML:
            return {"": html.render(report).encode()}
        case Format.PDF:
            return {"": pdf.render(report)}
        case Format.JSON:
            return {"": json.render(report).encode()}
    return {name: text.encode() for name, text in csv.render(report).items()}


def write_files(output: Path, files: dict[str, bytes]) -> None:
    """Write a report's files for their owner's eyes only.

    Raises:
        InputRejected: FILE_NOT_WRITABLE.
    """
    try:
        for name, data in files.items():
            path = output / name if name else output
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
            path.chmod(0o600)
            path.write_bytes(data)
    except OSError as error:
        raise InputRejected(
            "FILE_NOT_WRITABLE", f"{output} cannot be written ({error.strerror}); name another file."
        ) from error
