"""Both engines with the same topology: two organizations, the probe chaincode, a collection of each."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consentry.ca_client import CaClient
from consentry.profile import NetworkProfile
from consentry.wallet import WalletIdentity
from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths as EmbeddedPaths
from fabric_native import NativeNetwork
from fabric_native.nodes import peers
from fabric_native.paths import NetworkPaths as NativePaths
from fabric_operator.ports import read_ports
from fabric_operator.private_files import KeyPair
from fabric_protocol.ordering_config import RAFT, OrderingConfig
from fabric_protocol.signatures import Signer
from fabric_protocol.topology import ChaincodeDefinition, CollectionDefinition, Organization, Topology

PROBE = (sys.executable, str(Path(__file__).with_name("probe_chaincode.py")))
ALPHA, BETA = "AlphaMSP", "BetaMSP"
ORGANIZATIONS = (Organization("alpha", ALPHA, "hospital"), Organization("beta", BETA, "hospital"))
CHANNEL, CHAINCODE = "conformance", "probe"


def topology(consensus: str = RAFT) -> Topology:
    """Both must endorse; each has a closed collection `own-<MSP id>`, both an open one, `shared`."""
    own = [
        CollectionDefinition(
            f"own-{item.msp_id}", f"OR('{item.msp_id}.member')", endorsement=f"OR('{item.msp_id}.peer')"
        )
        for item in ORGANIZATIONS
    ]
    shared = CollectionDefinition(
        "shared", f"OR('{ALPHA}.member', '{BETA}.member')", member_only_read=False, member_only_write=False
    )
    return Topology(
        channel=CHANNEL,
        organizations=ORGANIZATIONS,
        chaincode=ChaincodeDefinition(
            name=CHAINCODE,
            policy=f"AND('{ALPHA}.peer', '{BETA}.peer')",
            command=PROBE,
            collections=(*own, shared),
        ),
        ordering=OrderingConfig(consensus=consensus, batch_timeout="200ms", max_message_count=50),
    )


@dataclass(frozen=True)
class RunningEngine:
    """An engine with a network that is up."""

    name: str
    network: EmbeddedNetwork | NativeNetwork

    @property
    def profile(self) -> NetworkProfile:
        """What clients read."""
        return NetworkProfile.load(self.network.directory)

    def administrator(self, msp_id: str) -> WalletIdentity:
        """An organization's administrator."""
        name = self.network.topology.organization(msp_id).name
        pair: KeyPair
        if isinstance(self.network, EmbeddedNetwork):
            pair = EmbeddedPaths(self.network.directory).organization(name).administrator
        else:
            pair = NativePaths(self.network.directory).organization(name).administrator
        return WalletIdentity(msp_id, pair.certificate.read_bytes(), pair.key.read_bytes())

    def endorser(self, msp_id: str) -> tuple[Signer, bytes]:
        """What an organization's peer signs with: its key, and its serialized identity."""
        organization = self.network.topology.organization(msp_id)
        if isinstance(self.network, EmbeddedNetwork):
            pair = EmbeddedPaths(self.network.directory).organization(organization.name).peer
        else:
            node = peers(organization)[0]
            pair = NativePaths(self.network.directory).node(node).identity
        identity = WalletIdentity(msp_id, pair.certificate.read_bytes(), pair.key.read_bytes())
        return identity.signer, identity.serialized

    def operations(self, msp_id: str) -> tuple[str, ssl.SSLContext | bool]:
        """Address of an organization's peer for operators, and how its certificate is checked."""
        organization = self.network.topology.organization(msp_id)
        if isinstance(self.network, EmbeddedNetwork):
            ports = read_ports(EmbeddedPaths(self.network.directory).ports)
            return f"http://127.0.0.1:{ports['operations']}", True
        paths = NativePaths(self.network.directory)
        roots = paths.organization(organization.name).tls_ca.certificate
        node = peers(organization)[0]
        port = read_ports(paths.ports)[f"{node.name}/operations"]
        return f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=str(roots))

    def enrolled(self, msp_id: str, label: str) -> WalletIdentity:
        """A client of an organization, registered and enrolled at its CA."""
        member = self.profile.organization(msp_id)
        assert member.ca is not None
        with CaClient(member.ca, msp_id) as ca:
            registrar = ca.enroll(*self.network.registrar(member.name), attributes=())
            return ca.enroll(label, ca.register(registrar, label, {}))


@contextmanager
def embedded(directory: Path) -> Iterator[RunningEngine]:
    """The embedded engine, ended afterwards."""
    network = EmbeddedNetwork.create(directory, topology())
    try:
        network.up()
        yield RunningEngine("embedded", network)
    finally:
        network.down()


@contextmanager
def fabric(directory: Path, consensus: str = RAFT) -> Iterator[RunningEngine]:
    """Real Fabric, ended afterwards."""
    network = NativeNetwork.create(directory, topology(consensus))
    try:
        network.up()
        yield RunningEngine("fabric", network)
    finally:
        network.down()
