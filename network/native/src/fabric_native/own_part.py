"""What one organization does for its own part of a network, from its bundle, while others do the same.

Source: fabric-behaviour §11.4, §12.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fabric_protos.msp import msp_config_pb2

from fabric_native.agreeing import agree
from fabric_native.deploying import deployment, reachable_others
from fabric_native.errors import AdministrationError
from fabric_native.genesis import consenter
from fabric_native.member_file import MemberFile
from fabric_native.node_processes import Nodes
from fabric_native.nodes import Node, chaincode
from fabric_native.operations import issue_next, start_another_peer, start_services, take_certificates
from fabric_native.recording import record, with_ports
from fabric_native.starting import Progress
from fabric_operator.errors import NetworkError
from fabric_operator.ports import write_ports
from fabric_operator.private_files import replace_private
from fabric_protocol.channel_config import ChannelConfig, Consenter
from fabric_protocol.lifecycle_arguments import wanted_definition
from fabric_protocol.msp_config import read_msp_config
from fabric_protocol.topology import Topology


def adopt(
    nodes: Nodes, member: MemberFile, topology: Topology, current: ChannelConfig, progress: Progress
) -> Nodes:
    """Know an organization that the channel has taken in, or its new peers, and approve what names them.

    Parameters:
        nodes: of a bundle; they run.
        member: what the organization says of itself.
        topology: the wanted one, with it.
        current: the channel's configuration.
        progress: told a sentence for each step.

    Raises:
        AdministrationError: MEMBER_UNKNOWN, the channel has no such organization, or another; or a peer
            refused.
    """
    name = member.organization.name
    _require_in_channel(current, member)
    roots = nodes.paths.organization(name).tls_ca.certificate
    roots.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_private(roots, member.tls_root)
    ports = {**nodes.ports, **member.ports}
    write_ports(nodes.paths.ports, ports)
    nodes = replace(nodes, topology=topology, ports=ports)
    record(nodes)
    progress(f"{name} is known here")
    return settle(nodes, progress)


def release(nodes: Nodes, topology: Topology, progress: Progress) -> Nodes:
    """Approve a definition without an organization that is to leave; raises as `settle`."""
    nodes = replace(nodes, topology=topology)
    record(nodes)
    return settle(nodes, progress)


def add_peer(nodes: Nodes, topology: Topology, progress: Progress) -> Nodes:
    """Start another peer of one's own from a snapshot, and approve the definition that reaches it.

    Parameters:
        nodes: of a bundle; they run.
        topology: the wanted one; see `fabric_native.operations.add_peer`.
        progress: told a sentence for each step, and who has approved.

    Raises:
        AdministrationError: OPERATION_INVALID, DEFINITION_DIFFERS; the peer made no snapshot, or the new one
            did not take it; or a peer refused.
    """
    nodes = start_another_peer(nodes, topology, progress)
    record(nodes)
    return settle(nodes, progress)


def upgrade(nodes: Nodes, topology: Topology, progress: Progress) -> Nodes:
    """Start one's own new chaincode service beside the old one, and approve; the old one stops once it may.

    Parameters:
        nodes: of a bundle; they run.
        topology: with a chaincode definition of the next sequence.
        progress: told a sentence for each step, and who has approved.

    Raises:
        ProcessError: the new service did not start; the old one goes on.
        AdministrationError: DEFINITION_DIFFERS, or a peer refused.
    """
    (organization,) = nodes.operated
    generation = nodes.settings.chaincode_generation + 1
    service = chaincode(organization, generation)
    settings = replace(nodes.settings, chaincode_generation=generation, retiring=True)
    nodes = with_ports(replace(nodes, settings=settings), topology, [service])
    try:
        start_services(nodes, [service])
    except BaseException:
        nodes.processes.stop([service.name])
        raise
    record(nodes)
    progress(f"{service.name} runs beside the old one")
    return settle(nodes, progress)


def settle(nodes: Nodes, progress: Progress) -> Nodes:
    """Go on with the definition that this directory wants, as far as the other organizations have come.

    Raises:
        AdministrationError: DEFINITION_DIFFERS, or a peer refused.
    """
    if not agree_on_definition(nodes, progress) or not nodes.settings.retiring:
        return nodes
    old = [node.name for node in nodes.retiring]
    nodes = replace(nodes, settings=replace(nodes.settings, retiring=False))
    record(nodes)
    nodes.processes.stop(old)
    progress(f"{', '.join(old)} is stopped")
    return nodes


def agree_on_definition(nodes: Nodes, progress: Progress) -> bool:
    """Approve the wanted definition, and commit it if enough have; whether it is in force."""
    with deployment(nodes) as channel:
        definition = wanted_definition(nodes.topology.chaincode)
        return agree(channel, definition, reachable_others(nodes), progress)


def renew_certificates(nodes: Nodes, node: Node) -> Consenter:
    """Have an ordering node's next certificates issued, and say what the channel is to know of them.

    Raises:
        AuthorityError: the organization's CA refused.
    """
    organization = nodes.topology.organization(node.organization)
    return consenter(nodes.paths, nodes.endpoints, organization, 0, issue_next(nodes, node))


def take_renewed_certificates(nodes: Nodes, node: Node, current: ChannelConfig, progress: Progress) -> None:
    """Restart an ordering node with certificates that the channel knows by now.

    Raises:
        NetworkError: CERTIFICATES_UNKNOWN.
        ProcessError: the node did not start again.
    """
    new = nodes.paths.node(node).next
    known = {item.server_tls_certificate for item in current.consenters}
    if not new.directory.exists() or new.tls.certificate.read_bytes() not in known:
        raise NetworkError(
            "CERTIFICATES_UNKNOWN",
            f"the channel knows no new certificates of {node.name}: make a proposal with `consentry network "
            f"proposal rotate {node.name}`, have it signed and submitted, then give this command again",
        )
    take_certificates(nodes, node, progress)


def _require_in_channel(current: ChannelConfig, member: MemberFile) -> None:
    organization = member.organization
    groups = current.group.groups["Application"].groups
    found = groups[organization.name].values["MSP"].value if organization.name in groups else b""
    wanted = _without_revocations(member.config.msp_config.SerializeToString())
    if not found or _without_revocations(found) != wanted:
        raise AdministrationError(
            "MEMBER_UNKNOWN",
            f"the channel has no organization {organization.name} with the certificates of its member file: "
            "have the proposal that takes it in signed and submitted first",
        )


def _without_revocations(config: bytes) -> Any:
    """What an MSP's configuration says of an organization, whomever it has revoked meanwhile."""
    content = read_msp_config(msp_config_pb2.MSPConfig.FromString(config))
    del content.revocation_list[:]
    return content
