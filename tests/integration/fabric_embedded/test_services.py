"""A client, an engine and chaincode services over real sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import grpc
import httpx
import pytest
from cryptography import x509
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from fabric_protos.peer import proposal_pb2
from support.embedded import CaClient, User
from support.present_files import each

from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import OPERATIONS
from fabric_gateway import CommitError, Contract, EndorseError, EvaluateError, GatewayError
from fabric_operator.ports import read_ports
from fabric_protocol.blocks import header_hash, parse_block

from .conftest import connect

Contracts = Callable[[str], Contract]


def test_a_submitted_value_is_read_by_everybody(contract: Contracts) -> None:
    assert contract("alpha").submit("basic:put", "greeting", "hello") == b"hello"
    assert contract("alpha").evaluate("basic:get", "greeting") == b"hello"
    assert contract("beta").evaluate("basic:get", "greeting") == b"hello"


def test_a_commit_has_a_block_and_a_code(contract: Contracts) -> None:
    submitted = contract("alpha").submit_async("basic:put", "k", "v")
    status = submitted.commit.status()
    assert (status.successful, status.name) == (True, "VALID")
    assert status.block_number > 0


def test_the_operations_endpoint_counts_transactions(contract: Contracts, network: EmbeddedNetwork) -> None:
    url = f"http://127.0.0.1:{read_ports(NetworkPaths(network.directory).ports)[OPERATIONS]}/metrics"
    valid = (
        'ledger_transaction_count_total{channel="testing",transaction_type="ENDORSER_TRANSACTION",'
        'validation_code="VALID"}'
    )

    def value(name: str) -> float:
        lines = httpx.get(url, trust_env=False).text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " ")), 0.0)

    before, height = value(valid), value('ledger_blockchain_height{channel="testing"}')
    contract("alpha").submit("basic:put", "counted", "1")
    assert value(valid) == before + 1
    assert value('ledger_blockchain_height{channel="testing"}') == height + 1
    assert value("ordering_waiting_envelopes") == 0
    assert value('endorser_proposal_duration_count{mspid="BetaMSP",success="true"}') > 0


def test_a_chaincodes_refusal_reaches_the_caller(contract: Contracts) -> None:
    with pytest.raises(EvaluateError, match="KEY_NOT_FOUND"):
        contract("alpha").evaluate("basic:get", "no-such-key")
    with pytest.raises(EndorseError) as failure:
        contract("alpha").submit("basic:get", "no-such-key")
    assert failure.value.code == "ABORTED"
    assert "KEY_NOT_FOUND" in failure.value.details[0].message
    assert failure.value.details[0].msp_id == "AlphaMSP"


def test_peers_that_disagree_make_no_transaction(contract: Contracts) -> None:
    with pytest.raises(EndorseError, match="failed to collect enough transaction endorsements") as failure:
        contract("alpha").submit("basic:differ", "k")
    assert failure.value.details[0].message == "ProposalResponsePayloads do not match"


def test_overlapping_changes_of_one_key_conflict(contract: Contracts) -> None:
    contract("alpha").submit("basic:put_quietly", "counter", "0")
    proposals = [contract("alpha").new_proposal("basic:increment", "counter") for _ in range(2)]
    commits = [transaction.submit() for transaction in [proposal.endorse() for proposal in proposals]]
    names = sorted(commit.status().name for commit in commits)
    assert names == ["MVCC_READ_CONFLICT", "VALID"]
    assert contract("beta").evaluate("basic:get", "counter") == b"1"


def test_a_key_level_policy_holds_against_the_chaincodes_own(contract: Contracts) -> None:
    contract("alpha").submit("basic:put", "guarded", "1")
    contract("alpha").submit("basic:protect", "guarded", "BetaMSP")
    with pytest.raises(CommitError) as failure:
        contract("alpha").submit("basic:put", "guarded", "2", endorsing_organizations=["AlphaMSP"])
    assert failure.value.status.name == "ENDORSEMENT_POLICY_FAILURE"
    contract("alpha").submit("basic:put", "guarded", "3")
    assert contract("beta").evaluate("basic:get", "guarded") == b"3"


def test_private_data_stays_with_its_organization(contract: Contracts, network: EmbeddedNetwork) -> None:
    secret = b"a private value of alpha alone"
    collection = "custodian-AlphaMSP"
    contract("alpha").submit("basic:put_private", collection, "p", transient={"value": secret})
    assert contract("alpha").evaluate("basic:get_private", collection, "p") == secret
    with pytest.raises(GatewayError):
        contract("beta").evaluate("basic:get_private", collection, "p")
    with pytest.raises(GatewayError):
        contract("beta").evaluate("basic:get_private", collection, "p", endorsing_organizations=["AlphaMSP"])
    found = each(network.directory, lambda path: secret in path.read_bytes())
    assert {path.name for path, holds in found.items() if holds} <= {
        path.name for path in found if "private-AlphaMSP" in path.name
    }


def test_many_at_once(contract: Contracts) -> None:
    def put(number: int) -> bytes:
        return contract("alpha").submit("basic:put", f"many-{number}", str(number))

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(put, range(100))) == [str(number).encode() for number in range(100)]


def test_events_come_in_order_and_resume_after_a_transaction(
    network: EmbeddedNetwork, users: dict[str, User]
) -> None:
    with connect(network, users["alpha"]) as gateway:
        channel = gateway.network("testing")
        first = channel.contract("basic").submit_async("basic:put", "event-1", "x")
        start = first.commit.status().block_number
        second = channel.contract("basic").submit_async("basic:put", "event-2", "x")
        second.commit.status()
        with channel.chaincode_events("basic", start_block=start) as events:
            found = [next(iter(events)) for _ in range(2)]
        assert [event.payload for event in found] == [b"event-1", b"event-2"]
        with channel.chaincode_events(
            "basic", start_block=start, after_transaction_id=found[0].transaction_id
        ) as events:
            assert next(iter(events)).payload == b"event-2"


def test_blocks_are_delivered_in_a_chain_from_genesis(
    network: EmbeddedNetwork, users: dict[str, User], contract: Contracts
) -> None:
    last = contract("alpha").submit_async("basic:put", "chain", "x").commit.status().block_number
    with connect(network, users["beta"]) as gateway:
        blocks = [parse_block(data) for data in gateway.network("testing").blocks(start=0, stop=last)]
    assert [block.header.number for block in blocks] == list(range(last + 1))
    assert header_hash(blocks[0].header).hex() == network.anchor()
    for previous, block in pairwise(blocks):
        assert block.header.previous_hash == header_hash(previous.header)


def test_the_registrars_certificate_attributes_reach_chaincode_callers(users: dict[str, User]) -> None:
    certificate = x509.load_pem_x509_certificate(users["alpha"].certificate)
    assert certificate.subject.rfc4514_string() == "CN=user-of-alpha,OU=client"


def test_a_member_of_another_authority_is_refused(network: EmbeddedNetwork, users: dict[str, User]) -> None:
    stranger = User("BetaMSP", users["alpha"].certificate, users["alpha"].sign_digest, users["alpha"].sign)
    with connect(network, stranger) as gateway:
        contract = gateway.network("testing").contract("basic")
        with pytest.raises(EvaluateError) as refusal:
            contract.evaluate("basic:get", "greeting")
    assert "access denied" in str(refusal.value)


def test_unknown_channel_and_chaincode(network: EmbeddedNetwork, users: dict[str, User]) -> None:
    with connect(network, users["alpha"]) as gateway:
        with pytest.raises(EvaluateError) as failure:
            gateway.network("nowhere").contract("basic").evaluate("basic:get", "k")
        assert failure.value.code == "UNAVAILABLE"
        with pytest.raises(EvaluateError) as failure:
            gateway.network("testing").contract("none").evaluate("basic:get", "k")
        assert failure.value.code == "FAILED_PRECONDITION"


def test_a_message_over_grpcs_own_limit_passes(contract: Contracts) -> None:
    value = "x" * (9 << 19)
    assert contract("alpha").submit("basic:put_quietly", "large", value) == b""
    assert contract("alpha").evaluate("basic:get", "large") == value.encode()


def test_garbage_is_answered_and_the_engine_lives(network: EmbeddedNetwork, contract: Contracts) -> None:
    profile: Any = json.loads((network.directory / "network.json").read_text())
    peer = profile["organizations"]["AlphaMSP"]["peers"][0]
    roots = (network.directory / peer["tls_roots"]).read_bytes()
    with grpc.secure_channel(peer["endpoint"], grpc.ssl_channel_credentials(roots)) as channel:
        raw = channel.unary_unary("/gateway.Gateway/Evaluate")
        for data in (b"\xff\xff\xff", b"", b"\x0a" + b"\xff" * 50):
            with pytest.raises(grpc.RpcError):
                raw(data)
        endorser = channel.unary_unary(
            "/protos.Endorser/ProcessProposal", lambda message: message.SerializeToString()
        )
        with pytest.raises(grpc.RpcError) as refusal:
            endorser(proposal_pb2.SignedProposal(proposal_bytes=b"\xff", signature=b"x"))
        assert refusal.value.code() == grpc.StatusCode.UNKNOWN
        stub = gateway_pb2_grpc.GatewayStub(channel)
        with pytest.raises(grpc.RpcError) as refusal:
            stub.Submit(gateway_pb2.SubmitRequest(channel_id="testing"))
        assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert contract("alpha").submit("basic:put", "alive", "yes") == b"yes"


def test_an_open_stream_does_not_keep_others_waiting(
    network: EmbeddedNetwork, users: dict[str, User], contract: Contracts
) -> None:
    heard: list[bytes] = []
    done = threading.Event()
    with connect(network, users["beta"]) as gateway:
        events = gateway.network("testing").chaincode_events("basic")

        def listen() -> None:
            with events:
                for event in events:
                    heard.append(event.payload)
                    if event.payload == b"live":
                        done.set()
                        return

        listener = threading.Thread(target=listen)
        listener.start()
        # The stream starts at the height that the engine has when the request arrives.
        while not done.wait(0.05):
            contract("alpha").submit("basic:put", "live", "x")
        listener.join()
    assert heard[-1] == b"live"


def test_the_ca_serves_over_tls_and_refuses_a_wrong_secret(network: EmbeddedNetwork) -> None:
    with CaClient(network, "alpha") as alpha, CaClient(network, "beta") as beta:
        assert alpha.http.get("/cainfo").json()["result"]["CAName"] == "alpha-ca"
        body = {"certificate_request": "x"}
        from support.ca_requests import basic

        answer = beta.http.post("/enroll", json=body, headers=basic(*alpha.registrar))
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, 20)


def test_logs_hold_no_payloads(network: EmbeddedNetwork, contract: Contracts) -> None:
    contract("alpha").submit("basic:put", "key-of-nobody", "value-of-nobody")
    with pytest.raises(GatewayError):
        contract("alpha").evaluate("basic:get", "value-of-nobody")
    for path in (network.directory / "logs").iterdir():
        text = path.read_text()
        assert "nobody" not in text, path
        assert "user-of" not in text, path
