"""``consentry data``: rows of other members' datasets, from their custodians' gates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, say, show_json, show_table
from consentry.cli.progress import counted

app = typer.Typer(name="data", no_args_is_help=True, help="Rows of other members' datasets.")


@app.command(
    "open",
    epilog=examples(
        "consentry --as riverside/researcher data open version-0123… --purpose TREAT --to rows.parquet",
        "consentry --as riverside/researcher data open version-0123… --purpose DUO:0000006 \\",
        "    --to rows.parquet --column radius --column texture",
    ),
)
def open_rows(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of the dataset version.")],
    purpose: Annotated[str, typer.Option(help="Purpose code, e.g. DUO:0000006.")],
    to: Annotated[Path, typer.Option(help="Parquet file to write.")],
    commercial: Annotated[bool, typer.Option("--commercial", help="The use is commercial.")] = False,
    column: Annotated[
        list[str] | None, typer.Option(help="Column that is wanted; may be repeated (default: all).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Attempt access, and write the rows that the custodian's gate lets out; a denial ends with status 1.

    Each row is checked against the root that the ledger has before it is written; a broken connection is
    taken up again where it was, under the same permit.
    """
    with (
        command_context(ctx).connect() as ledger,
        counted("receiving rows", None) as progress,
        ledger.data.open(
            version, purpose=purpose, commercial=commercial, columns=column, progress=progress
        ) as stream,
    ):
        rows = stream.to_parquet(to)
    left_out = stream.version.row_count - rows
    if as_json:
        deliveries = [delivery.to_dict() for delivery in stream.deliveries]
        show_json(
            {"attempt_id": stream.attempt_id, "rows": rows, "left_out": left_out, "deliveries": deliveries}
        )
        return
    say(f"{rows} rows of {version} are in {to}, each proved; {left_out} were left out for lack of consent.")


@app.command(
    epilog=examples("consentry --as riverside/researcher data aggregates version-0123… --purpose DUO:0000006")
)
def aggregates(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of the dataset version.")],
    purpose: Annotated[str, typer.Option(help="Purpose code, e.g. DUO:0000006.")],
    commercial: Annotated[bool, typer.Option("--commercial", help="The use is commercial.")] = False,
    column: Annotated[
        list[str] | None, typer.Option(help="Column that they are of; may be repeated (default: all).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Attempt access, and show the version's frozen aggregates; a denial ends with status 1."""
    with command_context(ctx).connect() as ledger:
        result = ledger.data.aggregates(version, purpose=purpose, commercial=commercial, columns=column or ())
    if as_json:
        show_json(result)
        return
    by, functions = result["grouping"]["by"], result["functions"]
    show_table(
        (*by, "rows", "column", *functions),
        [
            (*group["key"], group["rows"], name, *(f"{column[function]:g}" for function in functions))
            for group in result["groups"]
            for name, column in group["columns"].items()
        ],
    )
    left_out = result["suppressed_groups"]
    say(f"Frozen at {result['frozen_at']}; {left_out} groups of too few subjects are left out.")
