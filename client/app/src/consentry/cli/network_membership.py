"""``consentry network add``, ``remove``, ``upgrade``, ``add-peer``, ``rotate``: a running network changes."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import examples, note, say

Organization = Annotated[str, typer.Argument(help="Short name of the organization, e.g. northgate.")]


def add(
    ctx: typer.Context,
    organization: Organization,
    kind: Annotated[str, typer.Option(help="hospital or regulator.")] = "hospital",
    peers: Annotated[int, typer.Option(min=1, max=9, help="How many peers it runs.")] = 1,
    country: Annotated[
        str | None,
        typer.Option(help="Where it is, e.g. IE: what grants that are bound to countries go by."),
    ] = None,
) -> None:
    """Take an organization into the running network: it orders, and its peers endorse (real Fabric only)."""
    from consentry.network import add_organization

    directory = command_context(ctx).directory
    add_organization(directory, organization, note, kind=kind, peers=peers, country=country)
    say(f"{organization} belongs to the network.")


def remove(
    ctx: typer.Context,
    organization: Organization,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Let an organization go from the running network; its records and its files stay (real Fabric only)."""
    from consentry.network import remove_organization

    if not yes:
        typer.confirm(f"Remove {organization} from the channel?", abort=True)
    remove_organization(command_context(ctx).directory, organization, note)
    say(f"{organization} belongs to the network no more.")


def upgrade(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Version of the new definition, e.g. 1.1.")],
) -> None:
    """Put the installed chaincode in force under a new version (real Fabric only).

    In a bundle each organization gives it; who comes last of a majority commits, and who is missing is told.
    """
    from consentry.network import upgrade_chaincode

    in_force = upgrade_chaincode(command_context(ctx).directory, version, note)
    say(
        f"Version {version} of the chaincode is in force."
        if in_force
        else f"Version {version} is approved here; give this again once the others have approved it."
    )


def add_peer(ctx: typer.Context, organization: Organization) -> None:
    """Start another peer of an organization, from a snapshot of its first one (real Fabric only).

    In a bundle an organization does so for itself; the others approve what is to reach it: network adopt.
    """
    from consentry.network import add_peer as add_peer_to_network

    member = add_peer_to_network(command_context(ctx).directory, organization, note)
    say(f"{organization} runs another peer.")
    if member is not None:
        say(f"Give {member} to the other organizations: consentry network adopt {member.name}")


def rotate(
    ctx: typer.Context,
    node: Annotated[str, typer.Argument(help="A peer or an ordering node, e.g. orderer-northgate.")],
) -> None:
    """Give a node new certificates, tell the channel, and restart the node (real Fabric only).

    The ordering node of a bundle takes certificates that the channel knows by then: network proposal rotate.
    """
    from consentry.network import rotate_certificates

    rotate_certificates(command_context(ctx).directory, node, note)
    say(f"{node} runs with new certificates.")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    add_hillside = "consentry network add hillside --country IE"
    shown = (add_hillside, f"{add_hillside} --peers 2")
    app.command(epilog=examples(*shown))(add)
    app.command(epilog=examples("consentry network remove lakeside"))(remove)
    app.command(epilog=examples("consentry network upgrade 1.1"))(upgrade)
    app.command("add-peer", epilog=examples("consentry network add-peer northgate"))(add_peer)
    app.command(epilog=examples("consentry network rotate orderer-northgate"))(rotate)
