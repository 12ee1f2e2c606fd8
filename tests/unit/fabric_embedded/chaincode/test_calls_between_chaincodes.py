"""One chaincode calls another on the same channel: one read-write set, the callee's namespace, no event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.peer import chaincode_event_pb2, chaincode_pb2, proposal_response_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim
from support.engine_material import Consortium, make_consortium, submit
from support.memory_chaincode import Call, MemoryService

from fabric_embedded.chaincode.link import ChaincodeLink
from fabric_embedded.chaincode.messages import Type
from fabric_embedded.engine import Engine
from fabric_embedded.lifecycle.deployment import Deployment
from fabric_protocol.validation_codes import ValidationCode

PACKAGE = "other:alphamsp"


async def _call_other(call: Call) -> Any:
    specification = chaincode_pb2.ChaincodeSpec(
        chaincode_id=chaincode_pb2.ChaincodeID(name="other:1.0/testing"),
        input=chaincode_pb2.ChaincodeInput(args=[b"write", call.arguments[1]]),
    )
    await call.put("called", b"yes")
    answer = await call.request(Type.INVOKE_CHAINCODE, specification)
    message = shim.ChaincodeMessage.FromString(answer)
    assert message.type == Type.COMPLETED
    assert not message.HasField("chaincode_event")
    return proposal_response_pb2.Response.FromString(message.payload)


async def _get(call: Call) -> bytes:
    return await call.get(call.argument(0))


async def _write(call: Call) -> Any:
    await call.put("k", call.arguments[1])
    response = proposal_response_pb2.Response(status=200, payload=b"written")
    event = chaincode_event_pb2.ChaincodeEvent(event_name="Lost.v1")
    return shim.ChaincodeMessage(
        type=Type.COMPLETED, payload=response.SerializeToString(), chaincode_event=event
    )


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {"call": _call_other, "get": _get}, ["AlphaMSP"])


@pytest.fixture
async def engine(consortium: Consortium) -> AsyncIterator[Engine]:
    engine = consortium.engine()
    await engine.start()
    other = MemoryService(PACKAGE, {"write": _write, "get": _get})
    link = ChaincodeLink(PACKAGE, other.open)
    link.open()
    engine.peers["AlphaMSP"]._installed.links[PACKAGE] = link
    administrators = {
        msp_id: replace(found, package_id=PACKAGE)
        for msp_id, found in consortium.material.administrators.items()
    }
    deployment = Deployment(engine, engine.ledger.wait_for_transaction, administrators)
    async with engine._snapshots.use() as snapshot:
        definition = replace(engine.topology.chaincode, name="other")
        await deployment.run(definition, snapshot.state, snapshot.private)
    yield engine
    await link.close()
    await engine.close()


async def test_callee_writes_its_own_namespace_in_the_same_transaction(
    engine: Engine, consortium: Consortium
) -> None:
    status = await submit(engine, consortium, "call", "value", client="AlphaMSP", endorsers=["AlphaMSP"])
    assert status.code == ValidationCode.VALID
    written = engine.ledger.state.get("other", "k")
    assert written is not None
    assert written.value == b"value"
    assert engine.ledger.state.get("basic", "k") is None
    assert engine.ledger.state.get("basic", "called") is not None
    assert engine.ledger.events(status.block_number) == ()


async def test_two_chaincodes_are_served_side_by_side(engine: Engine, consortium: Consortium) -> None:
    await submit(engine, consortium, "call", "value", client="AlphaMSP", endorsers=["AlphaMSP"])
    answers = []
    for chaincode in ("basic", "other"):
        _, signed = consortium.proposal("get", "k", client="AlphaMSP", chaincode=chaincode)
        answers.append((await engine.peers["AlphaMSP"].process_proposal(signed)).response.payload)
    assert answers == [b"", b"value"]
