"""Private data with a block_to_live: gone with its block, on every peer, over restarts, from every file."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.engine_material import Consortium, endorsed, submit, until
from support.private_chaincode import (
    LIFE,
    PASSING,
    SECRET,
    SHARED,
    ask,
    files_with,
    pass_block,
    private_consortium,
    write,
)

from fabric_embedded.engine import Engine
from fabric_embedded.errors import LedgerError
from fabric_embedded.storage.private_store import PrivateStore

BOTH = ("AlphaMSP", "BetaMSP")


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return private_consortium(tmp_path / "ledger")


async def _pass_blocks(engine: Engine, consortium: Consortium, through: int) -> None:
    while engine.ledger.height <= through:
        await pass_block(engine, consortium)


async def _values(engine: Engine, consortium: Consortium, key: str) -> list[bytes]:
    """What each organization's peer says the value and its hash are."""
    return [
        (await ask(engine, consortium, function, PASSING, key, client=msp_id, peer=msp_id)).payload
        for msp_id in BOTH
        for function in ("get", "hash")
    ]


async def test_value_and_hash_are_gone_with_the_expiring_block_and_not_before(
    engine: Engine, consortium: Consortium
) -> None:
    written = await write(engine, consortium, PASSING, "k")
    await _pass_blocks(engine, consortium, written + LIFE)
    before = await _values(engine, consortium, "k")
    assert before[0] == before[2] == SECRET
    assert before[1] == before[3] != b""
    await _pass_blocks(engine, consortium, written + LIFE + 1)
    assert await _values(engine, consortium, "k") == [b"", b"", b"", b""]


async def test_expired_bytes_leave_every_file_without_another_block(
    engine: Engine, consortium: Consortium
) -> None:
    directory = consortium.material.ledger_directory
    written = await write(engine, consortium, PASSING, "k")
    await _pass_blocks(engine, consortium, written + LIFE)
    assert files_with(SECRET, directory)
    await _pass_blocks(engine, consortium, written + LIFE + 1)
    await until(lambda: not files_with(SECRET, directory))
    async with engine.snapshot() as snapshot:
        assert [snapshot.private[msp_id].write_sets(written) for msp_id in BOTH] == [[], []]


async def test_value_that_was_written_again_stays(engine: Engine, consortium: Consortium) -> None:
    first = await write(engine, consortium, PASSING, "k")
    second = await write(engine, consortium, PASSING, "k")
    await _pass_blocks(engine, consortium, second + LIFE)
    assert second + LIFE > first + LIFE
    assert (await _values(engine, consortium, "k"))[0] == SECRET
    await _pass_blocks(engine, consortium, second + LIFE + 1)
    assert (await _values(engine, consortium, "k"))[0] == b""


async def test_expiry_goes_on_after_a_restart(consortium: Consortium) -> None:
    engine = consortium.engine()
    await engine.start()
    written = await write(engine, consortium, PASSING, "k")
    await write(engine, consortium, SHARED, "k")
    await engine.close()
    engine = consortium.engine()
    await engine.start()
    await _pass_blocks(engine, consortium, written + LIFE + 1)
    assert await _values(engine, consortium, "k") == [b"", b"", b"", b""]
    kept = await ask(engine, consortium, "get", SHARED, "k", client="AlphaMSP", peer="AlphaMSP")
    assert kept.payload == SECRET
    await engine.close()


async def test_crash_between_public_commit_and_private_expiry_is_made_up_for(
    consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = consortium.engine()
    await engine.start()
    written = await write(engine, consortium, PASSING, "k")
    await _pass_blocks(engine, consortium, written + LIFE)

    def fail(*_: object, **__: object) -> None:
        raise LedgerError("LEDGER_WRITE_FAILED", "no room")

    with monkeypatch.context() as patch:
        patch.setattr(PrivateStore, "apply", fail)
        envelope, _ = await endorsed(
            engine, consortium, "public", "key", client="AlphaMSP", endorsers=["AlphaMSP"]
        )
        await engine.broadcast(envelope)
        await until(lambda: engine._committer.store.height > engine.ledger.height)
        assert engine.ledger.height == written + LIFE + 1
        await engine.close()
    assert files_with(SECRET, consortium.material.ledger_directory)
    engine = consortium.engine()
    assert not files_with(SECRET, consortium.material.ledger_directory)
    await engine.start()
    assert await _values(engine, consortium, "k") == [b"", b"", b"", b""]
    await engine.close()


async def test_a_read_of_expired_data_is_of_an_absent_key_and_valid(
    engine: Engine, consortium: Consortium
) -> None:
    written = await write(engine, consortium, PASSING, "k")
    await _pass_blocks(engine, consortium, written + LIFE + 1)
    status = await submit(engine, consortium, "get", PASSING, "k", client="AlphaMSP", endorsers=["AlphaMSP"])
    assert status.code == 0
