"""The rules against whole chains of real Raft and SmartBFT networks (tests/fixtures/fabric-3.1.5)."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.conformance.chains import recorded_chain
from support.conformance.probe_chaincode import Probe
from support.replaying import replay, verdict

from fabric_protocol.blocks import parse_block, transaction_flags
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.commit_hash import commit_hash, read_commit_hash
from fabric_protocol.memory_state import MemoryPrivateState, MemoryState
from fabric_protocol.proposals import Proposal, new_proposal
from fabric_protocol.rwset_encoding import decode_rwset, encode_rwset
from fabric_protocol.transactions import ENDORSER_TRANSACTION, Transaction
from fabric_shim import Router
from fabric_testing.history import History
from fabric_testing.peer import TestPeer

CHAINS = ("raft", "bft")
# VALID, ENDORSEMENT_POLICY_FAILURE, MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT
CODES = {0, 10, 11, 12}
# What a simulation of these needs is not in blocks: other members' values, the past, transient data.
_BEYOND = {"get_private", "private_range", "put_transient", "history", "transient", "process", "call"}


def chain(name: str) -> list[Any]:
    return [parse_block(data) for data in recorded_chain(name)]


@cache
def transactions(name: str) -> tuple[Transaction, ...]:
    entries = [Transaction.from_envelope(data) for block in chain(name) for data in block.data.data]
    return tuple(entry for entry in entries if entry.type == ENDORSER_TRANSACTION)


@pytest.mark.parametrize("name", CHAINS)
def test_signatures_flags_and_commit_hashes_are_recomputed(name: str) -> None:
    steps = list(replay(chain(name)))
    assert [step.validated.flags for step in steps] == [transaction_flags(step.block) for step in steps]
    assert {int(code) for step in steps for code in step.validated.codes} == CODES
    assert [
        commit_hash(step.validated.flags, step.validated.updates, step.previous_commit_hash)
        for step in steps[1:]
    ] == [read_commit_hash(step.block) for step in steps[1:]]
    assert max(len(step.validated.codes) for step in steps) > 1


@pytest.mark.parametrize("name", CHAINS)
def test_blocks_and_read_write_sets_are_rebuilt_byte_for_byte(name: str) -> None:
    for data in recorded_chain(name):
        assert parse_block(data).SerializeToString() == data
    for entry in transactions(name):
        assert encode_rwset(decode_rwset(entry.results)) == entry.results


@pytest.mark.parametrize("name", CHAINS)
def test_every_kind_of_content_is_there(name: str) -> None:
    sets = [part for entry in transactions(name) for part in decode_rwset(entry.results).namespaces]
    collections = [collection for part in sets for collection in part.collections]
    assert any(query.merkle for part in sets for query in part.range_queries)
    assert any(part.metadata_writes for part in sets)
    assert any(collection.metadata_writes for collection in collections)
    assert any(write.is_purge for collection in collections for write in collection.writes)
    assert any(write.is_delete for collection in collections for write in collection.writes)
    assert any(entry.event for entry in transactions(name))
    assert {entry.chaincode for entry in transactions(name)} == {"probe", "second", "_lifecycle"}


@pytest.mark.parametrize("name", CHAINS)
async def test_the_simulator_gives_the_very_bytes_that_real_peers_endorsed(name: str) -> None:
    state, simulated = MemoryState(), 0
    blocks = chain(name)
    config = ChannelConfig.from_block(blocks[0])
    for step in replay(blocks, state):
        for entry, code in zip(step.validated.transactions, step.validated.codes, strict=True):
            if entry is None or int(code) or entry.chaincode != "probe" or _needs_more(entry):
                continue
            execution = await _peer(state, config, entry).execute(_proposal(entry), b"")
            assert execution.results.public == entry.results, entry.arguments
            assert entry.response is not None
            assert (execution.status, execution.payload) == (entry.response.status, entry.response.payload)
            simulated += 1
    assert simulated > 40


def _peer(state: MemoryState, config: ChannelConfig, entry: Transaction) -> TestPeer:
    """A peer with the chaincode whose clock shows the transaction's time."""
    moment = entry.timestamp.timestamp()
    peer = TestPeer(
        state, MemoryPrivateState(), history=History(), config=config, clock=lambda: moment, batching=True
    )
    peer.chaincodes = {"probe": Router([Probe()])}
    return peer


def _needs_more(entry: Transaction) -> bool:
    return any(step[0] in _BEYOND for step in json.loads(entry.arguments[1]))


def _proposal(entry: Transaction) -> Proposal:
    proposal = new_proposal(
        channel_id=entry.channel_id,
        chaincode=entry.chaincode or "",
        arguments=entry.arguments,
        creator=entry.creator,
        nonce=entry.nonce,
        timestamp=entry.timestamp,
    )
    assert proposal.transaction_id == entry.transaction_id
    return proposal


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(CHAINS), data=st.data())
def test_any_changed_byte_of_header_and_data_is_found(name: str, data: st.DataObject) -> None:
    blocks = chain(name)
    number = data.draw(st.integers(1, len(blocks) - 1))
    # The chain ends with this block: that later ones disagree too adds nothing.
    blocks = blocks[: number + 1]
    block = blocks[number]
    where = data.draw(st.sampled_from(["entry", "previous_hash", "data_hash"]))
    if where == "entry":
        index = data.draw(st.integers(0, len(block.data.data) - 1))
        block.data.data[index] = _changed(block.data.data[index], data)
        expected = "DATA_HASH_WRONG"
    else:
        setattr(block.header, where, _changed(getattr(block.header, where), data))
        expected = f"{where.upper()}_WRONG"
    assert verdict(blocks) == f"{expected} {number}"


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(CHAINS), data=st.data())
def test_any_changed_byte_of_the_metadata_is_found_or_means_nothing(name: str, data: st.DataObject) -> None:
    """A block's signatures, flags and commit hash; whatever can be altered there leaves them as they were."""
    blocks = chain(name)
    number = data.draw(st.integers(1, len(blocks) - 1))
    blocks = blocks[: number + 1]
    slots = blocks[number].metadata.metadata
    slot = data.draw(st.sampled_from([index for index, value in enumerate(slots) if value]))
    slots[slot] = _changed(slots[slot], data)
    if slot == 0:
        # Raft's single signature: any byte counts. BFT's identifier headers carry bytes that nobody checks.
        assert verdict(blocks) != "consistent" or name == "bft"
        return
    assert verdict(blocks) != "consistent"


def _changed(value: bytes, data: st.DataObject) -> bytes:
    changed = bytearray(value)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    return bytes(changed)
