"""``consentry network export-sdk-profile``: a network as fabric-sdk-py 1.0.0 wants it described."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import examples, say


def add_to(app: typer.Typer) -> None:
    """Add the command to ``consentry network``."""
    app.command(
        "export-sdk-profile",
        epilog=examples("consentry --as riverside/researcher network export-sdk-profile sdk"),
    )(export_sdk_profile)


def export_sdk_profile(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Argument(help="New directory for profile, certificate and key.")],
) -> None:
    """Write the connection profile that fabric-sdk-py 1.0.0 needs, with the key of who acts (mode 0600)."""
    from consentry.sdk_profile import export_sdk_profile as export

    context = command_context(ctx)
    path = export(context.profile, context.identity, directory)
    say(f"The profile is {path}; certificate and key are beside it.")
