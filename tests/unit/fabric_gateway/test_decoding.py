"""Blocks as readable values: blocks recorded from a real network, and hostile ones."""

from __future__ import annotations

import json
from datetime import UTC

import pytest
from fabric_protos.common import common_pb2
from hypothesis import given
from hypothesis import strategies as st
from support.recorded_blocks import FABRIC_BFT, recorded_block

from fabric_gateway import decode_block

INDEX = json.loads((FABRIC_BFT / "index.json").read_text())


@pytest.mark.parametrize("number", range(15))
def test_recorded_blocks_are_readable(number: int) -> None:
    block = decode_block((FABRIC_BFT / f"peer-{number:02}.block").read_bytes())
    assert block.number == number
    assert block.transactions
    for transaction in block.transactions:
        assert transaction.fault == ""
        assert transaction.type in ("CONFIG", "ENDORSER_TRANSACTION")
        assert transaction.validation_code != "NOT_VALIDATED"
        assert transaction.proposal_time is not None
        assert transaction.proposal_time.tzinfo == UTC
        if transaction.type == "ENDORSER_TRANSACTION":
            assert transaction.chaincode
            assert transaction.function
            assert all(endorser.msp_id for endorser in transaction.endorsers)
    json.dumps(block.to_dict())


def test_what_a_transaction_did_is_told() -> None:
    first, second = decode_block((FABRIC_BFT / "peer-05.block").read_bytes()).to_dict()["transactions"][:2]
    assert (first["validation_code"], second["validation_code"]) == ("VALID", "MVCC_READ_CONFLICT")
    assert (first["chaincode"], first["function"], first["arguments"]) == ("ccdata", "rmw", ["ctr"])
    assert first["creator"] == {"msp_id": "Org1MSP", "common_name": "User1@org1.example.com"}
    assert [endorser["msp_id"] for endorser in first["endorsers"]] == ["Org1MSP", "Org2MSP"]
    (namespace,) = [part for part in first["namespaces"] if part["namespace"] == "ccdata"]
    assert namespace["reads"] == [{"key": "ctr", "version": {"block": 4, "transaction": 0}}]
    assert namespace["writes"] == [{"key": "ctr", "is_delete": False, "value": "2"}]


def test_an_orderers_block_is_not_validated() -> None:
    block = decode_block((FABRIC_BFT / "orderer-05.block").read_bytes())
    assert {item.validation_code for item in block.transactions} == {"NOT_VALIDATED"}


def test_a_transaction_that_cannot_be_read_is_listed() -> None:
    recorded = recorded_block("peer-05")
    recorded.data.data[0] = b"\xff\xff"
    block = decode_block(recorded.SerializeToString())
    assert block.transactions[0].type == "UNREADABLE"
    assert block.transactions[0].fault


@pytest.mark.parametrize("data", [b"", b"\xff\xff", common_pb2.Envelope(payload=b"p").SerializeToString()])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="expected a block"):
        decode_block(data)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_no_envelope_breaks_the_reader(noise: bytes, position: int) -> None:
    recorded = recorded_block("peer-05")
    envelope = recorded.data.data[0]
    recorded.data.data[0] = envelope[:position] + noise + envelope[position + len(noise) :]
    json.dumps(decode_block(recorded.SerializeToString()).to_dict())
