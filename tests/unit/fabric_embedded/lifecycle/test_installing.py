"""Installing packages, running second chaincodes from them, upgrades, and what queries say of all that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.peer.lifecycle import lifecycle_pb2
from support.engine_material import Consortium, make_consortium, submit, until
from support.lifecycle_calls import POLICY, Administration, wanted
from support.memory_chaincode import Call, MemoryService
from support.packages import package

from fabric_embedded.chaincode.stream import OpenStream, ServiceAddress
from fabric_embedded.engine import Engine
from fabric_protocol.collections import collection_package
from fabric_protocol.topology import CollectionDefinition

BOTH = ("AlphaMSP", "BetaMSP")
APPROVE = "ApproveChaincodeDefinitionForMyOrg"


@dataclass
class Services:
    """Chaincode services by the address that packages name."""

    by_address: dict[str, MemoryService] = field(default_factory=dict)

    def dial(self, address: ServiceAddress) -> OpenStream:
        async def open_stream() -> Any:
            if address.target not in self.by_address:
                raise ConnectionError("nobody listens")
            return await self.by_address[address.target].open()

        return open_stream

    def answers(self, address: str, package_id: str, text: bytes) -> None:
        """Have a service listen that answers with this text."""

        async def say(call: Call) -> bytes:
            await call.put("said", text)
            return text

        self.by_address[address] = MemoryService(package_id, {"say": say})


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    services = Services()
    monkeypatch.setattr("fabric_embedded.endorsement.chaincodes.dial", services.dial)
    return services


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {}, BOTH, collections=[])


@pytest.fixture
async def engine(consortium: Consortium, services: Services) -> AsyncIterator[Engine]:
    engine = consortium.engine()
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
def administration(engine: Engine, consortium: Consortium) -> Administration:
    return Administration(engine, consortium)


async def _install(administration: Administration, services: Services, version: str) -> dict[str, str]:
    """A package and a service of this version for each organization; package ids by MSP id."""
    packages = {}
    for msp_id in BOTH:
        address = f"{msp_id}:{version}"
        data = package({"address": address}, label=f"other_{version}")
        packages[msp_id] = await administration.install(data, msp_id)
        services.answers(address, packages[msp_id], version.encode())
    return packages


async def _say(engine: Engine, consortium: Consortium) -> bytes:
    status = await submit(engine, consortium, "say", client="AlphaMSP", endorsers=BOTH, chaincode="other")
    assert status.code == 0
    found = engine.ledger.state.get("other", "said")
    assert found is not None
    return found.value


async def test_second_chaincode_runs_is_upgraded_and_survives_a_restart(
    engine: Engine, consortium: Consortium, administration: Administration, services: Services
) -> None:
    first = await _install(administration, services, "1")
    assert not engine.peers["AlphaMSP"].serves("other")
    await administration.define(first)
    assert engine.peers["AlphaMSP"].serves("other")
    assert await _say(engine, consortium) == b"1"
    second = await _install(administration, services, "2")
    assert await _say(engine, consortium) == b"1"
    await administration.define(second, sequence=2, version="2")
    assert await _say(engine, consortium) == b"2"
    assert engine.peers["AlphaMSP"].serves("basic")
    await engine.close()
    restarted = consortium.engine()
    await restarted.start()
    assert await _say(restarted, consortium) == b"2"
    await restarted.close()


async def test_services_are_dialled_when_they_are_needed_and_no_longer(
    engine: Engine, administration: Administration, services: Services
) -> None:
    first = await _install(administration, services, "1")
    links = engine.peers["BetaMSP"]._installed.links
    old = links[first["BetaMSP"]]
    assert not old.is_open
    await administration.define(first)
    await until(lambda: old.is_connected)
    second = await _install(administration, services, "2")
    await administration.define(second, sequence=2, version="2")
    await until(lambda: links[second["BetaMSP"]].is_connected)
    await until(lambda: not old.is_connected)
    assert not old.is_open


async def test_organizations_may_run_packages_of_their_own_or_none(
    engine: Engine, administration: Administration, services: Services
) -> None:
    packages = await _install(administration, services, "1")
    await administration.define({"AlphaMSP": packages["AlphaMSP"], "BetaMSP": ""})
    assert engine.peers["AlphaMSP"].serves("other")
    assert not engine.peers["BetaMSP"].serves("other")
    await administration.approve("BetaMSP", packages["BetaMSP"])
    assert engine.peers["BetaMSP"].serves("other")
    queried = await administration.result("QueryInstalledChaincodes", "BetaMSP")
    assert {entry.label: list(entry.references) for entry in queried.installed_chaincodes} == {
        "basic": ["testing"],
        "other_1": ["testing"],
    }


async def test_another_package_for_the_networks_own_chaincode_survives_a_restart(
    engine: Engine, consortium: Consortium, administration: Administration, services: Services
) -> None:
    data = package({"address": "own:1"}, label="own")
    package_id = await administration.install(data, "AlphaMSP")
    services.answers("own:1", package_id, b"own")
    definition = await administration.result("QueryChaincodeDefinition", name="basic")
    fields = {"name": "basic", "version": "1.0", "validation_parameter": definition.validation_parameter}
    await administration.approve("AlphaMSP", package_id, **fields)
    height = engine.ledger.height
    await engine.close()
    restarted = consortium.engine()
    await restarted.start()
    assert restarted.ledger.height == height
    await until(lambda: restarted.peers["AlphaMSP"]._installed.links[package_id].is_connected)
    assert restarted.peers["AlphaMSP"].is_network_service_connected
    answer = await Administration(restarted, consortium).result(
        "QueryInstalledChaincode", package_id=package_id
    )
    assert [item.name for item in answer.references["testing"].chaincodes] == ["basic"]
    await restarted.close()


async def test_package_installed_after_the_commit_is_served_at_once(
    engine: Engine, administration: Administration, services: Services
) -> None:
    data = package({"address": "late:1"}, label="late")
    package_id = await administration.install(data, "AlphaMSP")
    await administration.define(dict.fromkeys(BOTH, package_id))
    services.answers("late:1", package_id, b"late")
    assert not engine.peers["BetaMSP"].serves("other")
    assert await administration.install(data, "BetaMSP") == package_id
    await until(lambda: engine.peers["BetaMSP"]._installed.links[package_id].is_connected)
    assert engine.peers["BetaMSP"].serves("other")


async def test_installed_packages_are_listed_and_given_back(administration: Administration) -> None:
    data = package(label="other_1.0")
    package_id = await administration.install(data, "AlphaMSP")
    result = await administration.result("QueryInstalledChaincodes")
    assert [(entry.label, entry.package_id) for entry in result.installed_chaincodes] == [
        ("basic", "basic:alphamsp"),
        ("other_1.0", package_id),
    ]
    found = await administration.result("QueryInstalledChaincode", package_id=package_id)
    assert (found.label, dict(found.references)) == ("other_1.0", {})
    used = await administration.result("QueryInstalledChaincode", package_id="basic:alphamsp")
    assert [(item.name, item.version) for item in used.references["testing"].chaincodes] == [("basic", "1.0")]
    given = await administration.result("GetInstalledChaincodePackage", package_id=package_id)
    assert given.chaincode_install_package == data


@pytest.mark.parametrize(
    ("function", "arguments", "text"),
    [
        (
            "QueryInstalledChaincode",
            {"package_id": "x"},
            "failed to invoke backing implementation of 'QueryInstalledChaincode': could not find chaincode "
            "with package id 'x'",
        ),
        (
            "GetInstalledChaincodePackage",
            {"package_id": "x"},
            "failed to invoke backing implementation of 'GetInstalledChaincodePackage': could not load cc "
            "install package: chaincode install package 'x' not found",
        ),
        (
            "InstallChaincode",
            {"chaincode_install_package": package(kind="golang")},
            "failed to invoke backing implementation of 'InstallChaincode': could not build chaincode: "
            "chaincode type not supported: golang: this peer runs chaincode as a service only, install a "
            "package of type ccaas",
        ),
        (
            "QueryApprovedChaincodeDefinition",
            {"name": "other"},
            "failed to invoke backing implementation of 'QueryApprovedChaincodeDefinition': could not fetch "
            "approved chaincode definition (name: 'other', sequence: '0') on channel 'testing'",
        ),
    ],
)
async def test_what_is_not_there_or_cannot_be(
    administration: Administration, function: str, arguments: dict[str, Any], text: str
) -> None:
    message = getattr(lifecycle_pb2, f"{function}Args")(**arguments)
    response = await administration.call(function, message)
    assert (response.status, response.message) == (500, text)


async def test_second_install_of_one_package_is_refused(administration: Administration) -> None:
    data = package()
    package_id = await administration.install(data, "AlphaMSP")
    arguments = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=data)
    response = await administration.call("InstallChaincode", arguments)
    assert response.message.endswith(f"chaincode already successfully installed (package ID '{package_id}')")
    assert await administration.install(data, "BetaMSP") == package_id


async def test_readiness_names_the_fields_that_differ(administration: Administration) -> None:
    await administration.approve("AlphaMSP")
    different = wanted(version="2", validation_parameter=b"")
    result = await administration.result("CheckCommitReadiness", **different)
    assert dict(result.approvals) == {"AlphaMSP": False, "BetaMSP": False}
    assert {msp_id: list(found.items) for msp_id, found in result.mismatches.items()} == {
        "AlphaMSP": ["EndorsementInfo", "ValidationInfo"],
        "BetaMSP": ["ChaincodeParameters"],
    }
    same = await administration.result("CheckCommitReadiness", **wanted())
    assert dict(same.approvals) == {"AlphaMSP": True, "BetaMSP": False}
    assert list(same.mismatches) == ["BetaMSP"]


async def test_an_organization_sees_what_it_approved(administration: Administration) -> None:
    await administration.define({"AlphaMSP": "x:1", "BetaMSP": ""})
    await administration.approve("AlphaMSP", sequence=2, version="2")
    newest = await administration.result("QueryApprovedChaincodeDefinition", name="other")
    assert (newest.sequence, newest.version, newest.source.HasField("unavailable")) == (2, "2", True)
    first = await administration.result("QueryApprovedChaincodeDefinition", name="other", sequence=1)
    assert (first.version, first.source.local_package.package_id) == ("1", "x:1")
    assert first.validation_parameter == POLICY
    every = await administration.result("QueryApprovedChaincodeDefinitions")
    listed = [(found.name, found.sequence) for found in every.approved_chaincode_definitions]
    assert listed == [("basic", 1), ("other", 1), ("other", 2)]
    others = await administration.result("QueryApprovedChaincodeDefinition", "BetaMSP", name="other")
    assert others.sequence == 1


async def test_all_definitions_are_listed(administration: Administration) -> None:
    await administration.define(dict.fromkeys(BOTH, ""))
    result = await administration.result("QueryChaincodeDefinitions")
    listed = [(found.name, found.version) for found in result.chaincode_definitions]
    assert listed == [("basic", "1.0"), ("other", "1")]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"version": "2"},
            "attempted to redefine the current committed sequence (1) for namespace other with different "
            "parameters: expected Version '1' does not match passed Version '2'",
        ),
        (
            {"init_required": True},
            "attempted to redefine the current committed sequence (1) for namespace other with different "
            "parameters: expected InitRequired 'false' does not match passed InitRequired 'true'",
        ),
        ({}, "attempted to redefine the current committed sequence (1) for namespace other"),
        ({"sequence": -1}, "currently defined sequence 1 is larger than requested sequence -1"),
    ],
)
async def test_approvals_of_what_is_committed(
    administration: Administration, fields: dict[str, Any], text: str
) -> None:
    await administration.define(dict.fromkeys(BOTH, ""))
    arguments = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(**wanted(**fields))
    response = await administration.call(APPROVE, arguments)
    assert response.message == f"failed to invoke backing implementation of '{APPROVE}': {text}"


def _collections(*definitions: CollectionDefinition) -> Any:
    return collection_package([definition.collection() for definition in definitions])


async def test_upgrades_keep_every_collection(administration: Administration) -> None:
    kept = CollectionDefinition(name="kept", members="OR('AlphaMSP.member')")
    added = CollectionDefinition(name="added", members="OR('BetaMSP.member')")
    await administration.define(dict.fromkeys(BOTH, ""), collections=_collections(kept))
    for proposed, text in (
        (_collections(), "the proposed collection config does not contain previously defined collections"),
        (_collections(added), "existing collection [kept] missing in the proposed collection configuration"),
    ):
        arguments = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(
            **wanted(sequence=2, collections=proposed)
        )
        response = await administration.call(APPROVE, arguments)
        assert response.message.endswith(f"error validating chaincode definition: {text}")
    await administration.define(dict.fromkeys(BOTH, ""), sequence=2, collections=_collections(added, kept))
    result = await administration.result("QueryChaincodeDefinition", name="other")
    assert [entry.static_collection_config.name for entry in result.collections.config] == ["added", "kept"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": "_c"}, "invalid collection name '_c'. Names can only consist of alphanumerics"),
        ({"required_peer_count": 2, "maximum_peer_count": 1}, "collection-name: c -- maximum peer count (1)"),
        (
            {"required_peer_count": -1},
            "collection-name: c -- requiredPeerCount (-1) cannot be less than zero",
        ),
    ],
)
async def test_collections_that_cannot_be(
    administration: Administration, changes: dict[str, Any], text: str
) -> None:
    package = _collections(CollectionDefinition(name="c", members="OR('AlphaMSP.member')"))
    for name, value in changes.items():
        setattr(package.config[0].static_collection_config, name, value)
    await _expect_refusal(administration, package, text)


async def test_collections_of_strangers_doubles_and_nobody(administration: Administration) -> None:
    definition = CollectionDefinition(name="c", members="OR('AlphaMSP.member')")
    strangers = _collections(CollectionDefinition(name="c", members="OR('GammaMSP.member')"))
    await _expect_refusal(
        administration, strangers, "collection member 'GammaMSP' is not part of the channel"
    )
    doubled = _collections(definition)
    doubled.config.add().CopyFrom(doubled.config[0])
    await _expect_refusal(administration, doubled, "collection-name: c -- found duplicate in collection")
    nobody = _collections(definition)
    nobody.config[0].static_collection_config.ClearField("member_orgs_policy")
    await _expect_refusal(administration, nobody, "collection member policy is not set for collection 'c'")


async def _expect_refusal(administration: Administration, collections: Any, text: str) -> None:
    arguments = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(**wanted(collections=collections))
    response = await administration.call(APPROVE, arguments)
    assert response.status == 500
    assert text in response.message


async def test_definitions_need_a_channel(administration: Administration) -> None:
    approve = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(**wanted())
    response = await administration.call(APPROVE, approve, channel_id="")
    assert response.message.endswith("could not get channelconfig for channel ''")
    query = lifecycle_pb2.QueryChaincodeDefinitionArgs(name="basic")
    response = await administration.call("QueryChaincodeDefinition", query, channel_id="")
    assert response.message == (
        "Failed to authorize invocation due to failed ACL check: Failed getting local MSP principal during "
        "channelless check policy with policy [/Channel/Application/Writers]: [MSP Principal role "
        "[/Channel/Application/Writers] not recognized]"
    )


async def test_one_of_two_installs_at_once_may_fail_but_the_package_is_there(
    administration: Administration,
) -> None:
    data = package()
    arguments = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=data)
    answers = await asyncio.gather(
        *(administration.call("InstallChaincode", arguments, channel_id="") for _ in range(2))
    )
    assert 200 in [answer.status for answer in answers]
    result = await administration.result("QueryInstalledChaincodes")
    assert len(result.installed_chaincodes) == 2
