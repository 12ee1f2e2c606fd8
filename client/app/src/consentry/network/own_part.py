"""An organization that joins from outside, and what the others do for it, each from its own bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from consentry.errors import ConsentryError
from consentry.network.anchors import keep_anchor
from consentry.network.consortium_votes import vote_in, vote_out
from consentry.network.engines import OUR_AUTHORITY, native_network
from consentry.network.ledger_setup import own_services
from consentry.network.membership import (
    next_definition,
    require_kind,
    with_member,
    with_new_member,
    write_member_file,
)
from consentry.network.presets import HOSPITAL, default_msp_id
from consentry.network.proposals import read_file
from consentry.network.translation import translated
from fabric_native import Invitation, MemberFile, NativeNetwork
from fabric_protocol.topology import Organization


@translated()
def invite(directory: Path, target: Path) -> str:
    """Write what an organization from outside needs to make its own part of a network; nothing secret.

    Args:
        directory: The network's directory, a bundle or the whole.
        target: The file.

    Returns:
        The channel's anchor, which whoever joins compares.

    Raises:
        ConsentryError: OPERATION_NEEDS_FABRIC.
    """
    invitation = native_network(directory).invite()
    target.write_bytes(invitation.to_json())
    return invitation.anchor


@translated()
def accept_invitation(
    directory: Path,
    invitation: Path,
    name: str,
    progress: Callable[[str], None],
    *,
    host: str,
    kind: str = HOSPITAL,
    country: str | None = None,
    peers: int = 1,
    binaries: Path | None = None,
) -> Path:
    """Make an organization's own part of a network, on its own machine, with its own CA.

    It takes part once the others have taken it into the channel; until then `network up` cannot.

    Args:
        directory: Where its part will live.
        invitation: File that another organization wrote.
        name: Short name of the organization, such as `hillside`.
        progress: Told what is being done, a line at a time.
        host: Name or IPv4 address at which the others reach this machine.
        kind: `hospital` or `regulator`.
        country: Where it is (ISO 3166-1).
        peers: How many it runs.
        binaries: Where Fabric's binaries are looked for first.

    Returns:
        The file that the others need of it: `member.json` in the directory.

    Raises:
        ConsentryError: TOPOLOGY_INVALID, KIND_UNKNOWN, ORGANIZATION_EXISTS, NETWORK_EXISTS, or what the
            engine says.
    """
    require_kind(kind)
    known = Invitation.from_json(read_file(invitation))
    added = Organization(name, default_msp_id(name), kind, peers, country, host)
    network = NativeNetwork.create_member(
        directory,
        known,
        with_new_member(known.topology, added),
        name,
        progress,
        binaries=binaries,
        authority_fallback=OUR_AUTHORITY,
    )
    network.down()
    network.write_units(own_services(network.directory, added))
    keep_anchor(directory, name, known.anchor)
    return write_member_file(network)


@translated()
def adopt_member(directory: Path, member: Path, progress: Callable[[str], None]) -> str:
    """Know an organization that the channel has taken in, approve the definition that names it, vote for it.

    The same for a member that runs more peers than before, without a vote. Each organization does so from its
    own bundle; it can be given again, and goes on as far as the others have come.

    Args:
        directory: The bundle; its nodes must be up.
        member: The organization's file.
        progress: Told what is being done, a line at a time.

    Returns:
        The organization's name.

    Raises:
        ConsentryError: TOPOLOGY_INVALID, MEMBER_UNKNOWN, NOT_A_BUNDLE, or what a node says.
    """
    network = native_network(directory)
    known = MemberFile.from_json(read_file(member))
    added = known.organization
    if added in network.topology.organizations:
        network.settle(progress)
    elif any(_has_grown(item, added) for item in network.topology.organizations):
        network.adopt(known, with_member(network.topology, added), progress)
        return added.name
    else:
        network.adopt(known, with_new_member(network.topology, added), progress)
    vote_in(network, added, progress)
    return added.name


@translated()
def release_member(directory: Path, name: str, progress: Callable[[str], None]) -> None:
    """Vote against an organization that is to leave, and approve the definition without it.

    Each of the others does so from its own bundle, before the proposal that removes it is submitted; it can
    be given again.

    Args:
        directory: The bundle; its nodes must be up.
        name: Of the organization, such as `lakeside`.
        progress: Told what is being done, a line at a time.

    Raises:
        ConsentryError: ORGANIZATION_UNKNOWN, NOT_A_BUNDLE, or what a node says.
    """
    network = native_network(directory)
    topology = network.topology
    if name not in {item.name for item in topology.organizations}:
        if name not in {path.name for path in (directory / "organizations").iterdir()}:
            raise ConsentryError("ORGANIZATION_UNKNOWN", f"the network has no organization {name}")
        network.settle(progress)
        return
    removed = topology.organization(name)
    if removed in network.operated:
        raise ConsentryError("ORGANIZATION_UNKNOWN", f"{name} runs here: let the others remove it")
    vote_out(network, removed, progress)
    organizations = tuple(item for item in topology.organizations if item != removed)
    definition = next_definition(topology, organizations)
    network.release(replace(topology, organizations=organizations, chaincode=definition), progress)


def _has_grown(before: Organization, after: Organization) -> bool:
    return after.peers > before.peers and replace(after, peers=before.peers) == before
