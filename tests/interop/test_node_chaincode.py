"""The official Node.js chaincode runtime, unmodified, run by the embedded engine over mutual TLS."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from support.node_chaincode import NodeChaincode

from fabric_gateway import CommitError, Contract, EndorseError, EvaluateError

pytestmark = pytest.mark.optional_tool("node")

ALPHAS = "custodian-AlphaMSP"


@pytest.fixture
def alpha(node_chaincode: NodeChaincode) -> Contract:
    return node_chaincode.contract("alpha")


@pytest.fixture
def beta(node_chaincode: NodeChaincode) -> Contract:
    return node_chaincode.contract("beta")


@pytest.fixture(scope="session")
def many(node_chaincode: NodeChaincode) -> Contract:
    """120 keys `many0000` to `many0119`: more than one answer of the peer holds."""
    contract = node_chaincode.contract("alpha")
    contract.submit("putMany", "many", "120")
    return contract


def asked(contract: Contract, function: str, *arguments: str) -> Any:
    """What a function that answers with JSON says."""
    return json.loads(contract.evaluate(function, *arguments))


def failure(contract: Contract, function: str, *arguments: str, organizations: Sequence[str] = ()) -> str:
    """What the peer says of an evaluation that fails."""
    with pytest.raises(EvaluateError) as refused:
        contract.evaluate(function, *arguments, endorsing_organizations=organizations)
    return refused.value.details[0].message


def test_state(alpha: Contract, beta: Contract) -> None:
    assert alpha.submit("put", "state", "grüße") == "grüße".encode()
    assert beta.evaluate("get", "state") == "grüße".encode()
    beta.submit("delete", "state")
    assert alpha.evaluate("get", "state") == b""


def test_a_transaction_does_not_read_its_own_writes(alpha: Contract) -> None:
    assert alpha.submit("putAndGet", "own", "1") == b""
    assert alpha.submit("putAndGet", "own", "2") == b"1"


def test_ranges(many: Contract) -> None:
    rows = [f"many{number:04}={number}" for number in range(120)]
    assert asked(many, "range", "many", "many~") == rows
    assert asked(many, "range", "many0010", "many0013") == rows[10:13]
    assert asked(many, "range", "nothing", "nothing~") == []
    assert many.evaluate("firstOfRange", "many", "many~") == rows[0].encode()


def test_pages_follow_one_another(many: Contract) -> None:
    rows, bookmark, counts = [], "", []
    while True:
        page = asked(many, "page", "many", "many~", "50", bookmark)
        rows += page["rows"]
        counts.append(page["count"])
        bookmark = page["bookmark"]
        if not bookmark:
            break
    assert rows == [f"many{number:04}={number}" for number in range(120)]
    assert counts == [50, 50, 20]


def test_a_write_after_a_page_is_refused(many: Contract) -> None:
    message = failure(many, "writeAfterPage")
    assert "paginated quer" in message


def test_a_range_read_by_a_transaction_is_protected(many: Contract, alpha: Contract) -> None:
    assert len(json.loads(many.submit("range", "many", "many~"))) == 120


def test_composite_keys(alpha: Contract) -> None:
    for parts in ("red/1", "red/2", "blue/1"):
        alpha.submit("putComposite", "colour~number", parts)
    assert asked(alpha, "partial", "colour~number", "red") == ["red/1", "red/2"]
    assert asked(alpha, "partial", "colour~number", "") == ["blue/1", "red/1", "red/2"]
    assert not [row for row in asked(alpha, "range", "", "") if "red" in row]


def test_history_newest_first(alpha: Contract) -> None:
    first = alpha.submit_async("put", "history", "1")
    assert first.commit.status().successful
    second = alpha.submit_async("put", "history", "2")
    assert second.commit.status().successful
    alpha.submit("delete", "history")
    changes = asked(alpha, "history", "history")
    assert [(change["value"], change["isDelete"]) for change in changes] == [
        ("", True),
        ("2", False),
        ("1", False),
    ]
    assert [change["transaction"] for change in changes[1:]] == [
        second.commit.transaction_id,
        first.commit.transaction_id,
    ]
    assert all(change["seconds"] > 0 for change in changes)


def test_private_data(alpha: Contract, beta: Contract) -> None:
    value = b"very private"
    alpha.submit("putPrivate", ALPHAS, "p1", transient={"value": value})
    assert alpha.evaluate("getPrivate", ALPHAS, "p1") == value
    assert asked(alpha, "privateRange", ALPHAS, "", "") == [f"p1={value.decode()}"]
    assert beta.evaluate("privateHash", ALPHAS, "p1") == hashlib.sha256(value).hexdigest().encode()
    assert "does not have read access permission" in failure(beta, "getPrivate", ALPHAS, "p1")
    alpha.submit("deletePrivate", ALPHAS, "p1")
    assert alpha.evaluate("getPrivate", ALPHAS, "p1") == b""


def test_a_purge(alpha: Contract) -> None:
    alpha.submit("putPrivate", ALPHAS, "p2", transient={"value": b"to be purged"})
    alpha.submit("purgePrivate", ALPHAS, "p2")
    assert alpha.evaluate("getPrivate", ALPHAS, "p2") == b""
    assert alpha.evaluate("privateHash", ALPHAS, "p2") == b""


def test_an_event(alpha: Contract, node_chaincode: NodeChaincode) -> None:
    status = alpha.submit_async("put", "event", "1").commit.status()
    with node_chaincode.channel("beta").chaincode_events("node", start_block=status.block_number) as events:
        event = next(iter(events))
    assert (event.name, event.payload) == ("put", b"event")


def test_a_key_level_policy(alpha: Contract, beta: Contract) -> None:
    alpha.submit("put", "guarded", "1")
    assert asked(alpha, "guards", "guarded") == []
    alpha.submit("protect", "guarded", "AlphaMSP")
    assert asked(alpha, "guards", "guarded") == ["AlphaMSP"]
    with pytest.raises(CommitError) as refused:
        beta.submit("put", "guarded", "2", endorsing_organizations=["BetaMSP"])
    assert refused.value.status.name == "ENDORSEMENT_POLICY_FAILURE"
    beta.submit("put", "guarded", "3")
    assert alpha.evaluate("get", "guarded") == b"3"


def test_who_calls_and_what(alpha: Contract, beta: Contract, node_chaincode: NodeChaincode) -> None:
    told = asked(alpha, "describe")
    assert told["channel"] == "testing"
    assert (told["mspId"], told["creator"], told["role"]) == ("AlphaMSP", "AlphaMSP", "auditor")
    assert (told["function"], len(told["transaction"]), len(told["binding"])) == ("describe", 64, 64)
    assert told["id"].startswith("x509::/")
    assert asked(beta, "describe")["role"] is None
    submitted = json.loads(alpha.submit("describe"))
    assert submitted["transaction"] != told["transaction"]


def test_a_thrown_error(alpha: Contract) -> None:
    with pytest.raises(EndorseError) as refused:
        alpha.submit("fail", "this is not allowed")
    (detail,) = refused.value.details
    assert detail.msp_id == "AlphaMSP"
    assert "this is not allowed" in detail.message
    assert "this is not allowed" in failure(alpha, "fail", "this is not allowed")
    assert "does not exist" in failure(alpha, "noSuchFunction")
    assert alpha.evaluate("get", "never") == b""


def test_a_rich_query_is_refused_as_on_a_peer_without_couchdb(alpha: Contract) -> None:
    assert "ExecuteQuery not supported for leveldb" in failure(alpha, "query", '{"selector":{}}')


def test_calls_that_cannot_be_made(alpha: Contract) -> None:
    own = failure(alpha, "call", "node", "", '["get","x"]')
    assert re.search(r"execute failed: error sending: txid: [0-9a-f]{64}\(testing\) exists$", own)
    assert failure(alpha, "call", "nothing", "", '["get","x"]').endswith(
        ": execute failed: invalid invocation: [channel testing] failed to get chaincode container info for "
        "nothing: chaincode nothing not found"
    )
    assert "for channel [nowhere]" in failure(alpha, "call", "node", "nowhere", '["get","x"]')


def test_a_key_whose_policy_is_no_policy_cannot_be_written_any_more(alpha: Contract) -> None:
    alpha.submit("put", "broken", "1")
    alpha.submit("stub", "setStateValidationParameter", '["broken",{"bytes":"no policy"}]')
    with pytest.raises(EndorseError) as refused:
        alpha.submit("put", "broken", "2")
    assert refused.value.code == "ABORTED"
    text = "error in simulation: error unmarshalling SignaturePolicyEnvelope: proto:"
    assert refused.value.details[0].message.startswith(text)
    assert alpha.evaluate("get", "broken") == b"1"


def test_an_implicit_collection_of_nobody(alpha: Contract) -> None:
    text = "collection [_implicit_org_NobodyMSP] not defined in the collection config for chaincode [node]"
    assert failure(alpha, "getPrivate", "_implicit_org_NobodyMSP", "p1").endswith(text)


def test_a_service_that_dies_comes_back(alpha: Contract, node_chaincode: NodeChaincode) -> None:
    alpha.submit("put", "restarted", "1")
    node_chaincode.network.stop_chaincode("alpha")
    node_chaincode.network.start_chaincode("alpha")
    assert alpha.submit("put", "restarted", "2") == b"2"


def test_transactions_at_once_on_one_stream(alpha: Contract) -> None:
    submitted = [alpha.submit_async("put", f"at-once-{number}", "1") for number in range(20)]
    assert {item.commit.status().name for item in submitted} == {"VALID"}
