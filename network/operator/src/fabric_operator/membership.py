"""What a channel's configuration says of an organization, from its files."""

from __future__ import annotations

from fabric_operator.network_paths import NetworkPaths
from fabric_protocol.channel_config import OrganizationConfig
from fabric_protocol.msp import build_msp_config
from fabric_protocol.topology import Organization


def organization_config(
    paths: NetworkPaths, organization: Organization, orderer_endpoint: str, peer_endpoint: str
) -> OrganizationConfig:
    """The organization as a member of the channel.

    Parameters:
        paths: of a network with the organization's certificates.
        organization: which.
        orderer_endpoint: "host:port" of the node from which its peers fetch blocks.
        peer_endpoint: "host:port" of the peer that others contact first.
    """
    files = paths.organization(organization.name)
    msp_config = build_msp_config(
        organization.msp_id,
        root_certificates=[files.ca.certificate.read_bytes()],
        tls_root_certificates=[files.tls_ca.certificate.read_bytes()],
    )
    return OrganizationConfig(
        organization.name, organization.msp_id, msp_config, (orderer_endpoint,), (peer_endpoint,)
    )
