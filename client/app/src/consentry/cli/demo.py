"""``consentry demo``: the whole story on a network of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import examples


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "demo",
        epilog=examples(
            "consentry demo", "consentry --network /tmp/demo demo --seed 7", "consentry demo --engine fabric"
        ),
    )(demo)


def demo(
    ctx: typer.Context,
    seed: Annotated[int, typer.Option(help="Seed of everything random in the story.")] = 1,
    engine: Annotated[
        str, typer.Option(envvar="CONSENTRY_ENGINE", help="embedded, or fabric for real peers.")
    ] = "embedded",
) -> None:
    """Play the whole story: consents, grants, refusals, training, a withdrawal, a report, a proof."""
    from consentry.demo import run

    raise typer.Exit(run(command_context(ctx).directory, seed, engine=engine))
