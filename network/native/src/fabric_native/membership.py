"""Administrators' connections to the peers of a network."""

from __future__ import annotations

from fabric_native.endpoints import Endpoints
from fabric_native.nodes import Node
from fabric_native.paths import NetworkPaths
from fabric_native.peer_client import PeerClient
from fabric_operator.material import read_administrator
from fabric_protocol.config_signing import ConfigSigner
from fabric_protocol.topology import Organization


def administrator(paths: NetworkPaths, organization: Organization) -> ConfigSigner:
    """An organization's administrator, as a signer.

    Raises:
        MaterialError: MATERIAL_UNREADABLE.
    """
    return read_administrator(paths.organization(organization.name).administrator, organization.msp_id)


def peer_client(
    paths: NetworkPaths, endpoints: Endpoints, node: Node, asks: Organization | None = None
) -> PeerClient:
    """A connection to a peer, as an organization's administrator: its own's, where none other asks."""
    organization = endpoints.topology.organization(node.organization)
    roots = paths.organization(organization.name).tls_ca.certificate.read_bytes()
    signer = administrator(paths, asks or organization)
    return PeerClient(node.name, endpoints.address(node), roots, signer)
