"""A running network whose configuration changes: over its real endpoints, through a restart, verified."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2_grpc
from support.config_changes import signed_change, signed_update
from support.embedded import User, enrolled_user, two_organizations
from support.sample_organizations import Member, SampleOrganization

from consentry.verification import Verdict, VerificationResult, Verifier, memory_source
from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths
from fabric_gateway import GatewayError, Network
from fabric_operator.errors import NetworkError
from fabric_operator.private_files import KeyPair
from fabric_protocol.blocks import is_config_block, parse_block
from fabric_protocol.certificates import CertificateAuthority
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_editing import with_batch_size, with_revocation_list, with_signature_policy
from fabric_protocol.identities import serialize_identity
from fabric_protocol.policies import parse_policy

from .conftest import connect


class Channel:
    """The network as its members see it."""

    def __init__(self, network: EmbeddedNetwork, stack: ExitStack) -> None:
        self.network = network
        self.paths = NetworkPaths(network.directory)
        names = ("alpha", "beta", "revoked")
        self.users = {
            name: enrolled_user(network, "beta" if name == "beta" else "alpha", f"user-{name}")
            for name in names
        }
        self.networks = {name: self.connect(user, stack) for name, user in self.users.items()}
        self.admins = [self._administrator(name) for name in ("alpha", "beta")]

    def connect(self, user: User, stack: ExitStack) -> Network:
        return stack.enter_context(connect(self.network, user)).network("testing")

    def put(self, user: str, key: str) -> bytes:
        return self.networks[user].contract("basic").submit("basic:put", key, "v")

    def blocks(self, user: str = "alpha") -> list[bytes]:
        newest = parse_block(self.networks[user].newest_block()).header.number
        return list(self.networks[user].blocks(0, newest))

    def config(self) -> ChannelConfig:
        blocks = [parse_block(data) for data in self.blocks()]
        return ChannelConfig.from_block([block for block in blocks if is_config_block(block)][-1])

    def verified(self) -> VerificationResult:
        return Verifier().verify([memory_source("alpha", self.blocks())], self.network.anchor())

    def broadcast(self, envelope: common_pb2.Envelope) -> tuple[int, str]:
        profile: Any = json.loads((self.network.directory / "network.json").read_text())
        orderer = profile["orderers"][0]
        credentials = grpc.ssl_channel_credentials(
            (self.network.directory / orderer["tls_roots"]).read_bytes()
        )
        options = [("grpc.ssl_target_name_override", orderer["server_name"])]
        with grpc.secure_channel(orderer["endpoint"], credentials, options) as channel:
            (answer,) = ab_pb2_grpc.AtomicBroadcastStub(channel).Broadcast(iter([envelope]))
        return answer.status, answer.info

    def change(self, changed: Any, admins: Sequence[Member]) -> None:
        """Broadcast a change, and wait until its block is there."""
        config = self.config()
        height = len(self.blocks())
        assert self.broadcast(signed_change(config, changed, admins)) == (common_pb2.SUCCESS, "")
        (data,) = self.networks["alpha"].blocks(height, height)
        assert ChannelConfig.from_block(parse_block(data)).sequence == config.sequence + 1

    def revocation_list(self, user: User) -> bytes:
        authority = self.paths.organization("alpha").ca
        certificate = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
        sample = SampleOrganization("AlphaMSP", CertificateAuthority(certificate, _key(authority)))
        return sample.revocation_list([x509.load_pem_x509_certificate(user.certificate)])

    def _administrator(self, name: str) -> Member:
        pair = self.paths.organization(name).administrator
        pem = pair.certificate.read_bytes()
        identity = serialize_identity(self.network.topology.organization(name).msp_id, pem)
        return Member(identity, x509.load_pem_x509_certificate(pem), _key(pair))


def _key(pair: KeyPair) -> Any:
    return load_pem_private_key(pair.key.read_bytes(), None)


@contextmanager
def _connected(network: EmbeddedNetwork) -> Iterator[Channel]:
    with ExitStack() as stack:
        yield Channel(network, stack)


@pytest.fixture
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNetwork]:
    """A network of its own: what is revoked stays revoked."""
    with two_organizations(tmp_path_factory.mktemp("changing")) as network:
        yield network


def test_a_channel_changes_and_holds(network: EmbeddedNetwork) -> None:
    with _connected(network) as channel:
        alpha, both = channel.admins[:1], channel.admins
        channel.put("revoked", "before")
        _refuses_hostile_updates(channel)

        number = network.change_configuration(
            ["alpha", "beta"], lambda group: with_batch_size(group, max_message_count=3)
        )
        assert len(channel.blocks()) == number + 1
        assert channel.config().max_message_count == 3
        with pytest.raises(NetworkError, match="BatchSize not satisfied"):
            network.change_configuration(["alpha"], lambda group: with_batch_size(group, max_message_count=4))
        with pytest.raises(NetworkError, match="no differences"):
            network.change_configuration(["alpha"], lambda group: group)

        held = channel.networks["revoked"].contract("basic").new_proposal("basic:put", "k", "v").endorse()
        revocations = channel.revocation_list(channel.users["revoked"])
        channel.change(with_revocation_list(channel.config().group, "AlphaMSP", revocations), alpha)
        with pytest.raises(GatewayError):
            held.submit()
        with pytest.raises(GatewayError):
            channel.networks["revoked"].contract("basic").evaluate("basic:get", "before")
        with pytest.raises(GatewayError):
            channel.blocks("revoked")
        assert channel.put("alpha", "after") == b"v"

        writers = parse_policy("OR('AlphaMSP.client', 'AlphaMSP.admin', 'AlphaMSP.peer')")
        channel.change(
            with_signature_policy(channel.config().group, "/Channel/Application/Writers", writers), both
        )
        with pytest.raises(GatewayError):
            channel.put("beta", "no longer")
        assert channel.put("alpha", "still") == b"v"
        assert channel.verified().verdict is Verdict.PROVED

        network.down()
        with pytest.raises(NetworkError) as down:
            network.change_configuration(["alpha"], lambda group: group)
        assert down.value.code == "ORDERER_UNREACHABLE"
        network.up()
        with pytest.raises(GatewayError):
            channel.put("beta", "nor after a restart")
        assert channel.put("alpha", "after a restart") == b"v"
        assert channel.config().sequence == 3
        assert channel.verified().verdict is Verdict.PROVED


def _refuses_hostile_updates(channel: Channel) -> None:
    config, height = channel.config(), len(channel.blocks())
    changed = with_batch_size(config.group, max_message_count=3)
    update = compute_update("testing", config.group, changed)
    elsewhere = compute_update("elsewhere", config.group, changed)
    outdated = compute_update("testing", config.group, changed)
    outdated.read_set.version = 1
    for envelope, text in (
        (signed_update("testing", update, channel.admins[:1]), "BatchSize not satisfied"),
        (
            signed_update("testing", outdated, channel.admins),
            "at version 1, but it is currently at version 0",
        ),
        (signed_update("testing", elsewhere, channel.admins), "ConfigUpdate for channel 'elsewhere'"),
        (signed_update("elsewhere", elsewhere, channel.admins), "channel does not exist"),
    ):
        status, info = channel.broadcast(envelope)
        assert (status, text in info) == (common_pb2.BAD_REQUEST, True), info
    assert len(channel.blocks()) == height
