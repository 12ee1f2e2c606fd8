"""Operations of a consortium on a running network of real Fabric; see `fabric_native.operations`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from consentry.errors import ConsentryError
from consentry.network.anchors import keep_anchor
from consentry.network.consortium_votes import vote_in, vote_out
from consentry.network.engines import native_network
from consentry.network.ledger_setup import decision_process, own_services, prepare_ledger
from consentry.network.presets import HOSPITAL, REGULATOR, consentry_topology, default_msp_id
from consentry.network.translation import translated
from fabric_native import NativeNetwork
from fabric_protocol.topology import ChaincodeDefinition, CollectionDefinition, Organization, Topology

Progress = Callable[[str], None]
MEMBER_FILE = "member.json"


@translated()
def add_organization(
    directory: Path,
    name: str,
    progress: Progress,
    *,
    kind: str = HOSPITAL,
    peers: int = 1,
    country: str | None = None,
) -> None:
    """Take an organization into a running network: it orders, and endorses under a definition that names it.

    A majority of the administrators signs the change of the channel's configuration. The policy of the
    chaincode becomes that of DESIGN §9 for all organizations, and a hospital gets a collection of its own.
    Then a majority of the organizations votes it into the ledger's settings, and its decision service starts.

    Args:
        directory: The network's directory; all of it must be up.
        name: Of the new organization, such as `hillside`.
        progress: Told what is being done, a line at a time.
        kind: `hospital` or `regulator`.
        peers: How many it runs.
        country: Where it is (ISO 3166-1, such as `IE`): grants that are bound to countries go by it, and
            permit nothing to an organization without one.

    Raises:
        ConsentryError: OPERATION_NEEDS_FABRIC, KIND_UNKNOWN, ORGANIZATION_EXISTS, TOPOLOGY_INVALID, or what
            a node says.
    """
    network = native_network(directory)
    topology = network.topology
    require_kind(kind)
    added = Organization(name=name, msp_id=default_msp_id(name), kind=kind, peers=peers, country=country)
    network.add_organization(with_new_member(topology, added), progress)
    keep_anchor(directory, name, network.anchor())
    vote_in(network, added, progress)
    if country is None:
        progress(f"{name} has no country: grants that are bound to countries permit it nothing")
    prepare_ledger(network, progress)


@translated()
def remove_organization(directory: Path, name: str, progress: Progress) -> None:
    """Let an organization go from a running network; what it wrote stays on the ledger, its files with it.

    Fabric keeps every collection that ever was: that of a hospital that goes falls to the first organization
    that stays, whose peers get nothing of what is in it, as nobody is left to hand it over. Before that a
    majority votes the organization out of the ledger's settings.

    Args:
        directory: The network's directory; all of it must be up.
        name: Of the organization, such as `lakeside`.
        progress: Told what is being done, a line at a time.

    Raises:
        ConsentryError: OPERATION_NEEDS_FABRIC, ORGANIZATION_UNKNOWN, or what a node says.
    """
    network = native_network(directory)
    topology = network.topology
    removed = topology.organization(name)
    organizations = tuple(item for item in topology.organizations if item != removed)
    if not organizations:
        raise ConsentryError("ORGANIZATION_UNKNOWN", f"{name} is the only organization: destroy the network")
    definition = next_definition(topology, organizations)
    vote_out(network, removed, progress)
    network.remove_organization(
        replace(topology, organizations=organizations, chaincode=definition), progress
    )
    network.stop_process(decision_process(removed.name))


@translated()
def upgrade_chaincode(directory: Path, version: str, progress: Progress) -> bool:
    """Put the chaincode that is installed on this machine now in force under a new version.

    New services start beside the old ones; every organization approves; then the old ones stop. In a bundle
    its organization does so for itself; whoever is the last of a majority commits, and who is missing is
    told. Given again there, it goes on as far as the others have come.

    Args:
        directory: The network's directory; all of it must be up.
        version: Of the new definition, such as `1.1`.
        progress: Told what is being done, a line at a time.

    Returns:
        Whether it is in force; in a bundle not before a majority has approved it.

    Raises:
        ConsentryError: OPERATION_NEEDS_FABRIC, TOPOLOGY_INVALID, UPGRADE_PENDING, or what a node says.
    """
    network = native_network(directory)
    topology = network.topology
    definition = replace(topology.chaincode, version=version, sequence=topology.chaincode.sequence + 1)
    wanted = replace(topology, chaincode=definition)
    if not network.is_bundle:
        network.upgrade_chaincode(wanted, progress)
        return True
    if version == topology.chaincode.version:
        network.settle(progress)
    elif network.is_upgrading:
        raise pending_upgrade(network)
    else:
        network.upgrade_chaincode(wanted, progress)
    # Where systemd runs the nodes, it is to run those of now.
    network.write_units(own_services(network.directory, network.operated[0]))
    return not network.is_upgrading


@translated()
def add_peer(directory: Path, organization: str, progress: Progress) -> Path | None:
    """Start another peer of an organization, from a snapshot of the first one's ledger.

    A hospital's endorsing peer hands what is private to all of its other peers (`maximum_peer_count`), and
    endorses also while none of them is up (`required_peer_count` 0): what one missed, it fetches later. In a
    bundle, the others approve the definition that says so by `network adopt`.

    Args:
        directory: The network's directory; all of it must be up.
        organization: Short name, such as `northgate`.
        progress: Told what is being done, a line at a time.

    Returns:
        In a bundle, the file with which the others adopt the peer.

    Raises:
        ConsentryError: OPERATION_NEEDS_FABRIC, ORGANIZATION_UNKNOWN, UPGRADE_PENDING, or what a node says.
    """
    network = native_network(directory)
    topology = network.topology
    member = topology.organization(organization)
    if member not in network.operated:
        raise ConsentryError("ORGANIZATION_UNKNOWN", f"{organization} runs elsewhere: it adds its peer there")
    grown = replace(member, peers=member.peers + 1)
    wanted = with_member(topology, grown)
    if not network.is_bundle:
        network.add_peer(wanted, progress)
        return None
    if network.is_upgrading:
        raise pending_upgrade(network)
    network.add_peer(wanted, progress)
    network.write_units(own_services(network.directory, grown))
    return write_member_file(network)


@translated()
def rotate_certificates(directory: Path, node: str, progress: Progress) -> None:
    """Give a peer or an ordering node new certificates, tell the channel where it must know, and restart it.

    Args:
        directory: The network's directory; all of it must be up.
        node: Such as `orderer-northgate`.
        progress: Told what is being done, a line at a time.

    Raises:
        ConsentryError: OPERATION_NEEDS_FABRIC, NODE_UNKNOWN, or what a node says.
    """
    native_network(directory).rotate_certificates(node, progress)


def pending_upgrade(network: NativeNetwork) -> ConsentryError:
    """Said to whoever wants the next change of a bundle before an upgrade is in force."""
    version = network.topology.chaincode.version
    return ConsentryError(
        "UPGRADE_PENDING",
        f"version {version} is not in force yet: give `consentry network upgrade {version}` again",
    )


def write_member_file(network: NativeNetwork) -> Path:
    """Write what the others need of a bundle's organization, as it is now; the file."""
    target = network.directory / MEMBER_FILE
    target.write_bytes(network.describe().to_json())
    return target


def require_kind(kind: str) -> None:
    """Refuse an organization of a kind that there is not; raises ConsentryError KIND_UNKNOWN."""
    if kind not in (HOSPITAL, REGULATOR):
        raise ConsentryError("KIND_UNKNOWN", f"got kind {kind!r}; there are {HOSPITAL} and {REGULATOR}")


def with_new_member(topology: Topology, added: Organization) -> Topology:
    """A topology with one organization more, and the next definition.

    Raises:
        ConsentryError: ORGANIZATION_EXISTS.
    """
    if added.name in {item.name for item in topology.organizations}:
        raise ConsentryError("ORGANIZATION_EXISTS", f"the network has an organization {added.name}")
    organizations = (*topology.organizations, added)
    definition = next_definition(topology, organizations)
    return replace(topology, organizations=organizations, chaincode=definition)


def with_member(topology: Topology, changed: Organization) -> Topology:
    """A topology with one organization as it is now, and the next definition."""
    organizations = tuple(changed if item.name == changed.name else item for item in topology.organizations)
    definition = next_definition(topology, organizations)
    return replace(topology, organizations=organizations, chaincode=definition)


def next_definition(topology: Topology, organizations: tuple[Organization, ...]) -> ChaincodeDefinition:
    """The next definition, with policies and collections as these organizations need them."""
    usual = consentry_topology(organizations).chaincode
    kept = {item.name: _fallen_to(item, organizations[0]) for item in topology.chaincode.collections}
    collections = {**kept, **{item.name: item for item in usual.collections}}
    return replace(
        topology.chaincode,
        policy=usual.policy,
        collections=tuple(collections.values()),
        sequence=topology.chaincode.sequence + 1,
    )


def _fallen_to(collection: CollectionDefinition, heir: Organization) -> CollectionDefinition:
    return replace(
        collection,
        members=f"OR('{heir.msp_id}.member')",
        endorsement=f"OR('{heir.msp_id}.peer')",
        maximum_peer_count=0,
    )
