"""Names of an embedded network's ports."""

from __future__ import annotations

from collections.abc import Sequence

ORDERER = "orderer"
OPERATIONS = "operations"


def peer_port(organization: str) -> str:
    """Name of the port of an organization's endpoint."""
    return f"peer/{organization}"


def ca_port(organization: str) -> str:
    """Name of the port of an organization's CA service."""
    return f"ca/{organization}"


def chaincode_port(organization: str) -> str:
    """Name of the port of an organization's chaincode service."""
    return f"chaincode/{organization}"


def port_names(organizations: Sequence[str]) -> tuple[str, ...]:
    """Names of all ports that a network of these organizations needs."""
    each = [
        name(organization) for organization in organizations for name in (peer_port, ca_port, chaincode_port)
    ]
    return (ORDERER, OPERATIONS, *each)
