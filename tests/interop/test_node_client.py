"""`@hyperledger/fabric-gateway`, unmodified, against the embedded engine: transactions and their errors."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.embedded import User
from support.node_client import NodeClient, NodeError

from fabric_embedded.network import EmbeddedNetwork

pytestmark = pytest.mark.optional_tool("node")

# gRPC status codes (`google.rpc.Code`) and validation codes (`TxValidationCode`)
UNKNOWN, DEADLINE_EXCEEDED, PERMISSION_DENIED, FAILED_PRECONDITION, ABORTED, UNAVAILABLE = 2, 4, 7, 9, 10, 14
VALID, ENDORSEMENT_POLICY_FAILURE, MVCC_READ_CONFLICT = 0, 10, 11


def test_a_submitted_value_is_evaluated(node: NodeClient) -> None:
    assert node.run("submit", "alpha", "put", "submitted", "grüße") == "grüße"
    assert node.run("evaluate", "beta", "get", "submitted") == "grüße"


def test_submit_async_returns_the_result_and_then_the_status(node: NodeClient) -> None:
    done = node.run("submitAsync", "alpha", "put", "async", "1")
    assert (done["result"], done["code"], done["successful"]) == ("1", VALID, True)
    assert done["blockNumber"] > 0
    assert len(done["transactionId"]) == 64


def test_transient_data_becomes_private_data_of_the_own_organization(node: NodeClient) -> None:
    collection = "custodian-AlphaMSP"
    node.run("submit", "alpha", "put_private", collection, "p1", transient={"value": "secret"})
    assert node.run("evaluate", "alpha", "get_private", collection, "p1") == "secret"
    with pytest.raises(NodeError) as refused:
        node.run("evaluate", "beta", "get_private", collection, "p1")
    assert refused.value.name == "GatewayError"
    assert refused.value.code == UNKNOWN
    assert (
        "the peer refused GET_STATE in collection custodian-AlphaMSP" in refused.value.details[0]["message"]
    )


def test_endorsing_organizations_are_the_ones_asked(node: NodeClient, network: EmbeddedNetwork) -> None:
    both = node.run("submitAsync", "alpha", "put", "chosen", "1", organizations=["AlphaMSP", "BetaMSP"])
    assert both["code"] == VALID
    one = node.run("submitAsync", "alpha", "put", "chosen", "2", organizations=["BetaMSP"])
    assert (one["code"], one["successful"]) == (ENDORSEMENT_POLICY_FAILURE, False)
    assert node.run("evaluate", "alpha", "get", "chosen") == "1"
    with pytest.raises(NodeError) as refused:
        node.run("submit", "alpha", "put", "chosen", "3", organizations=["GammaMSP"])
    assert (refused.value.name, refused.value.code) == ("EndorseError", UNAVAILABLE)
    assert refused.value.cause == "failed to find any endorsing peers for org(s): GammaMSP"


def test_evaluation_goes_to_the_organization_that_was_named(node: NodeClient) -> None:
    answers = {
        organization: node.run("evaluate", "alpha", "differ", "x", organizations=[organization])
        for organization in ("AlphaMSP", "BetaMSP")
    }
    assert answers["AlphaMSP"] != answers["BetaMSP"]


def test_signing_off_line(node: NodeClient, network: EmbeddedNetwork, users: dict[str, User]) -> None:
    node.open("offline", network, users["alpha"], offline=True)
    done = node.run("offline", "offline", "put", "offline", "1")
    assert (done["evaluated"], done["result"], done["code"]) == ("1", "1", VALID)
    events = node.call("offlineEvents", **{"as": "offline"}, start=done["blockNumber"], count=1)
    assert [event["payload"] for event in events] == ["offline"]
    with pytest.raises(NodeError, match="No signing implementation"):
        node.run("evaluate", "offline", "get", "offline")


def test_of_two_transactions_on_one_state_the_second_conflicts(node: NodeClient) -> None:
    first, second = node.run("conflict", "alpha", "increment", "counter")
    assert (first["code"], first["successful"]) == (VALID, True)
    assert (second["code"], second["successful"]) == (MVCC_READ_CONFLICT, False)
    assert node.run("evaluate", "alpha", "get", "counter") == "1"


def test_a_transaction_that_is_not_valid_is_a_commit_error(node: NodeClient) -> None:
    with pytest.raises(NodeError) as refused:
        node.run("submit", "alpha", "put", "never", "1", organizations=["AlphaMSP"])
    assert (refused.value.name, refused.value.code) == ("CommitError", ENDORSEMENT_POLICY_FAILURE)
    assert len(refused.value.transaction_id or "") == 64
    assert "ENDORSEMENT_POLICY_FAILURE" in refused.value.message


def test_a_chaincode_that_refuses(node: NodeClient, network: EmbeddedNetwork) -> None:
    with pytest.raises(NodeError) as evaluated:
        node.run("evaluate", "alpha", "get", "missing")
    assert (evaluated.value.name, evaluated.value.code) == ("GatewayError", UNKNOWN)
    (detail,) = evaluated.value.details
    assert detail["mspId"] == "AlphaMSP"
    assert detail["message"].startswith("chaincode response 404, ")
    assert evaluated.value.cause == f"evaluate call to endorser returned error: {detail['message']}"
    with pytest.raises(NodeError) as endorsed:
        node.run("submit", "alpha", "get", "missing")
    assert (endorsed.value.name, endorsed.value.code) == ("EndorseError", ABORTED)
    assert endorsed.value.cause == "failed to endorse transaction, see attached details for more info"
    assert [item["message"] for item in endorsed.value.details] == [detail["message"]]
    assert [item["address"] for item in endorsed.value.details] == [detail["address"]]


def test_peers_that_disagree(node: NodeClient) -> None:
    with pytest.raises(NodeError) as refused:
        node.run("submit", "alpha", "differ", "x")
    assert (refused.value.name, refused.value.code) == ("EndorseError", ABORTED)
    (detail,) = refused.value.details
    assert detail["mspId"] == "BetaMSP"
    assert detail["message"] == "ProposalResponsePayloads do not match"


def test_an_unknown_channel_and_chaincode(node: NodeClient) -> None:
    found = {}
    for command, change in (
        ("evaluate", {"channel": "nowhere"}),
        ("submit", {"channel": "nowhere"}),
        ("evaluate", {"chaincode": "nothing"}),
        ("submit", {"chaincode": "nothing"}),
    ):
        with pytest.raises(NodeError) as refused:
            node.run(command, "alpha", "get", "x", **change)
        found[command, *change] = (refused.value.name, refused.value.code)
    assert found == {
        ("evaluate", "channel"): ("GatewayError", UNAVAILABLE),
        ("submit", "channel"): ("EndorseError", FAILED_PRECONDITION),
        ("evaluate", "chaincode"): ("GatewayError", FAILED_PRECONDITION),
        ("submit", "chaincode"): ("EndorseError", FAILED_PRECONDITION),
    }
    with pytest.raises(NodeError) as refused:
        node.call("events", **{"as": "alpha"}, channel="nowhere", count=1)
    assert (refused.value.name, refused.value.code) == ("GatewayError", PERMISSION_DENIED)


def test_a_certificate_of_somebody_else(
    node: NodeClient, network: EmbeddedNetwork, users: dict[str, User]
) -> None:
    stranger = replace(users["beta"], msp_id="AlphaMSP")
    node.open("stranger", network, stranger)
    with pytest.raises(NodeError) as refused:
        node.run("evaluate", "stranger", "get", "x")
    assert (refused.value.name, refused.value.code) == ("GatewayError", FAILED_PRECONDITION)
    with pytest.raises(NodeError) as refused:
        node.run("submit", "stranger", "put", "x", "1", organizations=["BetaMSP"])
    assert (refused.value.name, refused.value.code) == ("EndorseError", ABORTED)
    assert refused.value.details[0]["message"].startswith("rpc error: code = Unknown desc = error validating")
    with pytest.raises(NodeError) as refused:
        node.call("events", **{"as": "stranger"}, count=1)
    assert refused.value.code == PERMISSION_DENIED


def test_a_signature_by_another_key(
    node: NodeClient, network: EmbeddedNetwork, users: dict[str, User]
) -> None:
    forger = replace(users["alpha"], key=users["beta"].key)
    node.open("forger", network, forger)
    with pytest.raises(NodeError) as refused:
        node.run("submit", "forger", "put", "forged", "1")
    assert (refused.value.name, refused.value.code) == ("EndorseError", ABORTED)
    assert "access denied" in refused.value.details[0]["message"]


def test_a_key_level_policy_decides_who_is_asked(node: NodeClient) -> None:
    node.run("submit", "alpha", "put", "guarded", "1")
    node.run("submit", "alpha", "protect", "guarded", "AlphaMSP")
    refused = node.run("submitAsync", "beta", "put", "guarded", "2", organizations=["BetaMSP"])
    assert refused["code"] == ENDORSEMENT_POLICY_FAILURE
    assert node.run("submitAsync", "beta", "put", "guarded", "3")["code"] == VALID


@pytest.mark.parametrize(("call", "name"), [("evaluate", "GatewayError"), ("submit", "EndorseError")])
def test_a_deadline_that_passes(node: NodeClient, users: dict[str, User], call: str, name: str) -> None:
    with pytest.raises(NodeError) as refused:
        node.run("deadline", "alpha", "wait", "1500", call=call, milliseconds=150)
    assert (refused.value.name, refused.value.code) == (name, DEADLINE_EXCEEDED)
    assert node.run("submitAsync", "alpha", "put", "after-deadline", "1")["code"] == VALID
