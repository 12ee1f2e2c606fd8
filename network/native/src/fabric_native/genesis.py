"""The first block of a channel on real Fabric: every organization runs peers and one ordering node."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from fabric_native.endpoints import Endpoints
from fabric_native.nodes import orderer, peers
from fabric_native.paths import NetworkPaths, NodePaths
from fabric_operator import membership
from fabric_protocol.channel_config import Consenter, OrganizationConfig, genesis_block
from fabric_protocol.topology import Organization


def build_genesis_block(paths: NetworkPaths, endpoints: Endpoints, timestamp: datetime) -> bytes:
    """M(Block) number 0 from the organizations' certificates.

    Parameters:
        paths: of a network whose key material exists.
        endpoints: of it.
        timestamp: time of creation (UTC, aware).
    """
    topology = endpoints.topology
    organizations = [organization_config(paths, item, endpoints) for item in topology.organizations]
    consenters = tuple(
        consenter(paths, endpoints, item, number)
        for number, item in enumerate(topology.organizations, start=1)
    )
    ordering = replace(topology.ordering, consenters=consenters)
    block = genesis_block(topology.channel, organizations, ordering, timestamp=timestamp)
    serialized: bytes = block.SerializeToString(deterministic=True)
    return serialized


def organization_config(
    paths: NetworkPaths, organization: Organization, endpoints: Endpoints
) -> OrganizationConfig:
    """What the channel says of an organization; its first peer is the one that others contact first."""
    return membership.organization_config(
        paths,
        organization,
        endpoints.address(orderer(organization)),
        endpoints.address(peers(organization)[0]),
    )


def consenter(
    paths: NetworkPaths,
    endpoints: Endpoints,
    organization: Organization,
    number: int,
    files: NodePaths | None = None,
) -> Consenter:
    """What the channel says of an organization's ordering node; SmartBFT knows it by its number.

    With `files` its certificates are read there.
    """
    node = orderer(organization)
    files = files or paths.node(node)
    tls = files.tls.certificate.read_bytes()
    return Consenter(
        host=endpoints.host(node),
        port=endpoints.ports[node.name],
        client_tls_certificate=tls,
        server_tls_certificate=tls,
        consenter_id=number,
        msp_id=organization.msp_id,
        identity=files.identity.certificate.read_bytes(),
    )
