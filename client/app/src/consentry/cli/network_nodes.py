"""``consentry network start``, ``stop``, ``kill`` and ``logs``: a network's processes one by one."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import examples, say

Node = Annotated[str, typer.Argument(help="Name of the process, as `consentry network status` shows it.")]


def start(ctx: typer.Context, node: Node) -> None:
    """Start one process of the network; returns when it can be used."""
    from consentry.network import start_node

    start_node(command_context(ctx).directory, node)
    say(f"{node} runs.")


def stop(ctx: typer.Context, node: Node) -> None:
    """End one process of the network in good order; the others go on."""
    from consentry.network import stop_node

    stop_node(command_context(ctx).directory, node)
    say(f"{node} is stopped.")


def kill(ctx: typer.Context, node: Node) -> None:
    """End one process of the network without warning, as a power failure would."""
    from consentry.network import kill_node

    kill_node(command_context(ctx).directory, node)
    say(f"{node} is killed; start it again with: consentry network start {node}")


def logs(
    ctx: typer.Context,
    node: Node,
    lines: Annotated[int, typer.Option(min=1, help="How many of its last lines.")] = 50,
) -> None:
    """Show what one process of the network printed last."""
    from consentry.network import log_tail

    say(log_tail(command_context(ctx).directory, node, lines))


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=examples("consentry network start peer-northgate"))(start)
    shown = ("consentry network stop peer-northgate", "consentry network stop engine")
    app.command(epilog=examples(*shown))(stop)
    app.command(epilog=examples("consentry network kill orderer-riverside"))(kill)
    app.command(epilog=examples("consentry network logs peer-northgate --lines 20"))(logs)
