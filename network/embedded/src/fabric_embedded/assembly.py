"""Putting the engine together from a network's directory: identities, keys, addresses, packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fabric_embedded.chaincode.link import ChaincodeLink
from fabric_embedded.chaincode.puts import KnownPuts
from fabric_embedded.chaincode.stream import OpenStream, ServiceAddress, dial
from fabric_embedded.endorsement.chaincodes import InstalledChaincodes
from fabric_embedded.endorsement.private_sets import PendingWriter
from fabric_embedded.endorsement.runs import ChaincodeRunner
from fabric_embedded.lifecycle.deployment import Administrator
from fabric_embedded.lifecycle.package_store import PackageStore
from fabric_embedded.lifecycle.system_chaincode import LifecycleChaincode
from fabric_embedded.ordering.committer import OrderingNode
from fabric_embedded.paths import NetworkPaths, OrganizationPaths
from fabric_embedded.peer import Peer, PeerMaterial
from fabric_embedded.ports import chaincode_port
from fabric_embedded.system import channel_queries, ledger_queries
from fabric_embedded.system.calls import SystemChaincode
from fabric_operator.errors import MaterialError
from fabric_operator.ports import read_ports
from fabric_operator.private_files import KeyPair
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE
from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import Identity, parse_identity, serialize_identity
from fabric_protocol.signatures import Signer, key_signer
from fabric_protocol.topology import Organization, Topology

if TYPE_CHECKING:
    from fabric_embedded.endorsement.admission import ProposalGate
    from fabric_embedded.ordering.committer import Committer
    from fabric_embedded.storage.snapshots import CurrentSnapshot
    from fabric_protocol.channel_config import ChannelConfig


@dataclass(frozen=True)
class EngineMaterial:
    """What an engine is made from; everything by MSP id.

    `services` dial the organizations' chaincode, whose packages are `packages`; a package that is left out
    cannot be fetched from its peer.
    """

    topology: Topology
    genesis: bytes
    ledger_directory: Path
    peers: Mapping[str, PeerMaterial]
    administrators: Mapping[str, Administrator]
    services: Mapping[str, OpenStream]
    ordering_node: OrderingNode
    packages: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def members(self) -> dict[str, Identity]:
        """Peer identities."""
        return {msp_id: peer.identity for msp_id, peer in self.peers.items()}


def read_material(paths: NetworkPaths) -> EngineMaterial:
    """Read everything from a network's directory.

    Raises:
        MaterialError: MATERIAL_UNREADABLE; KEY_MISMATCH, a key is not its certificate's.
        NetworkError: PORTS_UNREADABLE.
    """
    try:
        topology = Topology.from_json(paths.topology.read_bytes())
        genesis = paths.genesis.read_bytes()
        paths.ledger.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = read_ports(paths.ports)
        files = {item.msp_id: (item, paths.organization(item.name)) for item in topology.organizations}
        return EngineMaterial(
            topology=topology,
            genesis=genesis,
            ledger_directory=paths.ledger,
            peers={msp_id: _peer(*found) for msp_id, found in files.items()},
            administrators={msp_id: _administrator(*found) for msp_id, found in files.items()},
            services={
                msp_id: _service(found, f"{topology.host}:{ports[chaincode_port(item.name)]}")
                for msp_id, (item, found) in files.items()
            },
            packages={msp_id: found.chaincode.package.read_bytes() for msp_id, (_, found) in files.items()},
            ordering_node=_ordering_node(*files[topology.organizations[0].msp_id]),
        )
    except (OSError, ValueError, KeyError, TypeError, ProtocolError) as error:
        raise MaterialError(
            "MATERIAL_UNREADABLE", f"cannot read the network in {paths.directory}: {error}"
        ) from error


def build_peers(
    material: EngineMaterial,
    committer: Committer,
    gate: ProposalGate,
    snapshots: CurrentSnapshot,
    writers: Executor,
    *,
    config: Callable[[], ChannelConfig],
) -> dict[str, tuple[Peer, ChaincodeLink]]:
    """Every organization's peer with its link to the chaincode service, which is not opened yet."""
    built, known_puts = {}, KnownPuts()
    for msp_id, peer in material.peers.items():
        package_id = material.administrators[msp_id].package_id
        link = ChaincodeLink(package_id, material.services[msp_id])
        store = PackageStore(material.ledger_directory / f"packages-{msp_id}")
        given = {package_id: material.packages.get(msp_id, b"")}
        installed = InstalledChaincodes(msp_id, {package_id: link}, store, given)
        built[msp_id] = (
            Peer(
                peer,
                config=config,
                members=material.members,
                gate=gate,
                runner=ChaincodeRunner(
                    msp_id, installed, _system_chaincodes(msp_id, installed), known_puts=known_puts
                ),
                installed=installed,
                snapshots=snapshots,
                pending=PendingWriter(committer.private_stores[msp_id], writers),
                known_sets=committer.known_sets,
            ),
            link,
        )
    return built


def _system_chaincodes(msp_id: str, installed: InstalledChaincodes) -> dict[str, SystemChaincode]:
    return {
        LIFECYCLE_NAMESPACE: LifecycleChaincode(msp_id, installed),
        ledger_queries.NAME: ledger_queries.LedgerQueries(),
        channel_queries.NAME: channel_queries.ChannelQueries(msp_id),
    }


def _peer(organization: Organization, files: OrganizationPaths) -> PeerMaterial:
    identity, signer = _identity(organization.msp_id, files.peer)
    return PeerMaterial(organization.name, organization.msp_id, identity, signer)


def _administrator(organization: Organization, files: OrganizationPaths) -> Administrator:
    identity, signer = _identity(organization.msp_id, files.administrator)
    return Administrator(identity.serialized, signer, files.chaincode.read_package_id())


def _ordering_node(organization: Organization, files: OrganizationPaths) -> OrderingNode:
    identity, signer = _identity(organization.msp_id, files.orderer)
    return OrderingNode(identity.serialized, signer)


def _service(files: OrganizationPaths, target: str) -> OpenStream:
    client = files.peer_client_tls
    return dial(
        ServiceAddress(
            target=target,
            root_certificate=files.tls_ca.certificate.read_bytes(),
            client_certificate=client.certificate.read_bytes(),
            client_key=client.key.read_bytes(),
        )
    )


def _identity(msp_id: str, pair: KeyPair) -> tuple[Identity, Signer]:
    identity = parse_identity(serialize_identity(msp_id, pair.certificate.read_bytes()))
    key = load_pem_private_key(pair.key.read_bytes(), None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError(f"expected an ECDSA key in {pair.key}")
    if key.public_key() != identity.public_key:
        message = f"{pair.key} is not the key of {pair.certificate}: restore the pair from a backup"
        raise MaterialError("KEY_MISMATCH", message)
    return identity, key_signer(key)
