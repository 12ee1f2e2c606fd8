"""Which processes a network of real Fabric consists of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fabric_protocol.topology import Organization, Topology


class Kind(StrEnum):
    """What a node is."""

    AUTHORITY = "ca"
    ORDERER = "orderer"
    PEER = "peer"
    CHAINCODE = "chaincode"


@dataclass(frozen=True)
class Node:
    """One process of the network.

    Parameters:
        kind: what it is.
        organization: name of the organization that runs it.
        number: which of several of its kind; 1 for the first.
    """

    kind: Kind
    organization: str
    number: int = 1

    @property
    def name(self) -> str:
        """E.g. `peer-northgate`, `peer-northgate-2`; also the name of its log and its run record."""
        return f"{self.kind}-{self.organization}" + (f"-{self.number}" if self.number > 1 else "")


def network_nodes(topology: Topology, generation: int = 1) -> list[Node]:
    """All nodes, in the order in which they start; clients of a node come after it.

    Parameters:
        topology: of the network.
        generation: of its chaincode services, see `chaincode`.
    """
    return [
        *(authority(item) for item in topology.organizations),
        *(orderer(item) for item in topology.organizations),
        *(node for item in topology.organizations for node in peers(item)),
        *(chaincode(item, generation) for item in topology.organizations),
    ]


def authority(organization: Organization) -> Node:
    """An organization's CA."""
    return Node(Kind.AUTHORITY, organization.name)


def orderer(organization: Organization) -> Node:
    """An organization's ordering node."""
    return Node(Kind.ORDERER, organization.name)


def peers(organization: Organization) -> list[Node]:
    """An organization's peers; the first one serves its clients' gateway and is its anchor."""
    return [Node(Kind.PEER, organization.name, number) for number in range(1, organization.peers + 1)]


def chaincode(organization: Organization, generation: int = 1) -> Node:
    """An organization's chaincode service, which all its peers dial.

    An upgrade starts the next generation beside the one that runs, with address and package of its own.
    """
    return Node(Kind.CHAINCODE, organization.name, generation)
