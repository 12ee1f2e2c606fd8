"""What a consortium does to a network that runs: members join and leave, chaincode is upgraded, keys change.

Each operation takes the network's lock, and writes down what the network has become once it has.
Source: fabric-behaviour §11.4, §12; Fabric's operations guides for channels and SmartBFT.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fabric_native.errors import AdministrationError
from fabric_native.genesis import consenter, organization_config
from fabric_native.material import create_authorities
from fabric_native.membership import administrator
from fabric_native.node_processes import READY_SECONDS, Nodes
from fabric_native.nodes import Node, authority, chaincode, orderer, peers
from fabric_native.ordering import wait_for_ordering
from fabric_native.paths import NodePaths
from fabric_native.recording import record, with_ports, write_package
from fabric_native.starting import Progress, deploy, join_peer
from fabric_operator.reconfiguration import (
    OrderingNode,
    change_configuration,
    read_configuration,
    read_ordering_nodes,
)
from fabric_protocol.config_editing import with_organization
from fabric_protocol.config_signing import ConfigSigner
from fabric_protocol.membership_editing import with_consenter, without_organization
from fabric_protocol.topology import Organization, Topology


def add_organization(nodes: Nodes, topology: Topology, progress: Progress) -> Nodes:
    """Take in an organization: its CA, ordering node, peers and chaincode service; afterwards it endorses.

    Parameters:
        nodes: of the network, all of which run.
        topology: the wanted one: one more organization, and a chaincode definition of the next sequence.
        progress: told a sentence for each step.

    Raises:
        AdministrationError: OPERATION_INVALID, or a node refused.
        NetworkError: CONFIG_CHANGE_REFUSED, ORDERER_UNREACHABLE.
    """
    added = _only_new(nodes.topology, topology)
    before = nodes
    nodes = with_ports(nodes, topology, _nodes_of(nodes, added))
    _create_member(nodes, added)
    progress(f"identities of {added.name} are issued")
    config = organization_config(nodes.paths, added, nodes.endpoints)
    node = consenter(nodes.paths, nodes.endpoints, added, 0)
    number = change_configuration(
        read_ordering_nodes(nodes.paths.directory),
        topology.channel,
        _majority(before),
        lambda group: with_consenter(with_organization(group, config), node),
    )
    progress(f"a majority of administrators took {added.name} into the channel, with block {number}")
    _join_ordering(nodes, before, added)
    progress(f"{orderer(added).name} orders")
    genesis = nodes.paths.genesis.read_bytes()
    for peer in peers(added):
        nodes.start(peer)
        nodes.wait(peer)
        join_peer(nodes, peer, genesis)
    nodes.start(nodes.service(added))
    nodes.wait(nodes.service(added))
    progress(f"peers and chaincode service of {added.name} run")
    deploy(nodes, progress)
    record(nodes)
    return nodes


def remove_organization(nodes: Nodes, topology: Topology, progress: Progress) -> Nodes:
    """Let an organization go: it endorses and orders no more, and its nodes end; its files stay.

    Parameters:
        nodes: of the network, all of which run.
        topology: the wanted one: one organization less, and a chaincode definition of the next sequence with
            all collections that there were, of which none names the organization.
        progress: told a sentence for each step.

    Raises:
        AdministrationError: OPERATION_INVALID, or a node refused.
        NetworkError: CONFIG_CHANGE_REFUSED, ORDERER_UNREACHABLE.
    """
    removed = _only_new(topology, nodes.topology)
    remaining = replace(nodes, topology=topology)
    # While it still belongs to the channel: definitions may name members of the channel only.
    deploy(remaining, progress)
    number = change_configuration(
        _ordering_without(nodes, orderer(removed)),
        topology.channel,
        _majority(remaining),
        lambda group: without_organization(group, removed.name),
    )
    progress(f"a majority of administrators removed {removed.name} from the channel, with block {number}")
    record(remaining)
    nodes.processes.stop([node.name for node in _nodes_of(nodes, removed)])
    progress(f"the nodes of {removed.name} are stopped; its files stay")
    return remaining


def upgrade_chaincode(nodes: Nodes, topology: Topology, progress: Progress) -> Nodes:
    """Put another version of the chaincode in force; old services serve until the new ones do.

    Parameters:
        nodes: of the network, all of which run.
        topology: the wanted one: the same organizations, a chaincode definition of the next sequence.
        progress: told a sentence for each step.

    Raises:
        AdministrationError: OPERATION_INVALID, or a node refused.
        ProcessError: a new service did not start; the old ones go on.
    """
    old = [nodes.service(item) for item in topology.organizations]
    generation = nodes.settings.chaincode_generation + 1
    settings = replace(nodes.settings, chaincode_generation=generation)
    nodes = replace(nodes, settings=settings)
    services = [chaincode(item, generation) for item in topology.organizations]
    nodes = with_ports(nodes, topology, services)
    try:
        start_services(nodes, services)
        progress("the new chaincode services run beside the old ones")
        deploy(nodes, progress)
    except BaseException:
        nodes.processes.stop([service.name for service in services])
        raise
    record(nodes)
    nodes.processes.stop([service.name for service in old])
    progress("the old chaincode services are stopped")
    return nodes


def rotate_certificates(nodes: Nodes, node: Node, progress: Progress) -> None:
    """Give a peer or an ordering node a new identity and a new TLS pair, and restart it.

    The channel learns an ordering node's new certificates first; the others order meanwhile.

    Raises:
        AuthorityError: its organization's CA refused.
        NetworkError: CONFIG_CHANGE_REFUSED, ORDERER_UNREACHABLE.
        ProcessError: the node did not start again.
    """
    organization = nodes.topology.organization(node.organization)
    new = issue_next(nodes, node)
    progress(f"{node.name} has new certificates")
    if node == orderer(organization):
        entry = consenter(nodes.paths, nodes.endpoints, organization, 0, new)
        others = _ordering_without(nodes, node)
        change_configuration(
            others, nodes.topology.channel, _majority(nodes), lambda group: with_consenter(group, entry)
        )
        progress("the channel knows them")
    take_certificates(nodes, node, progress)


def issue_next(nodes: Nodes, node: Node) -> NodePaths:
    """Have a node's next certificates issued, beside those that it has.

    Raises:
        AuthorityError: its organization's CA refused.
    """
    new = nodes.paths.node(node).next
    shutil.rmtree(new.directory, ignore_errors=True)
    nodes.authorities.issue_node(nodes.topology.organization(node.organization), node, new)
    return new


def take_certificates(nodes: Nodes, node: Node, progress: Progress) -> None:
    """Restart a node with its next certificates; raises as `rotate_certificates`."""
    files = nodes.paths.node(node)
    new = files.next
    nodes.processes.stop([node.name])
    for name in ("msp", "tls"):
        shutil.rmtree(files.directory / name)
        (new.directory / name).rename(files.directory / name)
    new.directory.rmdir()
    nodes.start(node)
    nodes.wait(node)
    wait_for_ordering(nodes, nodes.topology.organization(node.organization))
    deploy(nodes, progress)
    progress(f"{node.name} runs with them")


def add_peer(nodes: Nodes, topology: Topology, progress: Progress) -> Nodes:
    """Start another peer of an organization, from a snapshot of the first one's ledger.

    It has the state as of the snapshot, not the blocks before it. Source: Fabric's ledger snapshots.

    Parameters:
        nodes: of the network, all of which run.
        topology: the wanted one: one organization has one peer more; a chaincode definition of the next
            sequence where collections are to reach that peer.
        progress: told a sentence for each step.

    Raises:
        AdministrationError: OPERATION_INVALID; the peer made no snapshot, or the new one did not take it.
    """
    nodes = start_another_peer(nodes, topology, progress)
    deploy(nodes, progress)
    record(nodes)
    return nodes


def start_another_peer(nodes: Nodes, topology: Topology, progress: Progress) -> Nodes:
    """The part of `add_peer` that its organization does alone; raises as it."""
    grown = _only_grown(nodes.topology, topology)
    first, added = peers(grown)[0], peers(grown)[-1]
    nodes = with_ports(nodes, topology, [added])
    shutil.rmtree(nodes.paths.node(added).directory, ignore_errors=True)
    nodes.authorities.issue_node(grown, added, nodes.paths.node(added))
    made = _snapshot(nodes, first)
    progress(f"{first.name} made a snapshot as of block {made.name}")
    nodes.start(added)
    nodes.wait(added)
    with nodes.client(added) as client:
        client.join_by_snapshot(str(made))
        nodes.processes.wait_until_ready(
            added.name, lambda: nodes.topology.channel in client.channels(), READY_SECONDS
        )
    progress(f"{added.name} joined by it")
    return nodes


def start_services(nodes: Nodes, services: Sequence[Node]) -> None:
    """Start new chaincode services, with certificates and packages of their own.

    Raises:
        AuthorityError: an organization's CA refused.
        ProcessError: one did not start.
    """
    for service in services:
        shutil.rmtree(nodes.paths.node(service).directory, ignore_errors=True)
        nodes.authorities.issue_service(nodes.topology.organization(service.organization), service)
        write_package(nodes, service)
        nodes.start(service)
    for service in services:
        nodes.wait(service)


def _only_new(smaller: Topology, larger: Topology) -> Organization:
    """The one organization that a topology has more than another."""
    new = [item for item in larger.organizations if item not in smaller.organizations]
    if len(new) != 1 or len(larger.organizations) != len(smaller.organizations) + 1:
        raise AdministrationError(
            "OPERATION_INVALID", f"expected one organization more or less, got {len(new)} that differ"
        )
    return new[0]


def _only_grown(before: Topology, after: Topology) -> Organization:
    """The one organization that has a peer more than it had."""
    grown = [item for item in after.organizations if item not in before.organizations]
    smaller = [replace(item, peers=item.peers - 1) for item in grown]
    if len(grown) != 1 or smaller[0] not in before.organizations:
        raise AdministrationError(
            "OPERATION_INVALID", f"expected one organization with one peer more, got {len(grown)} that differ"
        )
    return grown[0]


def _create_member(nodes: Nodes, added: Organization) -> None:
    """Make an organization's material; what an interrupted attempt left is cleared away."""
    nodes.processes.stop([node.name for node in _nodes_of(nodes, added)])
    shutil.rmtree(nodes.paths.organization(added.name).directory, ignore_errors=True)
    create_authorities(nodes.paths, added, nodes.endpoints, datetime.now(UTC))
    nodes.start(authority(added))
    nodes.wait(authority(added))
    nodes.authorities.issue([added])
    service = nodes.service(added)
    if service != chaincode(added):
        nodes.authorities.issue_service(added, service)
    write_package(nodes, service)


def _join_ordering(nodes: Nodes, before: Nodes, added: Organization) -> None:
    node = orderer(added)
    nodes.start(node)
    nodes.wait(node)
    signer = administrator(before.paths, before.topology.organizations[0])
    channel = nodes.topology.channel
    block = read_configuration(read_ordering_nodes(nodes.paths.directory), channel, signer)
    participation = nodes.participation(added)
    if participation.status(channel) is None:
        participation.join(block.SerializeToString())
    wait_for_ordering(nodes, added)


def _ordering_without(nodes: Nodes, node: Node) -> list[OrderingNode]:
    """The channel's other ordering nodes, for what one of them cannot be asked while it changes."""
    endpoint = nodes.endpoints.address(node)
    return [found for found in read_ordering_nodes(nodes.paths.directory) if found.endpoint != endpoint]


def _majority(nodes: Nodes) -> list[ConfigSigner]:
    organizations = nodes.topology.organizations
    return [administrator(nodes.paths, item) for item in organizations[: len(organizations) // 2 + 1]]


def _nodes_of(nodes: Nodes, organization: Organization) -> list[Node]:
    service = nodes.service(organization)
    return [service, *peers(organization), orderer(organization), authority(organization)]


def _snapshot(nodes: Nodes, peer: Node) -> Path:
    """Have a peer write a snapshot of its ledger; its directory, named by its last block."""
    channel = nodes.topology.channel
    completed = nodes.paths.node(peer).data / "snapshots" / "completed" / channel
    with nodes.client(peer) as client:
        number = client.height(channel) - 1
        if not (completed / str(number)).exists():
            client.request_snapshot(channel)

        def made() -> list[Path]:
            return [path for path in completed.glob("*") if path.name.isdigit() and int(path.name) >= number]

        nodes.processes.wait_until_ready(peer.name, lambda: bool(made()), READY_SECONDS)
        return max(made(), key=lambda path: int(path.name))
