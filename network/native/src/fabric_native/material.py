"""Key material of one organization: roots, nodes, administrator, TLS, chaincode package.

Source: fabric-behaviour §1.2 (MSPs), §12 (packages); Fabric `msp/configbuilder.go` (MSP directories).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from fabric_native.authority_config import REGISTRAR, authority_configs
from fabric_native.endpoints import Endpoints
from fabric_native.issuing import Issuer, RootIssuer
from fabric_native.nodes import Node, authority, chaincode, orderer, peers
from fabric_native.paths import NetworkPaths, NodePaths, OrganizationPaths
from fabric_operator.material import read_authority, read_registrar
from fabric_operator.private_files import replace_private, write_pair, write_private
from fabric_protocol.certificates import new_authority
from fabric_protocol.msp_config import NODE_ROLES
from fabric_protocol.topology import Organization, Topology

# Authorities begin before what they issue: an MSP judges a chain at the leaf's own beginning (§1.3).
_AUTHORITY_LEAD = timedelta(days=1)
_LEAD = timedelta(minutes=5)
_AUTHORITY_DAYS = 3650
_SECRET_BYTES = 24


def create_authorities(
    paths: NetworkPaths,
    organization: Organization,
    endpoints: Endpoints,
    start: datetime,
) -> None:
    """Make an organization's roots, its registrar, and configuration and TLS pair of its CA server."""
    files, node = paths.organization(organization.name), authority(organization)
    identities, tls = (
        new_authority(
            f"{name}.{organization.name}", start=start - _AUTHORITY_LEAD, valid_days=_AUTHORITY_DAYS
        )
        for name in ("ca", "tls-ca")
    )
    write_pair(files.ca, identities.pem, identities.key_pem)
    write_pair(files.tls_ca, tls.pem, tls.key_pem)
    issuer = RootIssuer(identities, tls, start - _LEAD)
    home = files.node(node)
    write_pair(home.tls, *issuer.tls(node.name, server_hosts(endpoints.topology, organization)))
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    write_private(files.registrar, json.dumps({"id": REGISTRAR, "secret": secret}).encode("ascii") + b"\n")
    write_authority_config(paths, endpoints, node)


def write_authority_config(paths: NetworkPaths, endpoints: Endpoints, node: Node) -> None:
    """Write the configuration of a CA server, in place of one that is there.

    Raises:
        MaterialError: MATERIAL_UNREADABLE, its registrar's secret.
    """
    _, secret = read_registrar(paths.organization(node.organization).registrar)
    for name, content in authority_configs(paths, node, endpoints, secret).items():
        file = paths.node(node).directory / name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_private(file, content)


def root_issuer(files: OrganizationPaths) -> RootIssuer:
    """What issues with an organization's roots, beginning five minutes ago.

    Raises:
        MaterialError: MATERIAL_UNREADABLE.
    """
    return RootIssuer(read_authority(files.ca), read_authority(files.tls_ca), datetime.now(UTC) - _LEAD)


def create_members(
    paths: NetworkPaths, organization: Organization, topology: Topology, issuer: Issuer
) -> None:
    """Have identities and TLS pairs of an organization's nodes and administrator issued, and write them."""
    files, hosts = paths.organization(organization.name), server_hosts(topology, organization)
    for node in [*peers(organization), orderer(organization)]:
        create_node(files, files.node(node), node, node.name, hosts, issuer)
    admin = f"admin-{organization.name}"
    write_member(files, files.admin, issuer.identity(admin, "admin"))
    write_pair(files.admin.tls, *issuer.tls(admin, ()))
    service = chaincode(organization)
    write_pair(files.node(service).tls, *issuer.tls(service.name, hosts))
    write_pair(files.peer_client_tls, *issuer.tls(f"peer-client-{organization.name}", ()))


def create_node(
    files: OrganizationPaths, member: NodePaths, node: Node, name: str, hosts: Sequence[str], issuer: Issuer
) -> None:
    """Have identity and TLS pair of a peer or an ordering node issued under a name, and write them."""
    write_member(files, member, issuer.identity(name, node.kind))
    write_pair(member.tls, *issuer.tls(name, hosts))


def write_member(files: OrganizationPaths, member: NodePaths, pair: tuple[bytes, bytes]) -> None:
    """Write an MSP directory: the member's own pair, the organization's roots, the rules for roles."""
    write_pair(member.identity, *pair)
    write_private(member.msp / "cacerts" / "ca.pem", files.ca.certificate.read_bytes())
    write_private(member.msp / "tlscacerts" / "tls-ca.pem", files.tls_ca.certificate.read_bytes())
    units = {
        f"{role.capitalize()}OUIdentifier": {"OrganizationalUnitIdentifier": role} for role in NODE_ROLES
    }
    document = json.dumps({"NodeOUs": {"Enable": True, **units}}, indent=1)
    write_private(member.msp / "config.yaml", document.encode("ascii") + b"\n")


def server_hosts(topology: Topology, organization: Organization) -> tuple[str, ...]:
    """The names by which clients may know a node, for its TLS certificate."""
    return tuple(dict.fromkeys(("localhost", "127.0.0.1", topology.host, organization.host or topology.host)))
