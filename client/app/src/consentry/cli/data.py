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
    epilog=examples(
        "consentry --as riverside/researcher data register-function train.py \\",
        "    --output update=arrays:1048576 --output metrics=metrics:4096",
    )
)
def register_function(
    ctx: typer.Context,
    function: Annotated[Path, typer.Argument(help="Python file with `train(frame, parameters)`.")],
    output: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=KIND:BYTES", help="Output: kind arrays or metrics, most bytes; repeat it."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Register a function by its digest, with all that it gives out; custodians read its source."""
    with command_context(ctx).connect() as ledger:
        made = ledger.functions.register(function, outputs=dict(map(_declared, output)))
        owner = ledger.identity.msp_id
    if as_json:
        show_json(made)
        return
    say(
        f"{made.code_digest} of {owner} is registered; custodians approve it with "
        f"`consentry gate approve {function.name} --owner {owner}`."
    )


@app.command(
    epilog=examples(
        "consentry --as riverside/researcher data approvals train.py",
        "consentry --as northgate/steward data approvals train.py --owner RiversideMSP",
    )
)
def approvals(
    ctx: typer.Context,
    function: Annotated[str, typer.Argument(help="The function's source file, or its digest (sha256:…).")],
    owner: Annotated[str | None, typer.Option(help="MSP id of its owner (default: the own).")] = None,
    as_json: AsJson = False,
) -> None:
    """Show which custodians approve a registered function, for what, and until when."""
    with command_context(ctx).connect() as ledger:
        found = ledger.functions.get(function, owner=owner)
    if as_json:
        show_json({"function": found.function.to_dict(), "items": [one.to_dict() for one in found.approvals]})
        return
    show_table(
        ("custodian", "state", "versions", "purposes", "until"),
        [
            (one.custodian, one.state, " ".join(one.versions), " ".join(one.purposes), one.not_after)
            for one in found.approvals
        ],
    )


@app.command(
    epilog=examples(
        "consentry --as riverside/researcher data compute version-0123… train.py \\",
        "    --purpose DUO:0000006 --parameters parameters.json --to outputs",
    )
)
def compute(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of the dataset version.")],
    function: Annotated[Path, typer.Argument(help="Registered Python file with `train(frame, parameters)`.")],
    purpose: Annotated[str, typer.Option(help="Purpose code, e.g. DUO:0000006.")],
    to: Annotated[Path, typer.Option(help="Directory for the outputs: NAME.npz and NAME.json.")],
    parameters: Annotated[
        Path | None, typer.Option(help="JSON file with an object for the function.")
    ] = None,
    session: Annotated[str | None, typer.Option(help="Training session that it is for.")] = None,
    commercial: Annotated[bool, typer.Option("--commercial", help="The use is commercial.")] = False,
    column: Annotated[
        list[str] | None, typer.Option(help="Column that it gets; may be repeated (default: all).")
    ] = None,
    attempt: Annotated[
        str | None, typer.Option(help="Attempt of an earlier, equal call: fetch what its run gave.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have a function run beside the data, and keep its outputs; a denial ends with status 1.

    It runs in a sandbox at the custodian, on the rows whose subjects consent; rows do not leave. What it
    gives is checked against the digests that the ledger has. Until the permit ends the outputs can be fetched
    again, with the id of the attempt.
    """
    from consentry.cli.computed import write_outputs
    from consentry.cli.json_files import read_json_object

    given = read_json_object(parameters, "--parameters") if parameters is not None else {}
    with command_context(ctx).connect() as ledger, counted("giving rows to the function", None) as progress:
        result = ledger.data.compute(
            version,
            function=function,
            purpose=purpose,
            parameters=given,
            commercial=commercial,
            columns=column or (),
            session_id=session,
            attempt_id=attempt,
            progress=progress,
        )
    written = write_outputs(result.outputs, to)
    rows = result.delivery.row_count
    if as_json:
        files = [str(path) for path in written]
        show_json({"attempt_id": result.attempt_id, "delivery": result.delivery.to_dict(), "files": files})
        return
    say(f"The function ran on {rows} rows of {version}; its outputs are {', '.join(map(str, written))}.")


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


def _declared(text: str) -> tuple[str, tuple[str, int]]:
    name, _, rest = text.partition("=")
    kind, _, most = rest.partition(":")
    if not name or not kind or not most.isascii() or not most.isdigit():
        raise typer.BadParameter(f"{text}: expected NAME=KIND:BYTES, such as update=arrays:1048576")
    return name, (kind, int(most))
