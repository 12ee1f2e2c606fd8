"""Whether the channel's ordering nodes take transactions."""

from __future__ import annotations

from collections.abc import Sequence

from fabric_native.membership import administrator
from fabric_native.node_processes import Nodes, listens
from fabric_native.nodes import orderer
from fabric_operator.errors import NetworkError
from fabric_operator.reconfiguration import OrderingNode, read_configuration
from fabric_protocol.network_profile import SERVER_NAME
from fabric_protocol.topology import Organization


def wait_for_ordering(nodes: Nodes, organization: Organization) -> None:
    """Wait until an ordering node takes part: with Raft it refuses everything while there is no leader.

    Raises:
        ProcessError: it ended or did not get ready in time; with the tail of its log.
    """
    roots = nodes.paths.organization(organization.name).tls_ca.certificate.read_bytes()
    node = OrderingNode(nodes.endpoints.address(orderer(organization)), roots, SERVER_NAME)
    signer = administrator(nodes.paths, organization)

    def orders() -> bool:
        try:
            read_configuration([node], nodes.topology.channel, signer, must_order=True)
        except NetworkError:
            return False
        return True

    nodes.wait_until(orderer(organization), orders)


def unreachable(nodes: Nodes, organizations: Sequence[Organization]) -> list[str]:
    """Names of the organizations whose ordering nodes do not listen."""
    places = {item.name: orderer(item) for item in organizations}
    return [
        name
        for name, node in places.items()
        if not listens(nodes.endpoints.host(node), nodes.ports[node.name])
    ]
