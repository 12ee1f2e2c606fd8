"""`fabric_gateway` on the embedded engine: every step over real sockets and TLS."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from fabric_protos.common import common_pb2

from consentry_records import canonical
from consentry_records.errors import from_wire
from fabric_gateway import (
    EndorseError,
    EvaluateError,
    Gateway,
    Network,
    StreamError,
    Timeouts,
)
from fabric_protocol.blocks import header_hash
from fabric_protocol.certificates import new_authority, new_private_key
from fabric_protocol.signatures import key_signer

pytestmark = pytest.mark.integration


@pytest.fixture
def network(ledger_of) -> Network:
    return ledger_of("riverside", "researcher").network


def model(name: str) -> bytes:
    return canonical.encode({"model_id": "model-" + os.urandom(16).hex(), "name": name})


def unique(name: str) -> str:
    return f"{name}-{os.urandom(6).hex()}"


def test_evaluate_and_submit(network):
    contract = network.contract("consentry")
    settings = canonical.decode(contract.evaluate("ledger:settings"))
    assert len(settings["organizations"]) == 4
    assert contract.submit("models:register", model(unique("m"))) == b""


def test_the_steps_one_by_one(network):
    proposal = network.contract("consentry").new_proposal("models:register", model(unique("m")))
    transaction = proposal.endorse()
    assert "RiversideMSP" in transaction.endorsers
    assert len(transaction.endorsers) == 3
    status = transaction.submit().status()
    assert (status.name, status.successful) == ("VALID", True)
    assert transaction.prepare_commit().status() == status


def test_the_contracts_refusal_comes_through_every_step(network):
    contract = network.contract("consentry")
    name = unique("m")
    contract.submit("models:register", model(name))
    with pytest.raises(EndorseError) as endorsed:
        contract.submit("models:register", model(name))
    with pytest.raises(EvaluateError) as evaluated:
        contract.evaluate("models:get", "modelversion-" + "0" * 32)
    texts = [detail.message for detail in endorsed.value.details]
    assert [refusal.code for refusal in map(from_wire, texts) if refusal] == ["MODEL_NAME_TAKEN"] * len(texts)
    assert texts
    refusal = from_wire(str(evaluated.value))
    assert refusal is not None
    assert refusal.code == "MODEL_VERSION_NOT_FOUND"


def test_of_two_transactions_on_one_key_one_is_void(network):
    contract = network.contract("consentry")
    name = unique("m")
    first, second = (contract.new_proposal("models:register", model(name)).endorse() for _ in range(2))
    assert first.submit().status().successful
    status = second.submit().status()
    assert status.name == "MVCC_READ_CONFLICT"


def test_many_threads_share_one_gateway(network):
    contract = network.contract("consentry")
    with ThreadPoolExecutor(max_workers=8) as pool:
        results = list(pool.map(lambda _: contract.submit("models:register", model(unique("m"))), range(40)))
    assert results == [b""] * 40


def test_events_arrive_in_order_and_resume(network):
    contract = network.contract("consentry")
    start = common_pb2.Block.FromString(network.newest_block()).header.number + 1
    with network.chaincode_events("consentry", start_block=start) as stream:
        events = iter(stream)
        submitted = contract.submit_async("models:register", model(unique("m")))
        assert submitted.commit.status().successful
        second = contract.submit_async("models:register", model(unique("m")))
        block = second.commit.status().block_number
        seen = next(events)
        while seen.transaction_id != second.commit.transaction_id:
            seen = next(events)
    assert (seen.name, seen.block_number) == ("ModelRegistered.v1", block)
    with network.chaincode_events("consentry", start_block=block) as stream:
        assert next(iter(stream)) == seen
    third = contract.submit_async("models:register", model(unique("m")))
    assert third.commit.status().successful
    with network.chaincode_events(
        "consentry", after_transaction_id=second.commit.transaction_id, start_block=block
    ) as stream:
        assert next(iter(stream)).transaction_id == third.commit.transaction_id


def test_blocks_form_a_chain(network):
    blocks = [common_pb2.Block.FromString(data) for data in network.blocks(0, 5)]
    assert [block.header.number for block in blocks] == list(range(6))
    assert [block.header.previous_hash for block in blocks[1:]] == [
        header_hash(block.header) for block in blocks[:-1]
    ]


def test_an_open_ended_stream_of_blocks_follows_the_chain(network):
    contract = network.contract("consentry")
    block = contract.submit_async("models:register", model(unique("m"))).commit.status().block_number
    blocks = network.blocks(block)
    assert common_pb2.Block.FromString(next(blocks)).header.number == block
    contract.submit("models:register", model(unique("m")))
    assert common_pb2.Block.FromString(next(blocks)).header.number == block + 1
    blocks.close()


def test_another_channel_is_refused_in_every_call(consortium, ledger_of):
    ledger = ledger_of("riverside", "researcher")
    other = ledger._gateway.network("other")
    with pytest.raises(EvaluateError):
        other.contract("consentry").evaluate("ledger:settings")
    with pytest.raises(EndorseError):
        other.contract("consentry").submit("ledger:settings")
    with pytest.raises(StreamError) as caught:
        next(iter(other.chaincode_events("consentry", start_block=0)))
    assert caught.value.code == "PERMISSION_DENIED"
    with pytest.raises(StreamError) as caught:
        next(other.blocks(0, 0))
    assert caught.value.code == "NOT_FOUND"


def connect(consortium, **options):
    peer = consortium.profile.organization_named("riverside").peers[0]
    identity = consortium.identity("riverside", "researcher")
    arguments = {
        "identity": identity.serialized,
        "signer": identity.signer,
        "tls_roots": peer.read_tls_roots(),
        "server_name": peer.server_name,
        **options,
    }
    return Gateway.connect(arguments.pop("endpoint", peer.endpoint), **arguments)


def evaluate_error(gateway: Gateway) -> EvaluateError:
    with gateway, pytest.raises(EvaluateError) as caught:
        gateway.network("consentry").contract("consentry").evaluate("ledger:settings")
    return caught.value


def test_a_server_that_cannot_prove_itself_is_not_talked_to(consortium):
    stranger = new_authority("stranger", start=datetime(2026, 1, 1, tzinfo=UTC)).pem
    assert evaluate_error(connect(consortium, tls_roots=stranger)).code == "UNAVAILABLE"
    assert evaluate_error(connect(consortium, server_name="other.example")).code == "UNAVAILABLE"


def test_a_closed_port_is_unavailable(consortium):
    assert evaluate_error(connect(consortium, endpoint="127.0.0.1:1")).code == "UNAVAILABLE"


def test_a_deadline_is_kept(consortium):
    error = evaluate_error(connect(consortium, timeouts=Timeouts(evaluate=0.000_001)))
    assert error.code == "DEADLINE_EXCEEDED"


def test_somebody_elses_key_is_refused(consortium):
    error = evaluate_error(connect(consortium, signer=key_signer(new_private_key())))
    assert error.code in ("FAILED_PRECONDITION", "UNAVAILABLE", "PERMISSION_DENIED")
    assert "access denied" in str(error)
