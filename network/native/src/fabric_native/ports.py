"""Names of the ports of a network of real Fabric."""

from __future__ import annotations

from collections.abc import Sequence

from fabric_native.nodes import Kind, Node

OPERATIONS = "operations"
ADMIN = "admin"
CHAINCODE_LISTENER = "chaincode-listener"

_MORE: dict[Kind, tuple[str, ...]] = {
    Kind.AUTHORITY: (OPERATIONS,),
    Kind.ORDERER: (OPERATIONS, ADMIN),
    # A peer always listens for chaincode that dials it, although none of ours does.
    Kind.PEER: (OPERATIONS, CHAINCODE_LISTENER),
    Kind.CHAINCODE: (),
}


def node_ports(node: Node) -> tuple[str, ...]:
    """Names of the ports that a node listens on; the first one, its own name, is for clients."""
    return (node.name, *(f"{node.name}/{purpose}" for purpose in _MORE[node.kind]))


def port_names(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Names of all ports that these nodes need."""
    return tuple(name for node in nodes for name in node_ports(node))
