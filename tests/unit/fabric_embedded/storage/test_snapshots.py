"""Snapshots: fixed while they are used, shared by those who begin at one height, given back when idle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fabric_embedded.errors import LedgerError
from fabric_embedded.storage import state_reader
from fabric_embedded.storage.ledger_store import BlockRecord, LedgerStore
from fabric_embedded.storage.private_store import PrivateBlock, PrivateStore
from fabric_embedded.storage.snapshots import CurrentSnapshot, SnapshotPool
from fabric_protocol.state import Version
from fabric_protocol.updates import PrivateUpdate, PublicUpdate, UpdateBatch


class Files:
    """A ledger with one organization."""

    def __init__(self, directory: Path) -> None:
        self.public = LedgerStore(directory)
        self.private = PrivateStore(directory, "AlphaMSP")
        self.pool = SnapshotPool(directory, ["AlphaMSP"])

    def commit(self, number: int) -> None:
        value = b"%d" % number
        public = (PublicUpdate("cc", "k", value, b"", Version(number, 0)),)
        self.public.commit(BlockRecord(number, b"", True, b"", (), UpdateBatch(public), ()))
        private = (PrivateUpdate("cc", "c", "k", value, Version(number, 0)),)
        self.private.apply(PrivateBlock(number, private), settles=True)

    def close(self) -> None:
        self.pool.close()
        self.private.close()
        self.public.close()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def test_snapshot_stays_while_blocks_are_committed(files: Files) -> None:
    files.commit(0)
    current = CurrentSnapshot(files.pool)
    current.replace(files.pool.take())
    async with current.use() as old:
        files.commit(1)
        current.replace(files.pool.take())
        async with current.use() as new:
            values = [
                [view.state.get("cc", "k"), view.private["AlphaMSP"].get("cc", "c", "k")]
                for view in (old, new)
            ]
    assert [[found and found.value for found in pair] for pair in values] == [[b"0", b"0"], [b"1", b"1"]]
    assert (old.height, new.height) == (1, 2)
    await current.withdraw(1)
    files.close()


async def test_users_at_one_height_share_one_snapshot_and_connections_are_used_again(files: Files) -> None:
    files.commit(0)
    current = CurrentSnapshot(files.pool)
    current.replace(files.pool.take())
    async with current.use() as one, current.use() as two:
        assert one is two
    current.replace(files.pool.take())
    current.replace(files.pool.take())
    async with current.use() as three:
        assert three is one
    await current.withdraw(1)
    files.close()


async def test_withdrawn_snapshot_lets_the_log_be_cut(files: Files) -> None:
    files.commit(0)
    current = CurrentSnapshot(files.pool)
    current.replace(files.pool.take())
    files.commit(1)
    assert not files.public.truncate_log()
    assert await current.withdraw(1)
    assert current.peek() is None
    assert files.public.truncate_log()
    files.close()


async def test_new_users_wait_while_the_snapshot_is_withdrawn(files: Files) -> None:
    files.commit(0)
    current = CurrentSnapshot(files.pool)
    current.replace(files.pool.take())
    release = asyncio.Event()

    async def work() -> int:
        async with current.use() as snapshot:
            await release.wait()
            return snapshot.height

    first = asyncio.create_task(work())
    await asyncio.sleep(0)
    assert not await current.withdraw(0.01)
    second = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    release.set()
    assert await first == 1
    assert not second.done()
    files.commit(1)
    current.replace(files.pool.take())
    assert await second == 2
    await current.withdraw(1)
    files.close()


async def test_who_waits_for_a_snapshot_is_told_when_there_will_be_none(files: Files) -> None:
    files.commit(0)
    current = CurrentSnapshot(files.pool)
    current.replace(files.pool.take())
    await current.withdraw(1)

    async def work() -> int:
        async with current.use() as snapshot:
            return snapshot.height

    waiting = asyncio.create_task(work())
    await asyncio.sleep(0)
    await current.close(1)
    with pytest.raises(LedgerError) as caught:
        await waiting
    assert caught.value.code == "LEDGER_CLOSED"
    files.close()


def test_what_is_remembered_is_what_is_committed(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_reader, "_MOST_REMEMBERED", 8)
    monkeypatch.setattr(state_reader, "_LARGEST_REMEMBERED", 4)
    files.commit(0)
    values = {f"k{number}": b"v" * number for number in range(1, 8)}
    updates = [PublicUpdate("cc", key, value, b"", Version(1, 0)) for key, value in values.items()]
    files.public.commit(BlockRecord(1, b"", False, b"", (), UpdateBatch(tuple(updates)), ()))
    snapshot = files.pool.take()
    for keys in (["k1", "k7", "none"], ["k7", "k2", "k1", "none", "k2"], [], list(values), ["k1", "none"]):
        for _ in range(2):
            found = snapshot.state.get_many("cc", keys)
            assert [entry and entry.value for entry in found] == [values.get(key) for key in keys]
            assert [snapshot.state.get("cc", key) for key in keys] == found
            assert snapshot.state.get_many("other", keys) == [None] * len(keys)
    files.pool.give_back(snapshot)
    files.public.commit(
        BlockRecord(2, b"", False, b"", (), UpdateBatch((updates[0]._replace(value=b"new"),)), ())
    )
    again = files.pool.take()
    assert again is snapshot
    assert [entry and entry.value for entry in again.state.get_many("cc", ["k1", "k2"])] == [b"new", b"vv"]
    files.pool.give_back(again)
    files.close()
