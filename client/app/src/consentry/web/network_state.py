"""How the nodes of a network are, as they answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NodeState:
    """One peer or orderer.

    Attributes:
        organization: MSP id; empty where the network's profile does not say.
        endpoint: host and port.
        height: number of blocks that a peer has; None for an orderer, or without an answer.
        certificate_ends: end of its TLS certificate; None without an answer.
        fault: why there is no answer, a code; empty if there is one.
    """

    organization: str
    endpoint: str
    height: int | None
    certificate_ends: datetime | None
    fault: str


@dataclass(frozen=True, slots=True)
class NetworkState:
    """What was asked at one moment.

    Attributes:
        asked_at: when.
        peers: by organization.
        orderers: in the profile's order.
        chaincode: version and sequence of the chaincode's committed definition; empty without an answer.
    """

    asked_at: datetime
    peers: tuple[NodeState, ...]
    orderers: tuple[NodeState, ...]
    chaincode: str
