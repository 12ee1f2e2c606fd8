"""The system chaincode `_lifecycle` and the deployment that goes through it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.peer import proposal_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2
from support.engine_material import Consortium, make_consortium
from support.sample_organizations import Member

from fabric_embedded.engine import Engine
from fabric_embedded.errors import ChaincodeError
from fabric_embedded.lifecycle.deployment import Deployment, wanted_definition
from fabric_protocol.definitions import read_definition
from fabric_protocol.policies import application_policy
from fabric_protocol.proposals import new_proposal
from fabric_protocol.signatures import sign

BOTH = ("AlphaMSP", "BetaMSP")
POLICY = application_policy("OutOf(2, 'AlphaMSP.peer', 'BetaMSP.peer')")
APPROVE = "ApproveChaincodeDefinitionForMyOrg"
COMMIT = "CommitChaincodeDefinition"


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {}, BOTH, collections=[])


async def _call(
    engine: Engine,
    member: Member,
    function: str,
    arguments: Any,
    *,
    peer: str = "AlphaMSP",
    extra: tuple[bytes, ...] = (),
) -> Any:
    data = arguments if isinstance(arguments, bytes) else arguments.SerializeToString()
    proposal = new_proposal(
        channel_id="testing",
        chaincode="_lifecycle",
        arguments=[function.encode(), data, *extra],
        creator=member.serialized,
    )
    signed = proposal_pb2.SignedProposal(
        proposal_bytes=proposal.data, signature=sign(member.key, proposal.data)
    )
    return await engine.peers[peer].process_proposal(signed)


def _approval(**fields: Any) -> Any:
    wanted = {"name": "other", "version": "1", "sequence": 1, "validation_parameter": POLICY, **fields}
    return lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(**wanted)


def _commit(**fields: Any) -> Any:
    wanted = {"name": "other", "version": "1", "sequence": 1, "validation_parameter": POLICY, **fields}
    return lifecycle_pb2.CommitChaincodeDefinitionArgs(**wanted)


async def test_query_names_the_definition_and_who_approved_it(engine: Engine, consortium: Consortium) -> None:
    arguments = lifecycle_pb2.QueryChaincodeDefinitionArgs(name="basic")
    answer = await _call(engine, consortium.clients["BetaMSP"], "QueryChaincodeDefinition", arguments)
    result = lifecycle_pb2.QueryChaincodeDefinitionResult.FromString(answer.response.payload)
    assert (result.sequence, result.version, result.endorsement_plugin) == (1, "1.0", "escc")
    assert dict(result.approvals) == {"AlphaMSP": True, "BetaMSP": True}


async def test_query_of_an_undefined_name_is_not_found(engine: Engine, consortium: Consortium) -> None:
    arguments = lifecycle_pb2.QueryChaincodeDefinitionArgs(name="none")
    answer = await _call(engine, consortium.clients["BetaMSP"], "QueryChaincodeDefinition", arguments)
    assert (answer.response.status, answer.response.message) == (404, "namespace none is not defined")


async def test_readiness_says_who_approved_what_would_come_next(
    engine: Engine, consortium: Consortium
) -> None:
    arguments = lifecycle_pb2.CheckCommitReadinessArgs(
        name="basic", version="2", sequence=2, validation_parameter=POLICY
    )
    answer = await _call(engine, consortium.clients["AlphaMSP"], "CheckCommitReadiness", arguments)
    result = lifecycle_pb2.CheckCommitReadinessResult.FromString(answer.response.payload)
    assert dict(result.approvals) == {"AlphaMSP": False, "BetaMSP": False}


@pytest.mark.parametrize("member", ["client of the organization", "administrator of another"])
async def test_only_the_organizations_administrator_approves(
    engine: Engine, consortium: Consortium, member: str
) -> None:
    who = (
        consortium.clients["AlphaMSP"]
        if member.startswith("client")
        else consortium.administrators["BetaMSP"]
    )
    answer = await _call(engine, who, APPROVE, _approval())
    assert answer.response.status == 500
    assert answer.response.message.startswith("Failed to authorize invocation due to failed ACL check: ")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"sequence": 2}, "requested sequence 2 is larger than the next available sequence number 1"),
        ({"sequence": 0}, "requested sequence is 0, but first definable sequence number is 1"),
        ({"name": "basic", "sequence": 1}, "attempted to redefine the current committed sequence (1)"),
        (
            {"name": "_lifecycle"},
            "error validating chaincode definition: invalid chaincode name '_lifecycle'",
        ),
        ({"name": "lscc"}, "error validating chaincode definition: chaincode name 'lscc' is the name of"),
        ({"version": "a b"}, "error validating chaincode definition: invalid chaincode version 'a b'"),
    ],
)
async def test_approvals_that_cannot_be(
    engine: Engine, consortium: Consortium, fields: dict[str, Any], text: str
) -> None:
    answer = await _call(engine, consortium.administrators["AlphaMSP"], APPROVE, _approval(**fields))
    assert answer.response.status == 500
    assert answer.response.message.startswith(
        f"failed to invoke backing implementation of '{APPROVE}': {text}"
    )


async def test_commit_needs_the_endorsers_own_approval(engine: Engine, consortium: Consortium) -> None:
    answer = await _call(engine, consortium.administrators["AlphaMSP"], COMMIT, _commit())
    assert answer.response.message.endswith("chaincode definition not agreed to by this org (AlphaMSP)")


async def test_commit_of_a_sequence_that_does_not_follow(engine: Engine, consortium: Consortium) -> None:
    answer = await _call(engine, consortium.administrators["AlphaMSP"], COMMIT, _commit(sequence=3))
    assert answer.response.message.endswith("requested sequence is 3, but new definition must be sequence 1")


@pytest.mark.parametrize(
    ("function", "arguments", "extra", "text"),
    [
        ("None", b"", (), "failed ACL check: Unmapped policy for _lifecycle/None"),
        (APPROVE, b"\xff", (), "could not decode input arg for *lifecycle.Invocation.Approve"),
        (APPROVE, b"", (b"more",), "lifecycle scc operations require exactly two arguments but received 3"),
        (
            "InstallChaincode",
            b"",
            (),
            "could not parse as a chaincode install package: error reading as gzip",
        ),
    ],
)
async def test_calls_that_make_no_sense(
    engine: Engine,
    consortium: Consortium,
    function: str,
    arguments: bytes,
    extra: tuple[bytes, ...],
    text: str,
) -> None:
    answer = await _call(engine, consortium.administrators["AlphaMSP"], function, arguments, extra=extra)
    assert answer.response.status == 500
    assert text in answer.response.message


def _with_chaincode(consortium: Consortium, **changes: Any) -> Consortium:
    topology = consortium.material.topology
    changed = replace(topology, chaincode=replace(topology.chaincode, **changes))
    return replace(consortium, material=replace(consortium.material, topology=changed))


async def test_second_start_deploys_nothing(consortium: Consortium) -> None:
    heights = []
    for _ in range(2):
        engine = consortium.engine()
        await engine.start()
        heights.append(engine.ledger.height)
        await engine.close()
    assert heights == [4, 4]


async def test_topology_with_the_next_sequence_upgrades_a_running_ledger(consortium: Consortium) -> None:
    engine = consortium.engine()
    await engine.start()
    await engine.close()
    upgraded = _with_chaincode(consortium, sequence=2, version="2.0")
    engine = upgraded.engine()
    await engine.start()
    definition = read_definition(engine.ledger.state, "basic")
    assert definition == wanted_definition(upgraded.material.topology.chaincode)
    assert engine.peers["BetaMSP"].serves("basic")
    await engine.close()
    engine = consortium.engine()
    await engine.start()
    assert read_definition(engine.ledger.state, "basic") == definition
    await engine.close()


async def test_another_package_is_approved_again_without_a_commit(consortium: Consortium) -> None:
    engine = consortium.engine()
    await engine.start()
    await engine.close()
    administrators = {
        msp_id: replace(found, package_id="basic:renewed")
        for msp_id, found in consortium.material.administrators.items()
    }
    renewed = replace(consortium, material=replace(consortium.material, administrators=administrators))
    engine = renewed.engine()
    await engine.start()
    assert engine.ledger.height == 6
    assert all(peer.serves("basic") for peer in engine.peers.values())
    await engine.close()


async def test_same_sequence_with_another_content_is_refused(consortium: Consortium) -> None:
    engine = consortium.engine()
    await engine.start()
    await engine.close()
    engine = _with_chaincode(consortium, version="2.0").engine()
    with pytest.raises(ChaincodeError) as caught:
        await engine.start()
    await engine.close()
    assert caught.value.code == "DEPLOYMENT_FAILED"
    assert "attempted to redefine the current committed sequence (1)" in caught.value.message


async def test_half_finished_deployment_is_finished(
    consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ChaincodeError("DEPLOYMENT_FAILED", "killed here")

    engine = consortium.engine()
    with monkeypatch.context() as patch:
        patch.setattr(Deployment, "_commit", fail)
        with pytest.raises(ChaincodeError):
            await engine.start()
    await engine.close()
    engine = consortium.engine()
    await engine.start()
    assert engine.ledger.height == 4
    assert engine.peers["AlphaMSP"].serves("basic")
    await engine.close()
