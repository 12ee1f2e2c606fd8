"""The conversation with a chaincode service: handshake, requests out of turn, time-outs, streams that end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.peer import chaincode_event_pb2, chaincode_pb2, proposal_response_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim
from support.engine_material import Consortium, endorsed, make_consortium, until
from support.memory_chaincode import Call, MemoryService, MemoryStream, PeerRefused

from fabric_embedded.chaincode.connection import ChaincodeConnection
from fabric_embedded.chaincode.link import ChaincodeLink
from fabric_embedded.chaincode.messages import Type
from fabric_embedded.engine import Engine
from fabric_embedded.errors import ChaincodeError


async def _echo(call: Call) -> bytes:
    return call.argument(0).encode()


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {"echo": _echo}, ["AlphaMSP"])


@pytest.fixture
def service(consortium: Consortium) -> MemoryService:
    return consortium.services["AlphaMSP"]


@pytest.fixture
async def engine(consortium: Consortium) -> AsyncIterator[Engine]:
    engine = consortium.engine()
    engine._links[0]._launch_seconds = 0.2
    await engine.start()
    yield engine
    await engine.close()


async def _run(engine: Engine, consortium: Consortium, function: str, *arguments: str) -> Any:
    _, signed = consortium.proposal(function, *arguments, client="AlphaMSP")
    return await engine.peers["AlphaMSP"].process_proposal(signed)


async def test_registration_is_answered_by_registered_and_ready_with_the_batches_on_offer(
    engine: Engine, consortium: Consortium, service: MemoryService
) -> None:
    await _run(engine, consortium, "echo", "x")
    registered, ready, transaction = service.received[:3]
    offered = chaincode_pb2.ChaincodeAdditionalParams.FromString(ready.payload)
    assert [registered.type, ready.type, transaction.type] == [
        Type.REGISTERED,
        Type.READY,
        Type.TRANSACTION,
    ]
    assert (offered.use_write_batch, offered.max_size_write_batch) == (True, 1000)
    assert (offered.use_get_multiple_keys, offered.max_size_get_multiple_keys) == (True, 1000)


@pytest.mark.parametrize("name", ["", "another:package"])
async def test_service_that_registers_another_package_gets_no_answer(name: str) -> None:
    peer_end, service_end = MemoryStream.pair()
    payload = chaincode_pb2.ChaincodeID(name=name).SerializeToString()
    await service_end.send([shim.ChaincodeMessage(type=Type.REGISTER, payload=payload)])
    with pytest.raises(ChaincodeError) as caught:
        await ChaincodeConnection(peer_end, "basic:alpha").register()
    assert caught.value.code == "REGISTRATION_FAILED"
    assert service_end.incoming.empty()


@pytest.mark.parametrize(
    "message",
    [
        None,
        shim.ChaincodeMessage(type=Type.GET_STATE),
        shim.ChaincodeMessage(type=Type.REGISTER, payload=b"\xff"),
    ],
)
async def test_stream_that_does_not_begin_with_a_registration_is_refused(message: Any) -> None:
    peer_end, service_end = MemoryStream.pair()
    if message is None:
        await service_end.close()
    else:
        await service_end.send([message])
    with pytest.raises(ChaincodeError) as caught:
        await ChaincodeConnection(peer_end, "basic:alpha").register()
    assert caught.value.code == "REGISTRATION_FAILED"


async def test_request_for_no_transaction_is_refused_and_others_go_on(
    engine: Engine, consortium: Consortium, service: MemoryService
) -> None:
    await _run(engine, consortium, "echo", "x")
    await service.stream.send(
        [
            shim.ChaincodeMessage(
                type=Type.GET_STATE,
                payload=shim.GetState(key="k").SerializeToString(),
                txid="t",
                channel_id="testing",
            )
        ]
    )
    answer = await _run(engine, consortium, "echo", "y")
    refusal = next(message for message in service.received if message.txid == "t")
    assert refusal.type == Type.ERROR
    assert refusal.payload == b"GET_STATE failed: transaction ID: t: no ledger context"
    assert answer.response.payload == b"y"


async def test_keepalive_is_ignored(engine: Engine, consortium: Consortium, service: MemoryService) -> None:
    await _run(engine, consortium, "echo", "x")
    await service.stream.send([shim.ChaincodeMessage(type=Type.KEEPALIVE)])
    assert (await _run(engine, consortium, "echo", "y")).response.payload == b"y"


@pytest.mark.parametrize("kind", [Type.REGISTER, Type.READY, Type.RESPONSE, 99])
async def test_message_out_of_turn_ends_the_stream_and_a_new_one_is_opened(
    engine: Engine, consortium: Consortium, service: MemoryService, kind: int
) -> None:
    await _run(engine, consortium, "echo", "x")
    first = service.stream
    await first.send([shim.ChaincodeMessage(type=kind)])
    await until(lambda: service.stream is not first)
    assert first.has_ended
    assert (await _run(engine, consortium, "echo", "y")).response.payload == b"y"


@pytest.mark.parametrize(
    "kind",
    [
        Type.GET_STATE,
        Type.PUT_STATE,
        Type.DEL_STATE,
        Type.GET_STATE_BY_RANGE,
        Type.WRITE_BATCH_STATE,
        Type.GET_STATE_MULTIPLE,
        Type.GET_STATE_METADATA,
        Type.PUT_STATE_METADATA,
        Type.GET_PRIVATE_DATA_HASH,
        Type.PURGE_PRIVATE_DATA,
        Type.GET_HISTORY_FOR_KEY,
        Type.QUERY_STATE_NEXT,
        Type.QUERY_STATE_CLOSE,
        Type.INVOKE_CHAINCODE,
    ],
)
async def test_request_that_cannot_be_read_is_refused(
    engine: Engine, consortium: Consortium, service: MemoryService, kind: Type
) -> None:
    async def send_garbage(call: Call) -> bytes:
        with pytest.raises(PeerRefused) as caught:
            await call.request(kind, b"\xff\xff\xff")
        return str(caught.value).encode()

    service.script = {"garbage": send_garbage}
    answer = await _run(engine, consortium, "garbage")
    assert answer.response.payload.startswith(f"{kind.name} failed: transaction ID: ".encode())


async def test_error_of_a_chaincode_is_the_proposals_answer(
    engine: Engine, consortium: Consortium, service: MemoryService
) -> None:
    async def fail(call: Call) -> Any:
        return shim.ChaincodeMessage(type=Type.ERROR, payload=b"it does not work")

    service.script = {"fail": fail}
    answer = await _run(engine, consortium, "fail")
    assert answer.response.status == 500
    assert (
        answer.response.message == "error in simulation: transaction returned with failure: it does not work"
    )
    assert not answer.payload


@pytest.mark.parametrize(
    ("status", "has_payload", "has_endorsement"),
    [(200, True, True), (399, True, True), (404, False, False), (500, True, False)],
)
async def test_status_decides_about_payload_and_endorsement(
    engine: Engine,
    consortium: Consortium,
    service: MemoryService,
    status: int,
    has_payload: bool,
    has_endorsement: bool,
) -> None:
    async def answer_so(call: Call) -> Any:
        return proposal_response_pb2.Response(status=status, message="so", payload=b"p")

    service.script = {"answer": answer_so}
    answer = await _run(engine, consortium, "answer")
    assert (answer.response.status, answer.response.message) == (status, "so")
    assert bool(answer.payload) == has_payload
    assert answer.HasField("endorsement") == has_endorsement


async def test_event_is_recorded_under_the_chaincodes_and_transactions_own_names(
    engine: Engine, consortium: Consortium, service: MemoryService
) -> None:
    async def set_event(call: Call) -> Any:
        response = proposal_response_pb2.Response(status=200)
        event = chaincode_event_pb2.ChaincodeEvent(
            chaincode_id="forged", tx_id="forged", event_name="Noted.v1", payload=b"1"
        )
        return shim.ChaincodeMessage(
            type=Type.COMPLETED, payload=response.SerializeToString(), chaincode_event=event
        )

    service.script = {"event": set_event}
    envelope, proposal = await endorsed(
        engine, consortium, "event", client="AlphaMSP", endorsers=["AlphaMSP"]
    )
    await engine.broadcast(envelope)
    status = await engine.ledger.wait_for_transaction(proposal.transaction_id)
    (event,) = engine.ledger.events(status.block_number)
    assert event == (proposal.transaction_id, "basic", "Noted.v1", b"1")


async def test_run_that_takes_too_long_is_given_up_and_its_requests_refused(
    engine: Engine, consortium: Consortium, service: MemoryService
) -> None:
    refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    go_on = asyncio.Event()

    async def dawdle(call: Call) -> bytes:
        await go_on.wait()
        try:
            await call.get("k")
        except PeerRefused as refusal:
            refused.set_result(str(refusal))
        return b""

    service.script = {"dawdle": dawdle}
    engine.peers["AlphaMSP"]._runner.execution_seconds = 0.05
    answer = await _run(engine, consortium, "dawdle")
    go_on.set()
    assert answer.response.status == 500
    assert answer.response.message.endswith("error sending: timeout expired while executing transaction")
    assert (await refused).endswith("no ledger context")


async def test_service_that_dies_fails_its_runs_and_serves_again_when_it_is_back(
    engine: Engine, consortium: Consortium, service: MemoryService
) -> None:
    started = asyncio.Event()

    async def hang(call: Call) -> bytes:
        started.set()
        return await call.answers.get()  # type: ignore[no-any-return]

    service.script = {"hang": hang, "echo": _echo}
    run = asyncio.create_task(_run(engine, consortium, "hang"))
    await started.wait()
    await service.stop()
    assert (await run).response.message.endswith("error sending: chaincode stream terminated")
    away = (await _run(engine, consortium, "echo", "x")).response
    assert away.status == 500
    assert (
        "could not launch chaincode basic: timeout expired while starting chaincode basic:alphamsp"
        in away.message
    )
    service.is_down = False
    engine._links[0]._launch_seconds = 10
    assert (await _run(engine, consortium, "echo", "x")).response.payload == b"x"


async def test_same_transaction_cannot_run_twice_at_once(
    engine: Engine, consortium: Consortium, service: MemoryService
) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def wait(call: Call) -> bytes:
        started.set()
        await go_on.wait()
        return b""

    service.script = {"wait": wait}
    proposal, signed = consortium.proposal("wait", client="AlphaMSP")
    run = asyncio.create_task(engine.peers["AlphaMSP"].process_proposal(signed))
    await started.wait()
    again = await engine.peers["AlphaMSP"].process_proposal(signed)
    assert again.response.message.endswith(f"txid: {proposal.transaction_id}(testing) exists")
    go_on.set()
    assert (await run).response.status == 200


async def test_link_that_is_not_open_says_that_the_launch_failed(consortium: Consortium) -> None:
    engine = consortium.engine()
    link = ChaincodeLink("basic:alpha", consortium.services["AlphaMSP"].open, launch_seconds=0.01)
    assert not link.is_connected
    await link.close()
    await engine.close()
