"""An organization's nodes that come to a channel which works already.

Source: fabric-behaviour §11.4; Fabric's operations guide: a new ordering node joins by the newest
configuration block, which names it; a peer by the first block.
"""

from __future__ import annotations

import time
from contextlib import suppress

from fabric_native.errors import AdministrationError
from fabric_native.membership import administrator, peer_client
from fabric_native.node_processes import READY_SECONDS, Nodes, listens
from fabric_native.nodes import orderer, peers
from fabric_native.peer_client import PeerClient
from fabric_operator.errors import ProcessError
from fabric_operator.reconfiguration import read_configuration, read_ordering_nodes
from fabric_protocol.blocks import parse_block
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.topology import Organization

_AGAIN_SECONDS = 0.2


def is_founder(nodes: Nodes, organization: Organization) -> bool:
    """Whether the channel's first block names an organization's ordering node."""
    first = ChannelConfig.from_block(parse_block(nodes.paths.genesis.read_bytes()))
    return any(item.msp_id == organization.msp_id for item in first.organizations)


def newest_configuration(nodes: Nodes) -> bytes:
    """The newest configuration block, as another organization's ordering node has it.

    Raises:
        NetworkError: ORDERER_UNREACHABLE, also as long as the channel does not know who asks.
    """
    (organization,) = nodes.operated
    own = nodes.endpoints.address(orderer(organization))
    others = [node for node in read_ordering_nodes(nodes.paths.directory) if node.endpoint != own]
    signer = administrator(nodes.paths, organization)
    block: bytes = read_configuration(others, nodes.topology.channel, signer).SerializeToString()
    return block


def catch_up(nodes: Nodes, organization: Organization) -> None:
    """Wait until an organization's peers have all blocks that the others' had when this began.

    Raises:
        ProcessError: PROCESS_NOT_READY.
        AdministrationError: a peer refused.
    """
    wanted = _height_elsewhere(nodes, organization)
    deadline = time.monotonic() + READY_SECONDS
    for node in peers(organization):
        with nodes.client(node) as client:
            while _height(client, nodes.topology.channel) < wanted:
                if time.monotonic() > deadline:
                    raise ProcessError(
                        "PROCESS_NOT_READY",
                        f"{node.name} has not reached block {wanted - 1} after {READY_SECONDS:g} s: "
                        "see its log",
                    )
                time.sleep(_AGAIN_SECONDS)


def await_block(nodes: Nodes, number: int) -> None:
    """Wait until the peers that run here have a block, those aside that do not answer or are too slow."""
    deadline = time.monotonic() + READY_SECONDS
    for node in (node for item in nodes.operated for node in peers(item)):
        if not listens(*nodes.endpoints.listener(node)):
            continue
        with nodes.client(node) as client, suppress(AdministrationError):
            while client.height(nodes.topology.channel) <= number and time.monotonic() < deadline:
                time.sleep(_AGAIN_SECONDS)


def _height(client: PeerClient, channel: str) -> int:
    """How many blocks a peer has; 0 as long as the channel, as far as it has come, does not know who asks."""
    try:
        return client.height(channel)
    except AdministrationError as error:
        if error.code != "PEER_REFUSED":
            raise
        return 0


def _height_elsewhere(nodes: Nodes, organization: Organization) -> int:
    for item in nodes.topology.organizations:
        node = peers(item)[0]
        if item == organization or not listens(nodes.endpoints.host(node), nodes.ports[node.name]):
            continue
        try:
            with peer_client(nodes.paths, nodes.endpoints, node, organization) as client:
                return client.height(nodes.topology.channel)
        except AdministrationError:
            continue
    raise AdministrationError("PEER_UNREACHABLE", "no peer of another organization gave an answer")
