"""``consentry gate``: what a custodian's data gate holds."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.output import AsJson, examples, note, say, show_json, show_table
from consentry.cli.progress import counted

if TYPE_CHECKING:
    from consentry.gate.store import GateStore
    from consentry.ledger import Ledger

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


@app.command(
    epilog=examples(
        "consentry --as northgate/service gate serve",
        "consentry --as northgate/service gate serve --host 0.0.0.0 --port 7443 \\",
        "    --url https://gate.example.org:7443 --certificate gate.pem --key gate.key --roots ca.pem",
        "consentry --as northgate/service gate serve --client-certificates members.pem",
    )
)
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 0,
    url: Annotated[
        str | None, typer.Option(help="How members reach it (default: https://HOST:PORT).")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="TLS certificate (default: one made for trials).")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Key of the TLS certificate.")] = None,
    roots: Annotated[Path | None, typer.Option(help="Roots of it, which members get.")] = None,
    client_certificates: Annotated[
        Path | None,
        typer.Option(
            help="Roots of the TLS certificates that clients have to show (default: they show none)."
        ),
    ] = None,
    storage: StorageUrl = None,
    function_seconds: Annotated[float, typer.Option(help="How long a function may run.")] = 600.0,
    function_memory: Annotated[int, typer.Option(help="MiB of memory that a function may have.")] = 4096,
    function_python: Annotated[
        str | None, typer.Option(help="Python that functions run in (default: the gate's own).")
    ] = None,
    function_wait: Annotated[
        float, typer.Option(help="Seconds that a function goes on after its caller's connection broke off.")
    ] = 300.0,
) -> None:
    """Serve the own organization's data under permits until stopped (SIGTERM or Ctrl-C).

    The address is written to DIR/gates/ORG.json; other members need that file. What an earlier run had given
    out and not recorded is recorded first. Functions that come to the data run in a sandbox (bubblewrap);
    where a hostile one finds a way out of it, none is run.
    """
    from consentry.errors import InputRejected

    given = [path for path in (certificate, key, roots) if path is not None]
    if len(given) not in (0, 3):
        raise InputRejected("OPTIONS_INCOMPLETE", "give --certificate, --key and --roots together")
    if client_certificates is not None:
        from consentry.gate.client_certificates import check_roots

        check_roots(client_certificates)
    context = command_context(ctx)
    functions = (function_seconds, function_memory, function_python, function_wait)
    with context.connect() as ledger:
        _serve(context, ledger, host, port, url, given, client_certificates, storage, functions)


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


@app.command(
    epilog=examples(
        "consentry --as northgate/steward gate freeze version-0123… --by grade --value radius \\",
        "    --minimum 10 --purpose DUO:0000006 --recipient RiversideMSP",
    )
)
def freeze(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of a dataset version that the gate holds.")],
    by: Annotated[list[str], typer.Option(help="Column whose values make the groups; may be repeated.")],
    purpose: Annotated[str, typer.Option(help="Purpose code that it is for, e.g. DUO:0000006.")],
    recipient: Annotated[list[str], typer.Option(help="MSP id that it is for; may be repeated.")],
    value: Annotated[list[str] | None, typer.Option(help="Column of numbers; may be repeated.")] = None,
    minimum: Annotated[int, typer.Option(help="Subjects that a group needs to be shown.")] = 10,
    commercial: Annotated[bool, typer.Option("--commercial", help="The use is commercial.")] = False,
    storage: StorageUrl = None,
    as_json: AsJson = False,
) -> None:
    """Compute a version's aggregates, once and for good: what grants for aggregates only give.

    Rows of subjects who do not consent now to this use by every recipient are left out.
    """
    from consentry.gate.aggregates import Grouping
    from consentry.gate.freezing import freeze_aggregates

    context = command_context(ctx)
    grouping = Grouping(
        by=tuple(by),
        values=tuple(value or ()),
        minimum=minimum,
        purpose=purpose,
        commercial=commercial,
        recipients=tuple(recipient),
    )
    with context.connect() as ledger:
        result = freeze_aggregates(ledger, _store(context, storage), version, grouping)
    if as_json:
        show_json(result)
        return
    say(
        f"{len(result['groups'])} groups of {version} are frozen; {result['suppressed_groups']} are left out."
    )


@app.command(
    epilog=examples(
        "consentry --as northgate/steward gate approve train.py --owner RiversideMSP \\",
        "    --version version-0123… --purpose DUO:0000006 --duration 30d",
    )
)
def approve(
    ctx: typer.Context,
    function: Annotated[Path, typer.Argument(help="The function's source, which you have read.")],
    owner: Annotated[str, typer.Option(help="MSP id of the organization that registered it.")],
    version: Annotated[list[str], typer.Option(help="Dataset version that it may run on; repeat it.")],
    purpose: Annotated[list[str], typer.Option(help="Purpose code, e.g. DUO:0000006; may be repeated.")],
    duration: Annotated[str, typer.Option(help="How long it holds, e.g. 30d.")],
    as_json: AsJson = False,
) -> None:
    """Approve a function for versions of the own organization; what it declares to give out will leave.

    Another file than the registered one has another digest, and is not approved with it.
    """
    from consentry.cli.frames import parse_duration

    length = parse_duration(duration)
    with command_context(ctx).connect() as ledger:
        # Approving waits until the own peer knows the function.
        made = ledger.functions.approve(
            function, owner=owner, versions=version, purposes=purpose, duration=length
        )
        found = ledger.functions.get(function, owner=owner)
    if as_json:
        show_json({"function": found.function.to_dict(), "approval": made.to_dict()})
        return
    show_table(
        ("output", "kind", "at most bytes"),
        [(output.name, output.kind, output.maximum_bytes) for output in found.function.outputs],
    )
    say(f"{made.code_digest} of {owner} is approved until {made.not_after}; the above will leave.")


@app.command(epilog=examples("consentry --as northgate/steward gate revoke train.py --owner RiversideMSP"))
def revoke(
    ctx: typer.Context,
    function: Annotated[str, typer.Argument(help="The function's source file, or its digest (sha256:…).")],
    owner: Annotated[str, typer.Option(help="MSP id of the organization that registered it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke the own organization's approval of a function; runs of it are stopped within seconds."""
    with command_context(ctx).connect() as ledger:
        ledger.functions.revoke(function, owner=owner)
    if as_json:
        show_json({"function": function, "owner": owner, "revoked": True})
        return
    say(f"The approval of {function} of {owner} is revoked.")


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


def _serve(
    context: CommandContext,
    ledger: Ledger,
    host: str,
    port: int,
    url: str | None,
    given: list[Path],
    client_roots: Path | None,
    storage: str | None,
    functions: tuple[float, int, str | None, float],
) -> None:
    from consentry.gate.address import GateAddress
    from consentry.gate.compute.isolation import Isolation
    from consentry.gate.compute.sandbox import Limits
    from consentry.gate.places import GatePlaces
    from consentry.gate.service import Gate
    from consentry.gate.serving import serve, use_plain_memory
    from consentry.https_serving import Certificate, self_signed
    from fabric_gateway import utc_clock

    places = GatePlaces.of(context.profile, context.organization.name, storage)
    seconds, memory, python, wait = functions
    limits = Limits(seconds=seconds, cpu_seconds=max(1, 2 * int(seconds)), memory_bytes=memory << 20)
    isolation = Isolation(limits, python=python, hidden=[places.custody])
    gate = Gate(ledger, places, utc_clock, isolation=isolation, wait_seconds=wait)
    tls = Certificate(*given) if given else self_signed(places.custody, host, "consentry gate")

    def announce(actual: int) -> None:
        reached = url or f"https://{f'[{host}]' if ':' in host else host}:{actual}"
        address = GateAddress(reached, tls.roots.read_text(encoding="ascii"))
        path = address.write(context.profile, context.organization.name)
        note(f"serving data of {gate.custodian} at {reached}; members need {path}")
        # Proving it takes a second or two, which rows need not wait for.
        Thread(target=lambda: note(isolation.in_words()), daemon=True).start()

    use_plain_memory()
    gate.start()
    try:
        serve(gate, host, port, tls, announce, client_roots)
    finally:
        gate.close()


def _store(context: CommandContext, storage: str | None) -> GateStore:
    from consentry.gate.places import GatePlaces

    return GatePlaces.of(context.profile, context.organization.name, storage).store()
