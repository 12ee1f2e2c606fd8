"""The public ledger's file: all of a block or nothing, keys in Fabric's order, the first of two equal ids."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_embedded.errors import LedgerError
from fabric_embedded.storage import database, schema
from fabric_embedded.storage.ledger_store import BlockRecord, HistoryEntry, LedgerStore, TransactionEntry
from fabric_protocol.memory_state import MemoryState
from fabric_protocol.state import Version, VersionedValue
from fabric_protocol.updates import HashedUpdate, PublicUpdate, UpdateBatch

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@pytest.fixture
def store(tmp_path: Path) -> LedgerStore:
    return LedgerStore(tmp_path)


def _record(
    number: int,
    public: dict[str, bytes | None] | None = None,
    *,
    ids: tuple[str, ...] = (),
    hashed: tuple[HashedUpdate, ...] = (),
) -> BlockRecord:
    updates = tuple(
        PublicUpdate("cc", key, value, b"m", Version(number, 0)) for key, value in (public or {}).items()
    )
    return BlockRecord(
        number=number,
        header_hash=bytes([number]) * 32,
        is_private=bool(hashed),
        data=b"block %d" % number,
        transactions=tuple(TransactionEntry(name, position, 0) for position, name in enumerate(ids)),
        updates=UpdateBatch(updates, hashed),
        history=tuple(HistoryEntry("cc", key, 0) for key, value in (public or {}).items() if value is None),
    )


def test_what_is_committed_is_read_back_by_a_new_store(store: LedgerStore, tmp_path: Path) -> None:
    hashed = (HashedUpdate("cc", "c", b"h" * 32, b"v" * 32, Version(0, 0), False),)
    store.commit(_record(0, {"k": b"v"}, ids=("a", "b"), hashed=hashed))
    store.close()
    store = LedgerStore(tmp_path)
    assert (store.height, store.blocks.block(0), store.blocks.header_hash(0)) == (1, b"block 0", bytes(32))
    assert store.blocks.transaction("b") == (0, 1, 0)
    assert store.state.get("cc", "k") == VersionedValue(b"v", b"m", Version(0, 0))
    assert store.state.get_hashed("cc", "c", b"h" * 32) == VersionedValue(b"v" * 32, b"", Version(0, 0))
    assert store.blocks.private_blocks(0) == [0]
    store.close()


def test_missing_things_are_none(store: LedgerStore) -> None:
    assert store.height == 0
    assert store.blocks.block(0) is None
    assert store.blocks.header_hash(0) is None
    assert store.blocks.transaction("a") is None
    assert not store.blocks.is_known("a")
    assert store.state.get("cc", "k") is None
    assert store.state.get_hashed("cc", "c", b"") is None
    store.close()


def test_first_transaction_of_an_id_stays(store: LedgerStore) -> None:
    store.commit(_record(0, ids=("a",)))
    store.commit(_record(1, ids=("x", "a", "")))
    assert store.blocks.transaction("a") == (0, 0, 0)
    assert not store.blocks.is_known("")
    store.close()


def test_block_that_cannot_be_written_leaves_nothing(store: LedgerStore) -> None:
    store.commit(_record(0, {"k": b"old"}))
    with pytest.raises(LedgerError) as caught:
        store.commit(_record(0, {"k": b"new", "l": b"new"}, ids=("a",)))
    assert caught.value.code == "LEDGER_WRITE_FAILED"
    assert store.height == 1
    found = store.state.get("cc", "k")
    assert found is not None
    assert found.value == b"old"
    assert store.state.get("cc", "l") is None
    assert not store.blocks.is_known("a")
    store.commit(_record(1, {"k": b"new"}))
    assert store.height == 2
    store.close()


def test_read_only_file_is_a_clear_error(store: LedgerStore) -> None:
    store._connection.execute("PRAGMA query_only=ON")
    with pytest.raises(LedgerError, match="cannot be written"):
        store.commit(_record(0))
    store._connection.execute("PRAGMA query_only=OFF")
    store.commit(_record(0))
    assert store.height == 1
    store.close()


def test_delete_removes_and_history_keeps(store: LedgerStore) -> None:
    store.commit(_record(0, {"k": b"1"}))
    store.commit(_record(1, {"k": None}))
    assert store.state.get("cc", "k") is None
    assert store.blocks.history("cc", "k") == [(1, 0), (0, 0)]
    store.close()


def test_history_keeps_what_transactions_of_one_block_wrote_before_the_last(store: LedgerStore) -> None:
    store.commit(_record(0, {"k": b"1"}))
    update = PublicUpdate("cc", "k", b"3", b"", Version(1, 2))
    entries = (HistoryEntry("cc", "k", 0),)
    store.commit(replace(_record(1), updates=UpdateBatch((update,)), history=entries))
    assert store.blocks.history("cc", "k") == [(1, 2), (1, 0), (0, 0)]
    store.close()


def _make_earlier(store: LedgerStore) -> None:
    """What earlier versions had not, and their number."""
    for name in ("TRIGGER state_replaced", "TRIGGER state_deleted"):
        store._connection.execute(f"DROP {name}")
    for name in ("state_with_metadata", "hashed_with_metadata"):
        store._connection.execute(f"DROP INDEX {name}")
    store._connection.execute("PRAGMA user_version=2")


def test_files_of_the_version_before_are_taken_over(store: LedgerStore, tmp_path: Path) -> None:
    store.commit(_record(0, {"k": b"1"}))
    _make_earlier(store)
    # That version noted where a key was written last in its history, too.
    store._connection.execute("INSERT INTO history VALUES ('cc', ?, 0, 0)", (b"k",))
    store.close()
    store = LedgerStore(tmp_path)
    store.commit(_record(1, {"k": b"2"}))
    assert store.blocks.history("cc", "k") == [(1, 0), (0, 0)]
    assert store._connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    store.close()


def test_hash_is_deleted(store: LedgerStore) -> None:
    put = HashedUpdate("cc", "c", b"h", b"v", Version(0, 0), False)
    store.commit(_record(0, hashed=(put,)))
    store.commit(_record(1, hashed=(put._replace(value_hash=None),)))
    assert store.state.get_hashed("cc", "c", b"h") is None
    store.close()


def test_many_keys_come_in_the_order_asked_for(store: LedgerStore) -> None:
    store.commit(_record(0, {f"k{number}": b"%d" % number for number in range(350)}))
    keys = [f"k{number}" for number in range(349, -1, -1)] + ["none", "k7", "k7"]
    found = [value and int(value.value) for value in store.state.get_many("cc", keys)]
    assert found == [*range(349, -1, -1), None, 7, 7]
    assert store.state.get_many("cc", []) == []
    store.close()


def test_many_hashes_come_in_the_order_asked_for(store: LedgerStore) -> None:
    names = [b"%032d" % number for number in range(350)]
    store.commit(
        _record(0, hashed=tuple(HashedUpdate("cc", "c", name, name, Version(0, 0), False) for name in names))
    )
    wanted = [*reversed(names), b"none", names[7], names[7]]
    found = store.state.get_many_hashed("cc", "c", wanted)
    assert [value and value.value for value in found] == [*reversed(names), None, names[7], names[7]]
    assert store.state.get_many_hashed("cc", "other", wanted) == [None] * len(wanted)
    assert store.state.get_many_hashed("cc", "c", []) == []
    store.close()


def test_metadata_is_told_of_the_keys_that_have_some(store: LedgerStore) -> None:
    version = Version(0, 0)
    public = tuple(
        PublicUpdate("cc", f"k{number:04}", b"v", b"m%d" % number if number % 2 else b"", version)
        for number in range(1000)
    )
    hashed = tuple(
        HashedUpdate(
            "cc", "c", b"%04d" % number, b"v", version, False, b"m%d" % number if number % 2 else b""
        )
        for number in range(1000)
    )
    store.commit(replace(_record(0), updates=UpdateBatch(public, hashed)))

    # Between the last two lie more others than are read over.
    for wanted in ([], [3], [4], [5, 4, 3, 5], [2001], [5, 900], [0, 1, 999], list(range(999, -1, -1))):
        expected = {number: b"m%d" % number for number in wanted if number % 2 and number < 1000}
        keys, hashes = [f"k{number:04}" for number in wanted], [b"%04d" % number for number in wanted]
        assert store.state.metadata_of("cc", keys) == {f"k{n:04}": found for n, found in expected.items()}
        assert store.state.hashed_metadata_of("cc", "c", hashes) == {
            b"%04d" % number: found for number, found in expected.items()
        }
    assert store.state.metadata_of("other", ["k0001"]) == {}
    assert store.state.hashed_metadata_of("cc", "d", [b"0001"]) == {}
    store.close()


def test_files_without_the_indexes_get_them(store: LedgerStore, tmp_path: Path) -> None:
    store.commit(_record(0, {"k": b"1"}))
    _make_earlier(store)
    store.close()
    store = LedgerStore(tmp_path)
    assert store.state.metadata_of("cc", ["j", "k", "l"]) == {"k": b"m"}
    store.close()


@given(keys=st.sets(KEYS, max_size=30), start=KEYS, end=KEYS, repeat=st.integers(1, 12))
def test_ranges_are_those_of_the_state_in_memory(
    tmp_path_factory: pytest.TempPathFactory, keys: set[str], start: str, end: str, repeat: int
) -> None:
    store = LedgerStore(tmp_path_factory.mktemp("ledger"))
    record = _record(0, {key * repeat: b"v" for key in keys})
    store.commit(record)
    memory = MemoryState()
    memory.apply(record.updates)
    assert list(store.state.scan("cc", start, end)) == list(memory.scan("cc", start, end))
    assert list(store.state.scan("other", "", "")) == []
    store.close()


def test_range_longer_than_a_page_is_whole(store: LedgerStore) -> None:
    store.commit(_record(0, {f"k{number:04}": b"v" for number in range(500)}))
    found = [key for key, _ in store.state.scan("cc", "k0001", "k0499")]
    assert found == [f"k{number:04}" for number in range(1, 499)]
    store.close()


def test_commits_are_synced_and_files_private(store: LedgerStore) -> None:
    synchronous = store._connection.execute("PRAGMA synchronous").fetchone()[0]
    assert synchronous == 2
    assert store.path.stat().st_mode & 0o777 == 0o600
    store.close()


def test_log_is_cut_unless_somebody_reads_an_older_state(store: LedgerStore) -> None:
    store.commit(_record(0, {"k": b"v"}))
    reader = database.connect_for_reading(store.path)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM blocks").fetchall()
    store.commit(_record(1, {"k": b"w"}))
    assert not store.truncate_log()
    reader.execute("ROLLBACK")
    assert store.truncate_log()
    assert store.log_bytes() == 0
    reader.close()
    store.close()


def test_file_of_another_version_is_refused(store: LedgerStore, tmp_path: Path) -> None:
    store._connection.execute("PRAGMA user_version=99")
    store.close()
    with pytest.raises(LedgerError) as caught:
        LedgerStore(tmp_path)
    assert caught.value.code == "LEDGER_VERSION"


def test_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"this is no database, but long enough to be looked at" * 20)
    with pytest.raises(LedgerError) as caught:
        LedgerStore(tmp_path)
    assert caught.value.code == "LEDGER_UNREADABLE"


def test_reader_cannot_write(store: LedgerStore) -> None:
    reader = database.connect_for_reading(store.path)
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("DELETE FROM blocks")
    reader.close()
    store.close()
