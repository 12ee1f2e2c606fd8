"""Who deploys a network's chaincode: the administrators of the organizations that run here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from fabric_native.deployment import Deployment, Member
from fabric_native.membership import peer_client
from fabric_native.node_processes import Nodes, listens
from fabric_native.nodes import peers
from fabric_native.ordering import unreachable, wait_for_ordering
from fabric_protocol.topology import Organization


@contextmanager
def deployment(nodes: Nodes) -> Iterator[Deployment]:
    """Those administrators, connected to all of their own peers and to one of each other organization."""
    here, channel = nodes.operated, nodes.topology.channel
    elsewhere = [item for item in nodes.topology.organizations if item not in here]
    with ExitStack() as stack:
        members = []
        for item in here:
            service = nodes.paths.organization(item.name).chaincode(nodes.service(item))
            clients = [stack.enter_context(nodes.client(node)) for node in peers(item)]
            package = service.package.read_bytes()
            members.append(Member(item.msp_id, clients, package, service.read_package_id()))
        others = {
            item.msp_id: stack.enter_context(
                peer_client(nodes.paths, nodes.endpoints, peers(item)[0], here[0])
            )
            for item in elsewhere
        }
        # One organization commits for all: two that did so at once would void each other's transaction.
        commits = nodes.topology.organizations[0] in here
        yield Deployment(channel, members, others, commits, lambda: _away(nodes, elsewhere))


def reachable_others(nodes: Nodes) -> list[str]:
    """MSP ids of the other organizations whose first peers listen."""
    here = {item.msp_id for item in nodes.operated}
    return [msp_id for msp_id in reachable_organizations(nodes) if msp_id not in here]


def reachable_organizations(nodes: Nodes) -> list[str]:
    """MSP ids of the organizations whose first peers listen, here or elsewhere."""
    places = {item.msp_id: peers(item)[0] for item in nodes.topology.organizations}
    return [
        msp_id
        for msp_id, node in places.items()
        if listens(nodes.endpoints.host(node), nodes.ports[node.name])
    ]


def _away(nodes: Nodes, others: Sequence[Organization]) -> list[str]:
    """Names of the others whose ordering nodes do not listen; nobody's once transactions are taken."""
    missing = unreachable(nodes, others)
    if others and not missing:
        wait_for_ordering(nodes, nodes.operated[0])
    return missing
