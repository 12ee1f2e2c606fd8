"""``consentry network export-blocks`` and ``export-sdk-profile``: what other programs read of a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import examples, say


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``consentry network``."""
    shown = ("consentry network export-blocks blocks", "consentry verify --blocks blocks")
    app.command("export-blocks", epilog=examples(*shown))(export_blocks)
    app.command(
        "export-sdk-profile",
        epilog=examples("consentry --as riverside/researcher network export-sdk-profile sdk"),
    )(export_sdk_profile)


def export_blocks(
    ctx: typer.Context,
    target: Annotated[Path, typer.Argument(help="Directory for the files NNNNNN.block.")],
) -> None:
    """Write the ledger's stored blocks to files, for a verification without the network."""
    from consentry.network import export_blocks as export

    count = export(command_context(ctx).directory, target)
    say(f"{count} blocks are in {target}.")


def export_sdk_profile(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Argument(help="New directory for profile, certificate and key.")],
) -> None:
    """Write the connection profile that fabric-sdk-py 1.0.0 needs, with the key of who acts (mode 0600)."""
    from consentry.sdk_profile import export_sdk_profile as export

    context = command_context(ctx)
    path = export(context.profile, context.identity, directory)
    say(f"The profile is {path}; certificate and key are beside it.")
