"""``consentry gate``: what a custodian's data gate holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.output import AsJson, examples, say, show_json, show_table
from consentry.cli.progress import counted

if TYPE_CHECKING:
    from consentry.gate.store import GateStore

app = typer.Typer(name="gate", no_args_is_help=True, help="The data gate: rows leave under a permit only.")
StorageUrl = Annotated[
    str | None,
    typer.Option("--storage", metavar="URL", help="Folder or fsspec URL (default: DIR/gates/ORG)."),
]


@app.command(
    epilog=examples(
        "consentry --as northgate/steward gate put version-0123… rows.parquet",
        "consentry --as northgate/steward gate put version-0123… rows.csv --storage s3://bucket/gate",
    )
)
def put(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of a dataset version of the own organization.")],
    files: Annotated[list[Path], typer.Argument(help="The files that were registered, in their order.")],
    subject_column: Annotated[str, typer.Option(help="Column with the pseudonyms.")] = "pseudonym",
    storage: StorageUrl = None,
    as_json: AsJson = False,
) -> None:
    """Check a version's rows against the ledger and keep them encrypted, without the pseudonyms."""
    from consentry.data_files import read_frames

    context = command_context(ctx)
    with context.connect() as ledger, counted("storing rows", None) as progress:
        frames = (frame for path in files for frame in read_frames(path, subject_column))
        registered = ledger.datasets.get(version)
        _store(context, storage).put(
            registered,
            frames,
            ledger.datasets.registered_rows(version),
            ledger.datasets.secret(registered.name).secret,
            subject_column=subject_column,
            progress=progress,
        )
    if as_json:
        show_json({"version_id": version, "rows": registered.row_count})
        return
    say(f"{registered.row_count} rows of {version} are in the gate, encrypted.")


@app.command("list", epilog=examples("consentry --as northgate/steward gate list"))
def list_held(ctx: typer.Context, storage: StorageUrl = None, as_json: AsJson = False) -> None:
    """List the versions that the gate holds."""
    store = _store(command_context(ctx), storage)
    held = [(version, store.open(version).index) for version in store.held()]
    if as_json:
        items = [{"version_id": v, "rows": i.rows, "bytes": sum(i.lengths)} for v, i in held]
        show_json({"items": items})
        return
    show_table(("version", "rows", "bytes"), [(v, i.rows, sum(i.lengths)) for v, i in held])


@app.command(epilog=examples("consentry --as northgate/steward gate rotate"))
def rotate(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Draw a new custodian's key, put every version's key under it, and destroy the old one."""
    count = _store(command_context(ctx), None).keyring.rotate()
    if as_json:
        show_json({"versions": count})
        return
    say(f"The keys of {count} versions are under a new custodian's key; the old one is destroyed.")


@app.command(epilog=examples("consentry --as northgate/steward gate erase version-0123… --yes"))
def erase(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of the dataset version.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    storage: StorageUrl = None,
    as_json: AsJson = False,
) -> None:
    """Destroy a version's key, so that no copy of its rows can be read again, and remove the rows."""
    from consentry.errors import InputRejected

    if not yes:
        typer.confirm(f"Destroy the key of {version}? Copies in backups become unreadable too", abort=True)
    was_held = _store(command_context(ctx), storage).erase(version)
    if not was_held:
        raise InputRejected("VERSION_NOT_HELD", f"the gate holds no rows of {version}")
    if as_json:
        show_json({"version_id": version, "erased": True})
        return
    say(f"{version} is erased.")


def _store(context: CommandContext, storage: str | None) -> GateStore:
    from consentry.gate.places import GatePlaces

    return GatePlaces.of(context.profile, context.organization.name, storage).store()
