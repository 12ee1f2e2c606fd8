"""``consentry network attach``: use a Fabric network that runs already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.errors import ExitStatus
from consentry.cli.output import AsJson, examples, say, show_json, show_table


def attach(
    ctx: typer.Context,
    profiles: Annotated[
        list[Path],
        typer.Argument(metavar="PROFILE...", help="Connection profiles (JSON or YAML) of the network."),
    ],
    msp: Annotated[
        Path,
        typer.Option(metavar="DIR", help="MSP directory of a user of the channel: signcerts and keystore."),
    ],
    msp_id: Annotated[
        str,
        typer.Option(metavar="ID", help="The user's MSP id (default: the profile's client organization)."),
    ] = "",
    label: Annotated[str, typer.Option(help="Name of that user in the wallet.")] = "user",
    channel: Annotated[str, typer.Option(help="Name of the channel (default: the profile's only one).")] = "",
    chaincode: Annotated[str, typer.Option(help="Name of the chaincode.")] = "consentry",
    regulator: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="MSP id of an organization without patients; others are hospitals."),
    ] = None,
    any_time: Annotated[
        bool, typer.Option("--any-time", help="Accept peers that endorse proposals of any time.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check a network by the connection profile that another tool wrote, and write its network.json."""
    from consentry.attach import attach as attach_network
    from consentry.attach import read_connection_profiles
    from consentry.attach.msp_directory import read_msp_directory

    member = msp_id or read_connection_profiles(profiles).client
    if not member:
        raise typer.BadParameter(
            "the profile names no client organization: whose is the identity? (--msp-id)"
        )
    directory = command_context(ctx).directory
    done = attach_network(
        directory,
        profiles,
        read_msp_directory(msp, member),
        label=label,
        channel=channel,
        chaincode=chaincode,
        regulators=regulator or (),
        any_time=any_time,
    )
    if as_json:
        show_json({"written": done.written, "findings": done.findings})
    else:
        rows = [(item.subject, str(item.state), item.code, item.sentence) for item in done.findings]
        show_table(("what", "state", "code", "found"), rows)
        say(
            f"Nothing was written: {len(done.refusals)} refusals."
            if done.written is None
            else f"{done.written} is written; try: consentry --network {directory} index"
        )
    if done.written is None:
        raise typer.Exit(ExitStatus.REFUSED)


def add_to(app: typer.Typer) -> None:
    """Add the command to ``consentry network``."""
    app.command(
        epilog=examples(
            "consentry --network hospitals network attach connection-org1.yaml --msp users/User1/msp",
            "consentry network attach org1.json org2.json --msp msp --msp-id Org1MSP --regulator Org2MSP",
        )
    )(attach)
