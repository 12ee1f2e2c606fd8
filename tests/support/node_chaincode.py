"""A network whose chaincode the official Node.js runtime runs (`tests/interop/node/chaincode.js`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.embedded import User, enrolled_user, two_organizations
from support.node_packages import NODE_SOURCES

from fabric_embedded.network import EmbeddedNetwork
from fabric_gateway import Contract, Gateway, Network


@dataclass(frozen=True)
class NodeChaincode:
    """The network, and our client's view of it."""

    network: EmbeddedNetwork
    users: dict[str, User]
    gateways: dict[str, Gateway]

    def channel(self, organization: str) -> Network:
        """The channel as an organization's user sees it."""
        return self.gateways[organization].network("testing")

    def contract(self, organization: str) -> Contract:
        """The contract as an organization's user sees it."""
        return self.channel(organization).contract("node")


@contextmanager
def node_chaincode_network(packages: Path, directory: Path) -> Iterator[NodeChaincode]:
    """Alpha and beta, each with a Node.js chaincode service (mutual TLS); alpha's user is an auditor."""
    command = ("sh", str(NODE_SOURCES / "serve.sh"), str(packages))
    with ExitStack() as stack:
        network = stack.enter_context(two_organizations(directory, command, "node"))
        users = {
            "alpha": enrolled_user(network, "alpha", "alpha-user", {"role": "auditor"}),
            "beta": enrolled_user(network, "beta", "beta-user"),
        }
        gateways = {name: stack.enter_context(connect(network, user)) for name, user in users.items()}
        yield NodeChaincode(network, users, gateways)


def connect(network: EmbeddedNetwork, user: User) -> Gateway:
    """Our client, at the peer of a user's own organization."""
    profile = json.loads((network.directory / "network.json").read_text())
    peer = profile["organizations"][user.msp_id]["peers"][0]
    return Gateway.connect(
        peer["endpoint"],
        identity=user.identity,
        signer=user.sign_digest,
        tls_roots=(network.directory / peer["tls_roots"]).read_bytes(),
        server_name=peer["server_name"],
    )
