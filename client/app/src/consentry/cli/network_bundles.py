"""``consentry network create``, ``export`` and ``join``: every organization on a machine of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import examples, note, say

Binaries = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where Fabric's binaries are looked for first.")
]


def create(
    ctx: typer.Context,
    preset: Annotated[str, typer.Option(help="Topology: consortium or small.")] = "consortium",
    topology: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML file with one's own topology, in place of a preset."),
    ] = None,
    binaries: Binaries = None,
) -> None:
    """Make a network of real Fabric without starting it: keys, certificates, genesis block.

    An organization that runs on a machine of its own has that machine's name or address as `host` in the
    topology.
    """
    from consentry.network import FABRIC
    from consentry.network import create as create_network

    directory = command_context(ctx).directory
    create_network(directory, preset, note, FABRIC, topology=topology, binaries=binaries)
    say(f"The network in {directory} is made; write each organization's part with: consentry network export")


def export(
    ctx: typer.Context,
    organization: Annotated[str, typer.Argument(help="Short name of the organization, e.g. northgate.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Directory of the bundle, new or empty.")],
    at: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the bundle will lie on its machine, if not there."),
    ] = None,
    binaries: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where Fabric's binaries are on that machine.")
    ] = None,
    python: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Python that has Consentry on that machine.")
    ] = None,
) -> None:
    """Write what one organization needs to run its part on its own machine, without the others' keys.

    The bundle is a network's directory: its nodes' configuration and keys, its CA, units for systemd, a
    compose file for Fabric's images. There either `consentry --network DIR network up` starts it, or
    systemd does and `consentry --network DIR network join` makes it take part.
    """
    from consentry.network import export_organization

    directory = command_context(ctx).directory
    export_organization(directory, organization, to, at=at, binaries=binaries, python=python)
    say(f"The bundle of {organization} is {to}; it holds keys: bring it to its machine by a safe way.")


def join(ctx: typer.Context) -> None:
    """Have the nodes of a bundle that systemd or containers run take part in the channel."""
    from consentry.network import join_network

    directory = command_context(ctx).directory
    join_network(directory, note)
    say(f"The nodes of {directory} take part.")


def invite(
    ctx: typer.Context,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="File for the invitation.")],
) -> None:
    """Write what an organization from outside needs to make its own part of the network; nothing secret."""
    from consentry.network import invite as write_invitation

    anchor = write_invitation(command_context(ctx).directory, to)
    say(f"The invitation is {to}; whoever accepts it compares the anchor with you: {anchor}")


def accept(
    ctx: typer.Context,
    invitation: Annotated[Path, typer.Argument(help="What another organization wrote: network invite.")],
    organization: Annotated[str, typer.Argument(help="Short name of the own organization, e.g. hillside.")],
    host: Annotated[str, typer.Option(help="Name or IPv4 address at which the others reach this machine.")],
    kind: Annotated[str, typer.Option(help="hospital or regulator.")] = "hospital",
    country: Annotated[
        str | None,
        typer.Option(help="Where it is, e.g. IE: what grants that are bound to countries go by."),
    ] = None,
    peers: Annotated[int, typer.Option(min=1, max=9, help="How many peers it runs.")] = 1,
    binaries: Binaries = None,
) -> None:
    """Make one's own part of a network that works already, with a CA and keys of one's own."""
    from consentry.network import accept_invitation

    directory = command_context(ctx).directory
    member = accept_invitation(
        directory,
        invitation,
        organization,
        note,
        host=host,
        kind=kind,
        country=country,
        peers=peers,
        binaries=binaries,
    )
    say(f"Give {member} to the others: they take {organization} in (network proposal add). Then: network up")


def adopt(
    ctx: typer.Context,
    member: Annotated[Path, typer.Argument(help="The file of an organization that the channel took in.")],
) -> None:
    """Know a new organization, approve the chaincode definition that names it, and vote it into the settings.

    Each organization gives it once the proposal is in force; given again, it goes on as far as others have
    come. The same for the file of a member that runs another peer, which takes no proposal and no vote.
    """
    from consentry.network import adopt_member

    name = adopt_member(command_context(ctx).directory, member, note)
    say(f"{name} is known here.")


def release(
    ctx: typer.Context,
    organization: Annotated[str, typer.Argument(help="Short name of who is to leave, e.g. lakeside.")],
) -> None:
    """Vote an organization out of the settings and approve the definition without it, before it is removed.

    Each of the others gives it; given again, it goes on as far as they have come. Then: network proposal
    remove.
    """
    from consentry.network import release_member

    release_member(command_context(ctx).directory, organization, note)
    say(f"{organization} is left out here.")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=examples("consentry network invite --to invitation.json"))(invite)
    app.command(
        epilog=examples(
            "consentry --network /srv/consentry network accept invitation.json hillside "
            "--host fabric.hillside.example --country IE"
        )
    )(accept)
    app.command(epilog=examples("consentry network adopt hillside.json"))(adopt)
    app.command(epilog=examples("consentry network release lakeside"))(release)
    app.command(epilog=examples("consentry network create --topology ours.yaml"))(create)
    shown = (
        "consentry network export northgate --to bundles/northgate",
        "consentry network export northgate --to northgate --at /srv/consentry --binaries /opt/fabric/bin "
        "--python /opt/consentry/bin/python",
    )
    app.command(epilog=examples(*shown))(export)
    app.command(epilog=examples("consentry --network /srv/consentry network join"))(join)
