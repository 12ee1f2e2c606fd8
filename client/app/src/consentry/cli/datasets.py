"""``consentry datasets``: register dataset versions and look them up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, say, show_json, show_record, show_table

app = typer.Typer(name="datasets", no_args_is_help=True, help="Datasets and their versions.")


@app.command(
    epilog=examples(
        "consentry --as northgate/steward datasets register rows.csv --name biopsies \\",
        "    --category diagnosis --legal-basis GDPR-9-2-a --duo DUO:0000042",
    )
)
def register(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV file of rows, one column naming the subject.")],
    name: Annotated[str, typer.Option(help="Name of the dataset; a known name gets its next version.")],
    category: Annotated[list[str], typer.Option(help="Category of data; may be repeated.")],
    legal_basis: Annotated[list[str], typer.Option(help="Legal basis, e.g. GDPR-9-2-a; may be repeated.")],
    duo: Annotated[list[str] | None, typer.Option(help="DUO term of use; may be repeated.")] = None,
    derived_from: Annotated[list[str] | None, typer.Option(help="Version that it was made of.")] = None,
    transformation_digest: Annotated[
        str | None, typer.Option(help="sha256:… of the code that made it.")
    ] = None,
    subject_column: Annotated[str, typer.Option(help="Column with the pseudonyms.")] = "pseudonym",
    as_json: AsJson = False,
) -> None:
    """Register a file's rows as a dataset version; only digests go to the ledger."""
    from consentry.cli.frames import read_rows

    frame = read_rows(file, subject_column)
    with command_context(ctx).connect() as ledger:
        version = ledger.datasets.register_frame(
            frame,
            name=name,
            categories=category,
            legal_bases=legal_basis,
            duo_terms=duo or (),
            derived_from=derived_from or (),
            transformation_digest=transformation_digest,
            subject_column=subject_column,
        )
    if as_json:
        show_json(version)
        return
    say(f"{version.version_id} is version {version.number} of {version.name} with {version.row_count} rows.")


@app.command(epilog=examples("consentry --as riverside/researcher datasets show version-0123…"))
def show(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of the dataset version.")],
    as_json: AsJson = False,
) -> None:
    """Show one dataset version."""
    with command_context(ctx).connect() as ledger:
        show_record(ledger.datasets.get(version), as_json)


@app.command("list", epilog=examples("consentry --as riverside/researcher datasets list"))
def list_versions(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List all dataset versions from the verified index."""
    from consentry.cli.index_access import open_trail

    with open_trail(command_context(ctx)) as trail:
        rows = trail.records("version")
    if as_json:
        show_json({"items": [row.body for row in rows]})
        return
    show_table(
        ("version", "dataset", "number", "custodian", "rows", "endorsed"),
        [
            (r.record_id, r.body["name"], r.body["number"], r.owner, r.body["row_count"], r.honoured)
            for r in rows
        ],
    )
