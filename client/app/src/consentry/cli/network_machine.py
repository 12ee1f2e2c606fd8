"""``consentry network doctor`` and ``install-fabric``: prepare a machine for the Fabric engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.errors import ExitStatus
from consentry.cli.output import AsJson, examples, say, show_json, show_table
from consentry.cli.progress import transferred

_Binaries = Annotated[
    Path | None, typer.Option("--binaries", metavar="DIR", help="Look for Fabric's binaries here first.")
]


def doctor(ctx: typer.Context, binaries: _Binaries = None, as_json: AsJson = False) -> None:
    """Look at what real Fabric needs of this machine, and start nothing; exit status 1 if it cannot run."""
    from consentry.network.machine import examine_machine

    findings, fit = examine_machine(command_context(ctx).directory, binaries)
    if as_json:
        show_json({"fit": fit, "findings": findings})
    else:
        show_table(("what", "state", "found"), [(f.name, str(f.state), f.sentence) for f in findings])
        say("The Fabric engine can run here." if fit else "The Fabric engine cannot run here yet.")
    if not fit:
        raise typer.Exit(ExitStatus.REFUSED)


def install_fabric(
    ctx: typer.Context,
    authority: Annotated[
        bool, typer.Option("--ca", help="Install Fabric CA; needs --archive and --sha256.")
    ] = False,
    archive: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The release archive, for a machine without internet."),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(metavar="HEX", help="The archive's SHA-256 where none is pinned.")
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Download from this directory instead; the digest stays."),
    ] = None,
) -> None:
    """Install the official release of Fabric for this user, its SHA-256 checked before it is unpacked."""
    from consentry.network.machine import install_fabric as install

    if authority and archive is None:
        raise typer.BadParameter(
            "no trustworthy SHA-256 of Fabric CA's archive is known: bring both, with --archive and --sha256"
        )
    with transferred("Fabric CA" if authority else "Fabric") as progress:
        done = install(authority=authority, archive=archive, sha256=sha256, mirror=mirror, progress=progress)
    for binary in done.binaries:
        say(f"{binary.name} {binary.version} is at {binary.path}.")
    if not authority:
        say("Fabric CA is not in this archive; without it our own CA service issues a network's identities.")


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``consentry network``."""
    app.command(
        epilog=examples(
            "consentry network doctor", "consentry network doctor --binaries /opt/fabric/bin --json"
        )
    )(doctor)
    app.command(
        "install-fabric",
        epilog=examples(
            "consentry network install-fabric",
            "consentry network install-fabric --archive hyperledger-fabric-linux-amd64-3.1.5.tar.gz",
            "consentry network install-fabric --ca --archive hyperledger-fabric-ca-linux-amd64-1.5.21.tar.gz"
            " \\",
            "  --sha256 0123…",
        ),
    )(install_fabric)
