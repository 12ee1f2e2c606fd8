"""Administrators' connections to the peers of a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fabric_native.deployment import Deployment, Member
from fabric_native.material import read_package_id
from fabric_native.nodes import Node, peers
from fabric_native.paths import NetworkPaths
from fabric_native.peer_client import PeerClient
from fabric_operator.errors import MaterialError
from fabric_protocol.config_signing import ConfigSigner
from fabric_protocol.identities import serialize_identity
from fabric_protocol.signatures import key_signer
from fabric_protocol.topology import Organization, Topology


def administrator(paths: NetworkPaths, organization: Organization) -> ConfigSigner:
    """An organization's administrator, as a signer.

    Raises:
        MaterialError: MATERIAL_UNREADABLE.
    """
    pair = paths.organization(organization.name).admin.identity
    try:
        key = load_pem_private_key(pair.key.read_bytes(), None)
        identity = serialize_identity(organization.msp_id, pair.certificate.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise MaterialError("MATERIAL_UNREADABLE", f"cannot read the pair {pair.certificate}") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise MaterialError("MATERIAL_UNREADABLE", f"expected an ECDSA key in {pair.key}")
    return ConfigSigner(identity, key_signer(key))


def peer_client(paths: NetworkPaths, topology: Topology, ports: Mapping[str, int], node: Node) -> PeerClient:
    """A connection to a peer, as its organization's administrator."""
    organization = topology.organization(node.organization)
    roots = paths.organization(organization.name).tls_ca.certificate.read_bytes()
    address = f"{topology.host}:{ports[node.name]}"
    return PeerClient(node.name, address, roots, administrator(paths, organization))


@contextmanager
def deployment(paths: NetworkPaths, topology: Topology, ports: Mapping[str, int]) -> Iterator[Deployment]:
    """All organizations' administrators, connected to all peers."""
    with ExitStack() as stack:
        members = []
        for item in topology.organizations:
            files = paths.organization(item.name)
            clients = [stack.enter_context(peer_client(paths, topology, ports, node)) for node in peers(item)]
            members.append(
                Member(item.msp_id, clients, files.chaincode_package.read_bytes(), read_package_id(files))
            )
        yield Deployment(topology.channel, members)
