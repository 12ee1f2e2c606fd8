"""How the results of queries are fetched."""

from datetime import UTC, datetime

import pytest
from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_shim_pb2
from support.scripted_peer import (
    Message,
    answered,
    call,
    requests,
    response_of,
)

PAGE = "GET_STATE_BY_RANGE"


PAGE = "GET_STATE_BY_RANGE"


def kv_page(keys, *, has_more=False, query_id="q", bookmark=None):
    page = chaincode_shim_pb2.QueryResponse(has_more=has_more, id=query_id)
    if bookmark is not None:
        page.metadata = chaincode_shim_pb2.QueryResponseMetadata(bookmark=bookmark).SerializeToString()
    for key in keys:
        page.results.add(resultBytes=kv_query_result_pb2.KV(key=key, value=b"v").SerializeToString())
    return page.SerializeToString()


async def test_a_range_is_fetched_page_by_page():
    async def function(stub):
        return ",".join([key async for key, _ in stub.get_range("a", "z")]).encode()

    def setup(peer):
        peer.answers[Message.GET_STATE_BY_RANGE] = [kv_page("ab", has_more=True)]
        peer.answers[Message.QUERY_STATE_NEXT] = [kv_page("cd", has_more=True), kv_page("e")]

    peer, answer = await call(function, setup)
    assert answered(answer) == b"a,b,c,d,e"
    assert requests(peer) == [PAGE, "QUERY_STATE_NEXT", "QUERY_STATE_NEXT"]


async def test_a_range_left_early_is_closed_once():
    async def function(stub):
        async with stub.get_range("", "") as entries:
            async for _ in entries:
                break
        await entries.aclose()
        return str([entry async for entry in entries]).encode()

    def setup(peer):
        peer.answers[Message.GET_STATE_BY_RANGE] = [kv_page("ab", has_more=True, query_id="q7")]

    peer, answer = await call(function, setup)
    assert answered(answer) == b"[]"
    assert requests(peer) == [PAGE, "QUERY_STATE_CLOSE"]
    assert chaincode_shim_pb2.QueryStateClose.FromString(peer.seen[2].payload).id == "q7"


async def test_a_finished_range_is_not_closed_and_an_unused_one_not_opened():
    async def function(stub):
        async with stub.get_range("", "") as entries:
            [entry async for entry in entries]
        async with stub.get_range("", ""):
            pass
        return b""

    peer, _ = await call(function)
    assert requests(peer) == [PAGE]


async def test_an_empty_start_skips_composite_keys():
    async def function(stub):
        [entry async for entry in stub.get_range("", "")]
        [entry async for entry in stub.get_by_partial_composite_key("t", ["a"])]
        return b""

    peer, _ = await call(function)
    asked = [chaincode_shim_pb2.GetStateByRange.FromString(m.payload) for m in peer.seen[1:3]]
    assert (asked[0].startKey, asked[0].endKey) == ("\x01", "")
    assert (asked[1].startKey, asked[1].endKey) == ("\x00t\x00a\x00", "\x00t\x00a\x00\U0010ffff")


async def test_pages_carry_size_and_bookmark():
    async def function(stub):
        page = await stub.get_by_partial_composite_key_page("t", [], 2, "from")
        rich = await stub.query_page("{}", 3)
        return repr((page.entries, page.bookmark, rich.bookmark)).encode()

    def setup(peer):
        peer.answers[Message.GET_STATE_BY_RANGE] = [kv_page("a", bookmark="next")]
        peer.answers[Message.GET_QUERY_RESULT] = [kv_page("", bookmark="")]

    peer, answer = await call(function, setup)
    assert answered(answer) == b"((('a', b'v'),), 'next', '')"
    asked = chaincode_shim_pb2.GetStateByRange.FromString(peer.seen[1].payload)
    metadata = chaincode_shim_pb2.QueryMetadata.FromString(asked.metadata)
    assert (metadata.pageSize, metadata.bookmark) == (2, "from")


async def test_history_holds_deletions_and_times():
    async def function(stub):
        found = [change async for change in stub.history("k")]
        assert [(c.transaction_id, c.value) for c in found] == [("t2", None), ("t1", b"v")]
        assert found[1].proposal_time == datetime(1970, 1, 1, 0, 0, 1, 500000, UTC)
        return b""

    def setup(peer):
        page = chaincode_shim_pb2.QueryResponse()
        for change in (
            kv_query_result_pb2.KeyModification(tx_id="t2", is_delete=True),
            kv_query_result_pb2.KeyModification(
                tx_id="t1", value=b"v", timestamp={"seconds": 1, "nanos": 500000000}
            ),
        ):
            page.results.add(resultBytes=change.SerializeToString())
        peer.answers[Message.GET_HISTORY_FOR_KEY] = [page.SerializeToString()]

    _, answer = await call(function, setup)
    answered(answer)


@pytest.mark.parametrize("payload", [b"\xff", b"\x0a\x03\x0a\x01\xff"])
async def test_an_unreadable_page_is_a_peer_error(payload):
    async def function(stub):
        return str([entry async for entry in stub.get_range("", "")]).encode()

    def setup(peer):
        peer.answers[Message.GET_STATE_BY_RANGE] = [payload]

    _, answer = await call(function, setup)
    assert response_of(answer).status == 500
