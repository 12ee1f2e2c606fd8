"""``consentry network``: bring a network up and down, look at it, enrol people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli import (
    network_attach,
    network_bundles,
    network_export,
    network_machine,
    network_membership,
    network_nodes,
    network_proposals,
)
from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, note, say, show_json, show_table

app = typer.Typer(name="network", no_args_is_help=True, help="Start, stop and look at a network.")


@app.command(
    epilog=examples(
        "consentry network up",
        "consentry --network /srv/trial network up --preset small",
        "consentry network up --engine fabric",
        "consentry network up --engine fabric --topology ours.yaml --binaries /opt/fabric/bin",
    )
)
def up(
    ctx: typer.Context,
    preset: Annotated[
        str, typer.Option(help="Topology of a new network: consortium or small.")
    ] = "consortium",
    engine: Annotated[
        str | None,
        typer.Option(
            envvar="CONSENTRY_ENGINE",
            help="embedded (one process; the default) or fabric (real peers, ordering nodes and CAs).",
        ),
    ] = None,
    topology: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML file with one's own topology, in place of a preset."),
    ] = None,
    binaries: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where Fabric's binaries are looked for first.")
    ] = None,
) -> None:
    """Create the network if the directory is empty, and start it; does nothing to one that runs."""
    from consentry.network import bring_up

    directory = command_context(ctx).directory
    bring_up(directory, preset, note, engine, topology=topology, binaries=binaries)
    say(f"The network in {directory} is up.")


@app.command(epilog=examples("consentry network down"))
def down(ctx: typer.Context) -> None:
    """Stop every process of the network; its state stays."""
    from consentry.network import take_down

    directory = command_context(ctx).directory
    take_down(directory)
    say(f"The network in {directory} is down; `consentry network up` starts it again.")


@app.command(epilog=examples("consentry network destroy --yes"))
def destroy(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop the network and delete its ledger and keys for good; the index of that ledger goes too."""
    from consentry.network import destroy as destroy_network

    directory = command_context(ctx).directory
    if not yes:
        typer.confirm(f"Delete the ledger and the keys in {directory}?", abort=True)
    destroy_network(directory)
    for path in directory.glob("index.sqlite*"):
        path.unlink()
    say(f"The network in {directory} is gone.")


@app.command(epilog=examples("consentry network status", "consentry network status --json"))
def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show what of the network runs."""
    from consentry.network import status as network_status

    nodes = network_status(command_context(ctx).directory)
    if as_json:
        show_json([{"name": n.name, "state": str(n.state), "pid": n.pid, "detail": n.detail} for n in nodes])
        return
    show_table(("node", "state", "pid", "detail"), [(n.name, n.state, n.pid, n.detail) for n in nodes])


@app.command(
    epilog=examples(
        "consentry network enroll northgate steward --role steward",
        "consentry network enroll riverside researcher --role researcher --project heart-2027",
    )
)
def enroll(
    ctx: typer.Context,
    organization: Annotated[str, typer.Argument(help="Short name of the organization, e.g. northgate.")],
    label: Annotated[str, typer.Argument(help="Name of the identity in the organization's wallet.")],
    role: Annotated[
        list[str] | None,
        typer.Option(
            help="Role in the certificate: steward, researcher, dpo, auditor, regulator, service, ethics, "
            "clinician; may be repeated."
        ),
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(
            help="Project in the certificate, for grants to its members only, e.g. heart-2027; "
            "may be repeated."
        ),
    ] = None,
) -> None:
    """Enrol somebody at the organization's CA and keep the identity in its wallet."""
    from consentry.network import enroll_user

    identity = enroll_user(command_context(ctx).directory, organization, label, role or [], project or [])
    say(f"{organization}/{label} is enrolled as {identity.enrolment_id}.")


@app.command(
    epilog=examples(
        "consentry network revoke riverside researcher",
        "consentry network revoke riverside researcher --publish",
        "consentry network revoke riverside researcher --crl riverside.crl.pem",
    )
)
def revoke(
    ctx: typer.Context,
    organization: Annotated[str, typer.Argument(help="Short name of the organization, e.g. northgate.")],
    label: Annotated[str, typer.Argument(help="Name of the identity in the organization's wallet.")],
    crl: Annotated[
        Path | None, typer.Option(help="File for the CA's list of revoked certificates (PEM).")
    ] = None,
    publish: Annotated[
        bool,
        typer.Option(
            "--publish", help="Tell the channel at once, signed by the organization's administrator."
        ),
    ] = False,
) -> None:
    """Revoke somebody's certificates at the organization's CA, and with --publish on the channel."""
    from consentry.network import publish_revocations, revoke_user

    revocations = revoke_user(command_context(ctx).directory, organization, label)
    say(f"{organization}/{label} is revoked at the CA and can enrol no more.")
    if crl is not None:
        crl.write_bytes(revocations)
        say(f"The CA's list of revoked certificates is in {crl}.")
    if publish:
        number = publish_revocations(command_context(ctx).directory, organization, revocations)
        say(f"The channel refuses the revoked certificates from block {number} on.")
        return
    say(
        "The channel still accepts the revoked certificates: the CA's list takes effect there by a "
        f"configuration update that puts it into {organization}'s MSP (--publish)."
    )


network_nodes.add_to(app)
network_membership.add_to(app)
network_machine.add_to(app)
network_attach.add_to(app)
network_export.add_to(app)
network_bundles.add_to(app)
app.add_typer(network_proposals.app, name="proposal")
