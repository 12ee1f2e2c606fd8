"""A second chaincode is installed, approved, committed, called, upgraded and kept through a restart.

All by our own client through each organization's Gateway, with the chaincode's services as real processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import ledger_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2
from support.embedded import enrolled_user, two_organizations
from support.second_chaincode import administrator, start_greeting

from fabric_embedded.network import EmbeddedNetwork
from fabric_gateway import Contract, EvaluateError
from fabric_protocol.policies import application_policy

from .conftest import connect

MSP_IDS = {"alpha": "AlphaMSP", "beta": "BetaMSP"}
BOTH = list(MSP_IDS.values())
POLICY = application_policy("OutOf(2, 'AlphaMSP.peer', 'BetaMSP.peer')")


@pytest.fixture
def network(tmp_path: Path) -> Iterator[EmbeddedNetwork]:
    with two_organizations(tmp_path) as network:
        yield network


class Lifecycle:
    """Both organizations' administrators."""

    def __init__(self, network: EmbeddedNetwork, stack: ExitStack) -> None:
        self._network = network
        self._contracts: dict[str, Contract] = {
            name: stack.enter_context(connect(network, administrator(network, name)))
            .network("testing")
            .contract("_lifecycle")
            for name in MSP_IDS
        }

    def deploy(self, word: str, sequence: int) -> None:
        """Start services that greet with a word, install, approve and commit them."""
        definition = {
            "name": "greeting",
            "version": word,
            "sequence": sequence,
            "validation_parameter": POLICY,
        }
        for name, msp_id in MSP_IDS.items():
            package = start_greeting(self._network, name, word)
            install = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=package.data)
            result = self._contracts[name].evaluate("InstallChaincode", install.SerializeToString())
            assert lifecycle_pb2.InstallChaincodeResult.FromString(result).package_id == package.package_id
            approve = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(**definition)
            approve.source.local_package.package_id = package.package_id
            self._submit(name, "ApproveChaincodeDefinitionForMyOrg", approve, [msp_id])
        commit = lifecycle_pb2.CommitChaincodeDefinitionArgs(**definition)
        self._submit("alpha", "CommitChaincodeDefinition", commit, BOTH)

    def _submit(self, name: str, function: str, arguments: Any, organizations: list[str]) -> None:
        self._contracts[name].submit(
            function, arguments.SerializeToString(), endorsing_organizations=organizations
        )


def test_second_chaincode_from_its_installation_to_a_restart(network: EmbeddedNetwork) -> None:
    user = enrolled_user(network, "alpha", "user-of-alpha")
    with ExitStack() as stack:
        lifecycle = Lifecycle(network, stack)
        channel = stack.enter_context(connect(network, user)).network("testing")
        greeting = channel.contract("greeting")
        with pytest.raises(EvaluateError, match="no peers available to evaluate chaincode greeting"):
            greeting.evaluate("greeting:last", "Ada")
        lifecycle.deploy("Hello", 1)
        assert greeting.submit("greeting:greet", "Ada") == b"Hello Ada"
        assert channel.contract("basic").evaluate("basic:get", "Ada") == b"Hello Ada"
        lifecycle.deploy("Salut", 2)
        assert greeting.evaluate("greeting:last", "Ada") == b"Hello Ada"
        assert greeting.submit("greeting:greet", "Ada") == b"Salut Ada"
    network._processes.stop(["engine"])
    network.up()
    with connect(network, user) as gateway:
        greeting = gateway.network("testing").contract("greeting")
        assert greeting.evaluate("greeting:last", "Ada") == b"Salut Ada"
        assert greeting.submit("greeting:greet", "Grace") == b"Salut Grace"
        asked = gateway.network("testing").contract("qscc").evaluate("GetChainInfo", "testing")
        # Genesis, three blocks of each of three deployments, three greetings.
        assert ledger_pb2.BlockchainInfo.FromString(asked).height == 1 + 3 * 3 + 3
