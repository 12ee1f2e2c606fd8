"""Starting a network's nodes in their order, and waiting until the network can be used."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from fabric_native.agreeing import agree
from fabric_native.deploying import deployment, reachable_organizations, reachable_others
from fabric_native.errors import AdministrationError
from fabric_native.joining import catch_up, is_founder, newest_configuration
from fabric_native.node_config import TIME_WINDOW
from fabric_native.node_processes import READY_SECONDS, Nodes
from fabric_native.nodes import Kind, Node, orderer, peers
from fabric_native.ordering import wait_for_ordering
from fabric_native.peer_client import PeerClient
from fabric_operator.errors import ProcessError
from fabric_protocol.lifecycle_arguments import wanted_definition
from fabric_protocol.topology import Organization

_POLL_SECONDS = 0.05
_OTHERS_SECONDS = 20.0
# Older than any clock in this consortium may be: a peer that endorses it does not check.
_STALE = timedelta(hours=1)
Progress = Callable[[str], None]


def start_nodes(nodes: Nodes, started: list[str], progress: Progress) -> None:
    """Start what does not run yet.

    Parameters:
        nodes: of the network.
        started: told the names of what was started, at once.
        progress: told a sentence for each step.
    """
    started += nodes.authorities.start()
    progress("the certificate authorities answer")
    # All at once: each of them takes a second of its own to begin.
    rest = [node for node in nodes.all() if node.kind != Kind.AUTHORITY]
    started += [node.name for node in rest if nodes.start(node)]


def start_node(nodes: Nodes, node: Node) -> None:
    """Start one node and wait until it can be used; a peer, until it finds others to endorse with.

    Raises:
        ProcessError: it ended or did not get ready in time; with the tail of its log.
    """
    nodes.start(node)
    nodes.wait(node)
    if node.kind == Kind.PEER:
        # One that has not joined the channel has nothing to find out.
        with nodes.client(node) as client, suppress(AdministrationError):
            hear_of_others(nodes, [client], lambda _: None)


def join_network(nodes: Nodes, progress: Progress) -> None:
    """Have the nodes that run here take part in the channel, and wait until every organization can endorse.

    Raises:
        AdministrationError: a node refused; OTHERS_MISSING, from a bundle, while others are away.
        ProcessError: a node ended or did not get ready.
    """
    first = [node for item in nodes.operated for node in (orderer(item), *peers(item))]
    for node in first:
        nodes.wait(node)
    progress(f"{len(first)} ordering nodes and peers run")
    joined = _join(nodes, nodes.operated, progress)
    for item in nodes.operated:
        if joined and not is_founder(nodes, item):
            catch_up(nodes, item)
    if nodes.settings.organization is None:
        for item in nodes.operated:
            wait_for_ordering(nodes, item)
    for node in (nodes.service(item) for item in nodes.operated):
        nodes.wait(node)
    progress("the chaincode services run")
    deploy(nodes, progress)


def deploy(nodes: Nodes, progress: Progress) -> None:
    """Put the topology's chaincode definition in force, and wait until every organization can endorse.

    Raises:
        AdministrationError: a peer or the ordering nodes refused.
        ProcessError: the peers do not hear of one another.
    """
    with deployment(nodes) as channel:
        definition = wanted_definition(nodes.topology.chaincode)
        if nodes.settings.organization is not None and channel.sequence_in_force(definition.name):
            # In a consortium that works already, each goes at its own pace.
            agree(channel, definition, reachable_others(nodes), progress)
            is_new = False
        else:
            is_new = channel.run(definition, progress)
        clients = [client for member in channel.members for client in member.peers]
        for client in clients:
            require_time_window(client, nodes.topology.channel)
        # Later, a bundle's nodes start while others are away, too.
        _wait_for_discovery(nodes, clients, nodes.topology.organizations if is_new else nodes.operated)
        if not is_new:
            hear_of_others(nodes, clients, progress)
    progress("every organization's peers can endorse")


def join_peer(nodes: Nodes, node: Node, block: bytes) -> bool:
    """Have a peer join the channel; False when it had."""
    with nodes.client(node) as client:
        channels = client.channels()
        if nodes.topology.channel in channels:
            return False
        client.join(block)
        return True


def require_time_window(client: PeerClient, channel: str) -> None:
    """Check that a peer refuses what claims another time (DESIGN §7).

    Raises:
        AdministrationError: TIME_WINDOW_MISSING.
    """
    try:
        stale = datetime.now(UTC) - _STALE
        client.propose(channel, "qscc", [b"GetChainInfo", channel.encode()], timestamp=stale)
    except AdministrationError as refusal:
        if "incorrect timestamp" in refusal.message:
            return
        raise
    raise AdministrationError(
        "TIME_WINDOW_MISSING",
        f"{client.name} endorses proposals of any time: list TimeWindowCheck among its authFilters, with "
        f"peer.authentication.timewindow {TIME_WINDOW}",
    )


def _join(nodes: Nodes, organizations: Sequence[Organization], progress: Progress) -> int:
    """Have nodes join the channel; how many had not yet."""
    genesis = nodes.paths.genesis.read_bytes()
    joined = 0
    for item in organizations:
        participation = nodes.participation(item)
        if participation.status(nodes.topology.channel) is None:
            participation.join(genesis if is_founder(nodes, item) else newest_configuration(nodes))
            joined += 1
    # One after another: peers that join at once leave gossip incomplete for a while.
    joined += sum(join_peer(nodes, node, genesis) for item in organizations for node in peers(item))
    if joined:
        progress(f"{joined} nodes joined channel {nodes.topology.channel}")
    return joined


def hear_of_others(nodes: Nodes, clients: Sequence[PeerClient], progress: Progress) -> None:
    """Wait a while until peers that were started know of a peer of every organization that can be reached.

    Before, they find nobody to endorse with. One that listens may have no chaincode that runs: who is missing
    in the end is told, and is no error.
    """
    wanted = dict.fromkeys(reachable_organizations(nodes), 1)
    if unheard := _unheard_of(nodes, clients, wanted, _OTHERS_SECONDS):
        progress(f"{unheard} yet; transactions that need them are refused until it does")


def _wait_for_discovery(
    nodes: Nodes, clients: Sequence[PeerClient], organizations: Sequence[Organization]
) -> None:
    wanted = {item.msp_id: item.peers for item in organizations}
    if unheard := _unheard_of(nodes, clients, wanted, READY_SECONDS):
        raise ProcessError(
            "PROCESS_NOT_READY", f"{unheard} after {READY_SECONDS:g} s; see the logs of the peers"
        )


def _unheard_of(
    nodes: Nodes, clients: Sequence[PeerClient], wanted: Mapping[str, int], seconds: float
) -> str:
    """Wait until peers know of as many peers with the chaincode as wanted; who does not in time, of whom."""
    deadline = time.monotonic() + seconds
    for client in clients:
        while missing := _unknown(nodes, client, wanted):
            if time.monotonic() > deadline:
                return f"{client.name} does not know of endorsing peers of {', '.join(missing)}"
            time.sleep(_POLL_SECONDS)
    return ""


def _unknown(nodes: Nodes, client: PeerClient, wanted: Mapping[str, int]) -> list[str]:
    """MSP ids of which a peer knows fewer peers with the chaincode than wanted."""
    known = client.chaincodes_by_organization(nodes.topology.channel)
    chaincode = nodes.topology.chaincode.name
    return [
        msp_id
        for msp_id, count in wanted.items()
        if sum(chaincode in offered for offered in known.get(msp_id, ())) < count
    ]
