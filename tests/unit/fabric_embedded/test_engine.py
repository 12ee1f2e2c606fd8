"""The engine as a whole, over chaincode in memory: what is submitted is committed, once, for good."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from fabric_protos.common import common_pb2
from support.engine_material import Consortium, endorsed, make_consortium, submit, with_directory
from support.memory_chaincode import Call

from fabric_embedded.engine import Engine
from fabric_embedded.errors import LedgerError
from fabric_embedded.ledger import read_blocks, replace_block
from fabric_protocol.block_signatures import verify_block_signatures
from fabric_protocol.blocks import check_link, check_well_formed, header_hash, parse_block, transaction_flags
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.commit_hash import commit_hash, read_commit_hash
from fabric_protocol.definitions import read_definition
from fabric_protocol.memory_state import MemoryState
from fabric_protocol.validation import validate_block
from fabric_protocol.validation_codes import ValidationCode

BOTH = ("AlphaMSP", "BetaMSP")


async def _put(call: Call) -> bytes:
    await call.put(call.argument(0), call.argument(1).encode())
    return b"done"


async def _increment(call: Call) -> bytes:
    value = str(int(await call.get(call.argument(0)) or b"0") + 1).encode()
    await call.put(call.argument(0), value)
    return value


async def _get(call: Call) -> bytes:
    return await call.get(call.argument(0))


SCRIPT = {"put": _put, "increment": _increment, "get": _get}


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", SCRIPT)


async def _value(engine: Engine, consortium: Consortium, key: str) -> bytes:
    _, signed = consortium.proposal("get", key, client="AlphaMSP")
    return bytes((await engine.peers["BetaMSP"].process_proposal(signed)).response.payload)


async def test_first_start_deploys_the_definition_by_approvals_and_a_commit(
    engine: Engine, consortium: Consortium
) -> None:
    definition = read_definition(engine.ledger.state, "basic")
    assert definition is not None
    assert definition.sequence == 1
    assert engine.ledger.height == 4
    assert all(peer.serves("basic") for peer in engine.peers.values())


async def test_submitted_value_is_read_back_after_reopening(consortium: Consortium) -> None:
    engine = consortium.engine()
    await engine.start()
    status = await submit(engine, consortium, "put", "k", "v", client="AlphaMSP", endorsers=BOTH)
    await engine.close()
    engine = consortium.engine()
    await engine.start()
    assert status.code == ValidationCode.VALID
    assert await _value(engine, consortium, "k") == b"v"
    assert engine.ledger.height == 5
    await engine.close()


async def test_every_block_is_what_a_verifier_makes_of_it(engine: Engine, consortium: Consortium) -> None:
    for count in range(3):
        await submit(engine, consortium, "put", f"k{count}", "v", client="AlphaMSP", endorsers=BOTH)
    first = await endorsed(engine, consortium, "increment", "n", client="AlphaMSP", endorsers=BOTH)
    second = await endorsed(engine, consortium, "increment", "n", client="BetaMSP", endorsers=BOTH)
    await asyncio.gather(*(engine.broadcast(envelope) for envelope, _ in (first, second)))
    codes = [
        (await engine.ledger.wait_for_transaction(made.transaction_id)).code for _, made in (first, second)
    ]
    assert codes == [ValidationCode.VALID, ValidationCode.MVCC_READ_CONFLICT]
    _verify([engine.ledger.block(number) or b"" for number in range(engine.ledger.height)])


def _verify(blocks: list[bytes]) -> None:
    config = ChannelConfig.from_block(parse_block(blocks[0]))
    state, previous_hash, previous_commit = MemoryState(), b"", b""
    known: set[str] = set()
    for number, data in enumerate(blocks):
        block = parse_block(data)
        check_link(block, number=number, previous_hash=previous_hash)
        check_well_formed(block)
        validated = validate_block(block, config=config, state=state, known_transactions=known.intersection)
        assert validated.flags == transaction_flags(block)
        if number:
            verify_block_signatures(block, config)
            previous_commit = commit_hash(validated.flags, validated.updates, previous_commit)
            assert read_commit_hash(block) == previous_commit
        state.apply(validated.updates)
        known.update(found.transaction_id for found in validated.transactions if found)
        previous_hash = header_hash(block.header)


async def test_one_endorsement_of_two_fails_the_policy(engine: Engine, consortium: Consortium) -> None:
    status = await submit(engine, consortium, "put", "k", "v", client="AlphaMSP", endorsers=["AlphaMSP"])
    assert status.code == ValidationCode.ENDORSEMENT_POLICY_FAILURE
    assert await _value(engine, consortium, "k") == b""


async def test_same_envelope_twice_counts_once(engine: Engine, consortium: Consortium) -> None:
    envelope, proposal = await endorsed(
        engine, consortium, "increment", "n", client="AlphaMSP", endorsers=BOTH
    )
    await engine.broadcast(envelope)
    first = await engine.ledger.wait_for_transaction(proposal.transaction_id)
    await engine.broadcast(envelope)
    await engine.ledger.wait_for_block(first.block_number + 1)
    assert engine.ledger.transaction(proposal.transaction_id) == first
    assert transaction_flags(parse_block(engine.ledger.block(first.block_number + 1) or b"")) == bytes(
        [ValidationCode.DUPLICATE_TXID]
    )
    assert await _value(engine, consortium, "n") == b"1"


async def test_a_copy_of_the_files_taken_at_any_moment_opens_and_has_what_was_acknowledged(
    engine: Engine, consortium: Consortium, tmp_path: Path
) -> None:
    acknowledged = []
    for count in range(5):
        status = await submit(engine, consortium, "put", f"k{count}", "v", client="AlphaMSP", endorsers=BOTH)
        acknowledged.append((f"k{count}", status))
        image = tmp_path / f"image-{count}"
        shutil.copytree(consortium.material.ledger_directory, image)
        copy = with_directory(consortium, image).engine()
        await copy.start()
        assert [await _value(copy, consortium, key) for key, _ in acknowledged] == [b"v"] * len(acknowledged)
        assert copy.ledger.header_hash(status.block_number) == engine.ledger.header_hash(status.block_number)
        await copy.close()


async def test_ledger_of_another_network_is_refused(consortium: Consortium, tmp_path: Path) -> None:
    engine = consortium.engine()
    await engine.close()
    other = make_consortium(tmp_path / "other", SCRIPT)
    with pytest.raises(LedgerError) as caught:
        with_directory(other, consortium.material.ledger_directory).engine()
    assert caught.value.code == "GENESIS_MISMATCH"


async def test_broadcast_before_start_and_after_close_is_unavailable(consortium: Consortium) -> None:
    engine = consortium.engine()
    envelope = common_pb2.Envelope(payload=b"x", signature=b"y")
    assert (await engine.broadcast(envelope))[0] == common_pb2.SERVICE_UNAVAILABLE
    await engine.start()
    waiting = asyncio.create_task(engine.ledger.wait_for_transaction("never"))
    await asyncio.sleep(0)
    await engine.close()
    assert (await engine.broadcast(envelope))[0] == common_pb2.SERVICE_UNAVAILABLE
    with pytest.raises(LedgerError) as caught:
        await waiting
    assert caught.value.code == "LEDGER_CLOSED"


async def test_files_are_for_their_owner_only(engine: Engine, consortium: Consortium) -> None:
    modes = {path.stat().st_mode & 0o777 for path in consortium.material.ledger_directory.iterdir()}
    assert modes == {0o600}


async def test_stored_blocks_are_read_and_replaced_without_an_engine(consortium: Consortium) -> None:
    engine = consortium.engine()
    await engine.start()
    expected = [engine.ledger.block(number) for number in range(engine.ledger.height)]
    await engine.close()
    directory = consortium.material.ledger_directory
    assert list(read_blocks(directory)) == expected
    replace_block(directory, 2, b"forged")
    assert list(read_blocks(directory))[2] == b"forged"
    with pytest.raises(LedgerError) as caught:
        replace_block(directory, 99, b"forged")
    assert caught.value.code == "BLOCK_NOT_FOUND"


def test_reading_blocks_where_there_is_no_ledger_says_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as caught:
        list(read_blocks(tmp_path))
    assert caught.value.code == "LEDGER_UNREADABLE"
