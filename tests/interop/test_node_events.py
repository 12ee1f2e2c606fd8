"""`@hyperledger/fabric-gateway`, unmodified, against the embedded engine: events and blocks."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2
from support.embedded import User
from support.node_client import NodeClient, NodeError

from fabric_embedded import read_blocks
from fabric_embedded.network import EmbeddedNetwork
from fabric_protocol.transactions import Transaction

pytestmark = pytest.mark.optional_tool("node")


@pytest.fixture(scope="module")
def submitted(node: NodeClient) -> list[dict[str, Any]]:
    """Three transactions with events and one without between them."""
    done = [node.run("submitAsync", "alpha", "put", f"event-{number}", "v") for number in range(2)]
    node.run("submit", "alpha", "put_quietly", "event-none", "v")
    return [*done, node.run("submitAsync", "beta", "put", "event-2", "v")]


def test_events_from_a_start_block(node: NodeClient, submitted: list[dict[str, Any]]) -> None:
    events = node.call("events", **{"as": "alpha"}, start=submitted[0]["blockNumber"], count=3)
    assert events == [
        {
            "block": done["blockNumber"],
            "transactionId": done["transactionId"],
            "chaincode": "basic",
            "name": "put",
            "payload": f"event-{number}",
        }
        for number, done in enumerate(submitted)
    ]


def test_events_go_on_after_a_checkpoint(
    node: NodeClient, submitted: list[dict[str, Any]], tmp_path: Path
) -> None:
    found = [
        node.call(
            "events",
            **{"as": "beta"},
            start=submitted[0]["blockNumber"],
            checkpoint=str(tmp_path / "checkpoint.json"),
            count=1,
        )[0]["transactionId"]
        for _ in submitted
    ]
    assert found == [done["transactionId"] for done in submitted]


def test_live_events(node: NodeClient) -> None:
    events = node.run("liveEvents", "alpha", "put", "live", "v", count=3)
    assert [event["payload"] for event in events] == ["live"] * 3


def test_an_event_of_an_invalid_transaction_is_not_told(node: NodeClient) -> None:
    with pytest.raises(NodeError):
        node.run("submit", "alpha", "put", "invalid", "1", organizations=["AlphaMSP"])
    done = node.run("submitAsync", "alpha", "put", "after-invalid", "1")
    (event,) = node.call("events", **{"as": "alpha"}, start=done["blockNumber"] - 1, count=1)
    assert event["payload"] == "after-invalid"


def test_blocks_are_the_ones_of_the_ledger(
    node: NodeClient, network: EmbeddedNetwork, submitted: list[dict[str, Any]]
) -> None:
    count = submitted[-1]["blockNumber"] + 1
    blocks = node.call("blocks", **{"as": "alpha"}, form="full", start=0, count=count)
    assert [block["number"] for block in blocks] == list(range(count))
    stored = list(read_blocks(network.directory / "ledger"))[:count]
    received = [base64.b64decode(block["bytes64"]) for block in blocks]
    assert [common_pb2.Block.FromString(data) for data in received] == [
        common_pb2.Block.FromString(data) for data in stored
    ]


def test_filtered_blocks_tell_codes_and_event_names_only(
    node: NodeClient, submitted: list[dict[str, Any]]
) -> None:
    wanted = submitted[0]
    (item,) = node.call("blocks", **{"as": "beta"}, form="filtered", start=wanted["blockNumber"], count=1)
    block = events_pb2.FilteredBlock.FromString(base64.b64decode(item["bytes64"]))
    assert (block.channel_id, block.number) == ("testing", wanted["blockNumber"])
    (transaction,) = block.filtered_transactions
    assert (transaction.txid, transaction.tx_validation_code) == (wanted["transactionId"], 0)
    assert transaction.type == common_pb2.ENDORSER_TRANSACTION
    (action,) = transaction.transaction_actions.chaincode_actions
    assert (action.chaincode_event.event_name, action.chaincode_event.payload) == ("put", b"")


def test_a_stranger_gets_no_blocks(
    node: NodeClient, network: EmbeddedNetwork, users: dict[str, User]
) -> None:
    node.open("block-forger", network, replace(users["alpha"], key=users["beta"].key))
    with pytest.raises(NodeError) as refused:
        node.call("blocks", **{"as": "block-forger"}, form="full", start=0, count=1)
    assert refused.value.message == "Unexpected status response: 403"


def test_the_transaction_id_is_that_of_the_block(
    node: NodeClient, network: EmbeddedNetwork, submitted: list[dict[str, Any]]
) -> None:
    blocks = [common_pb2.Block.FromString(data) for data in read_blocks(network.directory / "ledger")]
    for done in submitted:
        ids = [
            Transaction.from_envelope(data).transaction_id for data in blocks[done["blockNumber"]].data.data
        ]
        assert done["transactionId"] in ids
