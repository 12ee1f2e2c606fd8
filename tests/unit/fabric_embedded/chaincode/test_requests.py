"""Every request that a running chaincode may make of its peer, and what it gets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import policies_pb2
from fabric_protos.ledger.queryresult import kv_query_result_pb2 as queryresult
from fabric_protos.peer import chaincode_pb2, proposal_response_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim
from support.engine_material import Consortium, make_consortium, submit
from support.memory_chaincode import Call, PeerRefused

from fabric_embedded.chaincode.messages import Type
from fabric_embedded.engine import Engine
from fabric_protocol.policies import signed_by_n_of
from fabric_protocol.validation_codes import ValidationCode

Script = Callable[[Call], Any]
COLLECTION = "custodian-AlphaMSP"


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {}, ["AlphaMSP"])


@pytest.fixture
def transact(engine: Engine, consortium: Consortium) -> Callable[[Script], Any]:
    """Commit what a function does."""

    async def run(script: Script) -> int:
        consortium.services["AlphaMSP"].script = {"run": script}
        status = await submit(engine, consortium, "run", client="AlphaMSP", endorsers=["AlphaMSP"])
        return status.code

    return run


@pytest.fixture
def ask(engine: Engine, consortium: Consortium) -> Callable[[Script], Any]:
    """The response to what a function does."""

    async def run(script: Script, **options: Any) -> Any:
        consortium.services["AlphaMSP"].script = {"run": script}
        _, signed = consortium.proposal("run", client="AlphaMSP", **options)
        return (await engine.peers["AlphaMSP"].process_proposal(signed)).response

    return run


async def _fill(call: Call) -> None:
    records = [
        shim.WriteRecord(type=shim.WriteRecord.PUT_STATE, key=f"k{number:03}", value=str(number).encode())
        for number in range(250)
    ]
    await call.request(Type.WRITE_BATCH_STATE, shim.WriteBatchState(rec=records))


def _keys(response: Any) -> list[str]:
    return [queryresult.KV.FromString(item.resultBytes).key for item in response.results]


async def test_batch_of_writes_is_applied_in_order(transact: Any, ask: Any) -> None:
    async def write(call: Call) -> None:
        kinds = shim.WriteRecord
        records = [
            kinds(type=kinds.PUT_STATE, key="a", value=b"1"),
            kinds(type=kinds.PUT_STATE, key="a", value=b"2"),
            kinds(type=kinds.PUT_STATE, key="b", value=b"1"),
            kinds(type=kinds.DEL_STATE, key="b"),
            kinds(type=kinds.PUT_STATE, key="p", value=b"private", collection=COLLECTION),
        ]
        await call.request(Type.WRITE_BATCH_STATE, shim.WriteBatchState(rec=records))

    async def read(call: Call) -> bytes:
        request = shim.GetStateMultiple(keys=["b", "a", "none"])
        found = shim.GetStateMultipleResult.FromString(await call.request(Type.GET_STATE_MULTIPLE, request))
        request = shim.GetStateMultiple(keys=["none", "p"], collection=COLLECTION)
        private = shim.GetStateMultipleResult.FromString(await call.request(Type.GET_STATE_MULTIPLE, request))
        return b"|".join([*found.values, *private.values])

    assert await transact(write) == ValidationCode.VALID
    assert (await ask(read)).payload == b"|2|||private"


async def test_own_writes_are_not_read(ask: Any) -> None:
    async def write_and_read(call: Call) -> bytes:
        await call.put("k", b"new")
        return await call.get("k")

    assert (await ask(write_and_read)).payload == b""


async def test_key_level_policy_is_written_read_and_enforced(transact: Any, ask: Any) -> None:
    policy = signed_by_n_of(1, ["OtherMSP"]).SerializeToString()

    async def set_policy(call: Call) -> None:
        await call.put("k", b"v")
        entry = shim.StateMetadata(metakey="VALIDATION_PARAMETER", value=policy)
        await call.request(Type.PUT_STATE_METADATA, shim.PutStateMetadata(key="k", metadata=entry))

    async def get_policy(call: Call) -> bytes:
        answer = await call.request(Type.GET_STATE_METADATA, shim.GetStateMetadata(key="k"))
        (entry,) = shim.StateMetadataResult.FromString(answer).entries
        return bytes(entry.value)

    async def change(call: Call) -> None:
        await call.put("k", b"w")

    assert await transact(set_policy) == ValidationCode.VALID
    found = policies_pb2.SignaturePolicyEnvelope.FromString((await ask(get_policy)).payload)
    assert found.SerializeToString() == policy
    assert await transact(change) == ValidationCode.ENDORSEMENT_POLICY_FAILURE


async def test_private_metadata_is_public(transact: Any, ask: Any) -> None:
    async def write(call: Call) -> None:
        await call.put("k", b"v", COLLECTION)
        entry = shim.StateMetadata(metakey="VALIDATION_PARAMETER", value=b"")
        request = shim.PutStateMetadata(key="k", metadata=entry, collection=COLLECTION)
        await call.request(Type.PUT_STATE_METADATA, request)

    async def read(call: Call) -> bytes:
        request = shim.GetStateMetadata(key="k", collection=COLLECTION)
        answer = shim.StateMetadataResult.FromString(await call.request(Type.GET_STATE_METADATA, request))
        return b",".join(entry.metakey.encode() for entry in answer.entries) + await call.get("k", COLLECTION)

    assert await transact(write) == ValidationCode.VALID
    assert (await ask(read)).payload == b"VALIDATION_PARAMETERv"


async def test_range_comes_in_pages_of_a_hundred(transact: Any, ask: Any) -> None:
    sizes: list[int] = []

    async def read(call: Call) -> None:
        request = shim.GetStateByRange(startKey="k", endKey="l")
        page = shim.QueryResponse.FromString(await call.request(Type.GET_STATE_BY_RANGE, request))
        sizes.append(len(page.results))
        assert _keys(page)[0] == "k000"
        while page.has_more:
            following = shim.QueryStateNext(id=page.id)
            page = shim.QueryResponse.FromString(await call.request(Type.QUERY_STATE_NEXT, following))
            sizes.append(len(page.results))
        with pytest.raises(PeerRefused, match="query iterator not found"):
            await call.request(Type.QUERY_STATE_NEXT, shim.QueryStateNext(id=page.id))

    await transact(_fill)
    assert (await ask(read)).status == 200
    assert sizes == [100, 100, 50]


async def test_iterator_can_be_closed_before_its_end_and_closing_an_unknown_one_does_no_harm(
    transact: Any, ask: Any
) -> None:
    async def read(call: Call) -> None:
        request = shim.GetStateByRange(startKey="", endKey="")
        page = shim.QueryResponse.FromString(await call.request(Type.GET_STATE_BY_RANGE, request))
        for identifier in (page.id, "unknown"):
            close = shim.QueryStateClose(id=identifier)
            answer = shim.QueryResponse.FromString(await call.request(Type.QUERY_STATE_CLOSE, close))
            assert (answer.id, answer.has_more) == (identifier, False)
        with pytest.raises(PeerRefused):
            await call.request(Type.QUERY_STATE_NEXT, shim.QueryStateNext(id=page.id))

    await transact(_fill)
    assert (await ask(read)).status == 200


async def test_paginated_range_has_a_bookmark_and_forbids_writes(transact: Any, ask: Any) -> None:
    async def read(call: Call) -> bytes:
        paging = shim.QueryMetadata(pageSize=3, bookmark="k010").SerializeToString()
        request = shim.GetStateByRange(startKey="k", endKey="l", metadata=paging)
        page = shim.QueryResponse.FromString(await call.request(Type.GET_STATE_BY_RANGE, request))
        metadata = shim.QueryResponseMetadata.FromString(page.metadata)
        assert _keys(page) == ["k010", "k011", "k012"]
        assert (metadata.fetched_records_count, metadata.bookmark, page.has_more) == (3, "k013", False)
        with pytest.raises(PeerRefused, match="unsuppored transaction"):
            await call.put("k", b"v")
        return b""

    await transact(_fill)
    assert (await ask(read)).status == 200


async def test_private_range(transact: Any, ask: Any) -> None:
    async def write(call: Call) -> None:
        for number in range(3):
            await call.put(f"p{number}", b"v", COLLECTION)

    async def read(call: Call) -> bytes:
        request = shim.GetStateByRange(startKey="p1", endKey="", collection=COLLECTION)
        page = shim.QueryResponse.FromString(await call.request(Type.GET_STATE_BY_RANGE, request))
        return ",".join(_keys(page)).encode()

    await transact(write)
    assert (await ask(read)).payload == b"p1,p2"


async def test_history_is_newest_first_and_has_deletes_and_no_changes_of_metadata(
    transact: Any, ask: Any
) -> None:
    def put(value: bytes) -> Script:
        async def write(call: Call) -> None:
            await call.put("k", value)

        return write

    async def delete(call: Call) -> None:
        await call.request(Type.DEL_STATE, shim.DelState(key="k"))

    async def mark(call: Call) -> None:
        metadata = shim.StateMetadata(metakey="m", value=b"x")
        await call.request(Type.PUT_STATE_METADATA, shim.PutStateMetadata(key="k", metadata=metadata))

    async def read(call: Call) -> bytes:
        answer = await call.request(Type.GET_HISTORY_FOR_KEY, shim.GetHistoryForKey(key="k"))
        page = shim.QueryResponse.FromString(answer)
        changes = [queryresult.KeyModification.FromString(item.resultBytes) for item in page.results]
        assert all(change.timestamp.seconds and len(change.tx_id) == 64 for change in changes)
        return b",".join(b"-" if change.is_delete else change.value for change in changes)

    for script in (put(b"1"), mark, put(b"2"), delete, put(b"3"), mark):
        assert await transact(script) == ValidationCode.VALID
    assert (await ask(read)).payload == b"3,-,2,1"


async def test_rich_queries_are_refused_as_leveldb_refuses_them(ask: Any) -> None:
    async def query(call: Call) -> None:
        await call.request(Type.GET_QUERY_RESULT, shim.GetQueryResult(query="{}"))

    assert "ExecuteQuery not supported for leveldb" in (await ask(query)).message


async def test_purge_outside_a_collection_is_refused(ask: Any) -> None:
    async def purge(call: Call) -> None:
        await call.request(Type.PURGE_PRIVATE_DATA, shim.DelState(key="k"))

    assert "only applicable for private data" in (await ask(purge)).message


async def test_private_data_in_an_init_call_is_refused(ask: Any) -> None:
    async def read(call: Call) -> None:
        await call.get("k", COLLECTION)

    assert "does not require initialization but called as init" in (await ask(read, is_init=True)).message


def _specification(name: str, *arguments: bytes) -> Any:
    return chaincode_pb2.ChaincodeSpec(
        chaincode_id=chaincode_pb2.ChaincodeID(name=name), input=chaincode_pb2.ChaincodeInput(args=arguments)
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("basic", "execute failed: error sending: txid: "),
        ("basic/testing", "execute failed: error sending: txid: "),
        (
            "unknown",
            "execute failed: invalid invocation: [channel testing] failed to get chaincode container info "
            "for unknown: chaincode unknown not found",
        ),
        ("basic/elsewhere", "Failed to get policy manager for channel [elsewhere]"),
        ("qscc/elsewhere", "failed to find ledger for channel: elsewhere"),
        ("lscc", "execute failed: could not launch chaincode lscc.syscc: error building chaincode: "),
    ],
)
async def test_calls_of_chaincodes_that_cannot_be(ask: Any, name: str, text: str) -> None:
    async def call_it(call: Call) -> None:
        await call.request(Type.INVOKE_CHAINCODE, _specification(name, b"run"))

    response = await ask(call_it)
    assert response.message.startswith("INVOKE_CHAINCODE failed: transaction ID: ")
    assert text in response.message


async def test_lifecycle_can_be_called_by_a_chaincode(ask: Any) -> None:
    async def call_it(call: Call) -> bytes:
        specification = _specification("_lifecycle", b"QueryChaincodeDefinition", b"\x0a\x05basic")
        answer = await call.request(Type.INVOKE_CHAINCODE, specification)
        message = shim.ChaincodeMessage.FromString(answer)
        assert message.type == Type.COMPLETED
        return str(proposal_response_pb2.Response.FromString(message.payload).status).encode()

    assert (await ask(call_it)).payload == b"200"
