"""One organization's private file: what waits, what is applied, and that what is removed is gone."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from hypothesis import given
from hypothesis import strategies as st

from fabric_embedded.errors import LedgerError
from fabric_embedded.storage import database, schema
from fabric_embedded.storage.private_store import KEPT_BLOCKS, PendingSet, PrivateBlock, PrivateStore
from fabric_embedded.storage.write_sets import WriteSet
from fabric_protocol.private_rwset import private_collection
from fabric_protocol.rwset import Write
from fabric_protocol.rwset_builder import key_hash
from fabric_protocol.state import Version
from fabric_protocol.updates import PrivateUpdate, Purge

SECRET = b"a value that has to be forgotten"


def _pending(transaction_id: str = "t", data: bytes = b"set") -> PendingSet:
    return PendingSet(transaction_id, "cc", "c", sha256(data).digest(), data)


def _find(store: PrivateStore, pending: PendingSet) -> bytes | None:
    return store.pending(pending.transaction_id, "cc", "c", pending.hash)


def _block(number: int, key: str, value: bytes | None, **fields: object) -> PrivateBlock:
    update = PrivateUpdate("cc", "c", key, value, Version(number, 0))
    return PrivateBlock(number, updates=(update,), **fields)  # type: ignore[arg-type]


def _purge(number: int, key: str, position: int = 0) -> PrivateBlock:
    purge = Purge("cc", "c", key_hash(key), Version(number, position))
    return PrivateBlock(number, purged=(purge,))


@pytest.fixture
def store(tmp_path: Path) -> PrivateStore:
    return PrivateStore(tmp_path, "AlphaMSP")


def test_what_waits_survives_reopening_and_is_found_by_its_hash_only(
    store: PrivateStore, tmp_path: Path
) -> None:
    store.add_pending([_pending()], 3)
    store.close()
    store = PrivateStore(tmp_path, "AlphaMSP")
    assert _find(store, _pending()) == b"set"
    assert _find(store, _pending(data=b"other")) is None
    assert _find(store, _pending("other")) is None
    store.close()


def test_applied_block_is_read_and_settles_what_waited(store: PrivateStore) -> None:
    store.add_pending([_pending("t"), _pending("u")], 0)
    store.apply(_block(0, "k", b"v", settled=["t"]), settles=True)
    found = store.data.get("cc", "c", "k")
    assert found is not None
    assert (found.value, found.version) == (b"v", Version(0, 0))
    assert _find(store, _pending("t")) is None
    assert _find(store, _pending("u")) == b"set"
    assert store.height == 1
    store.close()


def test_lent_sets_stay_until_they_are_settled(store: PrivateStore) -> None:
    store.add_pending([_pending()], 0)
    store.apply(_block(0, "k", b"v", settled=["t"]), settles=False)
    assert _find(store, _pending()) == b"set"
    store.settle({"t"}.__contains__)
    assert _find(store, _pending()) is None
    store.close()


def test_delete_and_range(store: PrivateStore) -> None:
    for number, key in enumerate(["a", "b", "ö", "z"]):
        store.apply(_block(number, key, b"v"), settles=True)
    store.apply(_block(4, "b", None), settles=True)
    assert [key for key, _ in store.data.scan("cc", "c", "a", "")] == ["a", "z", "ö"]
    assert [key for key, _ in store.data.scan("cc", "c", "b", "ö")] == ["z"]
    assert list(store.data.scan("cc", "other", "", "")) == []
    store.close()


def test_range_longer_than_a_page_is_whole(store: PrivateStore) -> None:
    updates = tuple(PrivateUpdate("cc", "c", f"{n:04}", b"v", Version(0, 0)) for n in range(300))
    store.apply(PrivateBlock(0, updates=updates), settles=True)
    assert [int(key) for key, _ in store.data.scan("cc", "c", "", "")] == list(range(300))
    store.close()


def test_purge_removes_up_to_its_version_and_no_later_value(store: PrivateStore) -> None:
    store.apply(_block(1, "k", b"v"), settles=True)
    store.apply(_purge(0, "k"), settles=True)
    assert store.data.get("cc", "c", "k") is not None
    store.apply(_purge(2, "k"), settles=True)
    assert store.data.get("cc", "c", "k") is None
    store.close()


def test_purge_concerns_only_who_holds_the_key(store: PrivateStore) -> None:
    assert not store.concerns(_purge(1, "k"))
    store.apply(_block(0, "k", b"v"), settles=True)
    assert store.concerns(_purge(1, "k"))
    assert not store.concerns(PrivateBlock(1, settled=["t"]))
    store.close()


def test_purged_bytes_are_in_no_file_once_the_log_is_cut(store: PrivateStore, tmp_path: Path) -> None:
    store.add_pending([_pending(data=SECRET)], 0)
    store.apply(_block(0, "k", SECRET, settled=["t"]), settles=True)
    store.apply(_purge(1, "k"), settles=True)
    assert store.is_purging
    assert store.finish_purge()
    assert not store.is_purging
    assert [path.name for path in tmp_path.iterdir() if SECRET in path.read_bytes()] == []
    store.close()


def test_unfinished_purge_is_remembered(store: PrivateStore, tmp_path: Path) -> None:
    store.apply(_block(0, "k", SECRET), settles=True)
    reader = database.connect_for_reading(store.path)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM data").fetchall()
    store.apply(_purge(1, "k"), settles=True)
    assert not store.finish_purge()
    reader.close()
    store.close()
    store = PrivateStore(tmp_path, "AlphaMSP")
    assert store.is_purging
    assert store.finish_purge()
    store.close()


def test_sets_that_never_came_to_be_ordered_are_dropped_in_the_end(store: PrivateStore) -> None:
    store.add_pending([_pending("old")], 0)
    store.add_pending([_pending("new")], 5)
    store.apply(_block(KEPT_BLOCKS + 3, "k", b"v"), settles=True)
    assert _find(store, _pending("old")) is None
    assert _find(store, _pending("new")) == b"set"
    store.close()


def test_write_that_fails_leaves_nothing(store: PrivateStore) -> None:
    store._connection.execute("PRAGMA query_only=ON")
    with pytest.raises(LedgerError) as caught:
        store.apply(_block(0, "k", b"v"), settles=True)
    with pytest.raises(LedgerError):
        store.add_pending([_pending()], 0)
    store._connection.execute("PRAGMA query_only=OFF")
    assert caught.value.code == "LEDGER_WRITE_FAILED"
    assert (store.height, store.data.get("cc", "c", "k"), _find(store, _pending())) == (0, None, None)
    store.close()


def test_height_never_goes_back(store: PrivateStore) -> None:
    store.advance(5)
    store.advance(3)
    assert store.height == 5
    store.close()


LIFETIMES = {("cc", "c"): 2}
"""What is written in block n goes with block n + 3."""


def _kept(number: int, key: str, value: bytes = SECRET, position: int = 0) -> PrivateBlock:
    written = Write(key, False, value)
    data = private_collection("c", (written,), ()).data
    sets = (WriteSet(position, "cc", "c", data),)
    update = PrivateUpdate("cc", "c", key, value, Version(number, position))
    return PrivateBlock(number, updates=(update,), sets=sets, lifetimes=LIFETIMES)


def test_expired_values_and_sets_go_with_their_block(store: PrivateStore, tmp_path: Path) -> None:
    store.apply(_kept(1, "k"), settles=True)
    store.apply(_kept(2, "l", b"other"), settles=True)
    assert not store.expires_by(3)
    assert store.expires_by(4)
    assert store.concerns(PrivateBlock(4))
    store.apply(PrivateBlock(4), settles=True)
    assert store.data.get("cc", "c", "k") is None
    assert store.data.write_sets(1) == []
    assert len(store.data.write_sets(2)) == 1
    assert not store.expires_by(4)
    assert store.expires_by(5)
    assert store.is_purging
    assert store.finish_purge()
    assert [path.name for path in tmp_path.iterdir() if SECRET in path.read_bytes()] == []
    store.close()


def test_expiry_is_remembered_over_a_restart(store: PrivateStore, tmp_path: Path) -> None:
    store.apply(_kept(1, "k"), settles=True)
    store.close()
    store = PrivateStore(tmp_path, "AlphaMSP")
    assert not store.expires_by(3)
    assert store.expires_by(4)
    store.close()


def test_value_written_again_lives_on_while_its_old_set_expires(store: PrivateStore) -> None:
    store.apply(_kept(1, "k"), settles=True)
    store.apply(_kept(4, "k", b"new"), settles=True)
    found = store.data.get("cc", "c", "k")
    assert found is not None
    assert (found.value, store.data.write_sets(1)) == (b"new", [])
    store.close()


def test_purge_takes_a_key_out_of_every_set_up_to_it_and_keeps_the_rest(
    store: PrivateStore, tmp_path: Path
) -> None:
    both = private_collection("c", (Write("k", False, SECRET), Write("l", False, b"stays")), ("k", "l")).data
    store.apply(
        PrivateBlock(1, sets=(WriteSet(0, "cc", "c", both), WriteSet(0, "cc", "d", both))), settles=True
    )
    store.apply(_kept(2, "k", position=1), settles=True)
    purge = Purge("cc", "c", key_hash("k"), Version(2, 0))
    assert store.concerns(PrivateBlock(2, purged=(purge,)))
    store.apply(PrivateBlock(3, purged=(purge,)), settles=True)
    first, other = store.data.write_sets(1)
    assert first.data == private_collection("c", (Write("l", False, b"stays"),), ("l",)).data
    assert (other.collection, other.data) == ("d", both)
    assert len(store.data.write_sets(2)) == 1
    assert not store.concerns(PrivateBlock(3, purged=(purge._replace(key_hash=key_hash("none")),)))
    store.close()


def test_purge_of_a_key_that_was_deleted_before_finds_its_old_sets(
    store: PrivateStore, tmp_path: Path
) -> None:
    store.apply(_kept(1, "k"), settles=True)
    store.apply(_block(2, "k", None), settles=True)
    purge = _purge(3, "k")
    assert store.concerns(purge)
    store.apply(purge, settles=True)
    assert store.finish_purge()
    assert [path.name for path in tmp_path.iterdir() if SECRET in path.read_bytes()] == []
    store.close()


VERSION_3 = (
    "DROP TABLE data",
    "CREATE TABLE data (namespace TEXT NOT NULL, collection TEXT NOT NULL, key BLOB NOT NULL,"
    " key_hash BLOB NOT NULL, value BLOB NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL,"
    " expires INTEGER, PRIMARY KEY (namespace, collection, key)) WITHOUT ROWID",
    "CREATE INDEX data_by_hash ON data (namespace, collection, key_hash)",
    "CREATE INDEX data_by_expiry ON data (expires) WHERE expires IS NOT NULL",
    "PRAGMA user_version=3",
)
"""What makes an empty file one of that version, which named each set of a key in `written_keys`."""


def test_data_of_the_version_before_is_taken_over(store: PrivateStore, tmp_path: Path) -> None:
    for statement in VERSION_3:
        store._connection.execute(statement)
    row = ("cc", "c", b"k", key_hash("k"), SECRET, 1, 0, None)
    store._connection.execute("INSERT INTO data VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    encoded = private_collection("c", (Write("k", False, SECRET),), ()).data
    store._connection.execute("INSERT INTO write_sets VALUES (1, 1, 0, 'cc', 'c', NULL, ?)", (encoded,))
    store._connection.execute("INSERT INTO written_keys VALUES (?, 1)", (key_hash("k"),))
    store.close()
    store = PrivateStore(tmp_path, "AlphaMSP")
    assert store._connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    found = store.data.get("cc", "c", "k")
    assert found is not None
    assert (found.value, found.version) == (SECRET, Version(1, 0))
    store.apply(_purge(2, "k"), settles=True)
    assert store.finish_purge()
    assert store.data.get("cc", "c", "k") is None
    assert [path.name for path in tmp_path.iterdir() if SECRET in path.read_bytes()] == []
    store.close()


WRITES = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["put", "delete", "purge"]), min_size=1)
"""What a transaction does to keys."""


@given(st.lists(st.lists(WRITES, min_size=1, max_size=3), min_size=1, max_size=5))
def test_a_purge_leaves_a_key_in_no_earlier_set_and_changes_no_other(
    blocks: list[list[dict[str, str]]],
) -> None:
    expected: dict[tuple[int, int], dict[str, bytes]] = {}
    with TemporaryDirectory() as directory:
        store = PrivateStore(Path(directory), "AlphaMSP")
        for number, transactions in enumerate(blocks):
            store.apply(_block_of(number, transactions), settles=True)
            for position, actions in enumerate(transactions):
                purged = {key for key, action in actions.items() if action == "purge"}
                for place, kept in expected.items():
                    expected[place] = {key: value for key, value in kept.items() if key not in purged}
                written = {key: _value(number, position, key, action) for key, action in actions.items()}
                expected[number, position] = {
                    key: value for key, value in written.items() if key not in purged
                }
        found = {
            (number, kept.position): kv_rwset_pb2.KVRWSet.FromString(kept.data)
            for number in range(len(blocks))
            for kept in store.data.write_sets(number)
        }
        store.close()
    assert {
        place: {write.key: write.value for write in content.writes} for place, content in found.items()
    } == expected


def _value(number: int, position: int, key: str, action: str) -> bytes:
    return f"{key} of {number}, {position}".encode() if action == "put" else b""


def _block_of(number: int, transactions: list[dict[str, str]]) -> PrivateBlock:
    """The block in which transactions act on keys, as `private_block` would put it together."""
    last, sets, purged = {}, [], []
    for position, actions in enumerate(transactions):
        version = Version(number, position)
        writes = []
        for key, action in actions.items():
            value = _value(number, position, key, action)
            last[key] = PrivateUpdate("cc", "c", key, value or None, version)
            writes.append(Write(key, action != "put", value))
            if action == "purge":
                purged.append(Purge("cc", "c", key_hash(key), version))
        sets.append(WriteSet(position, "cc", "c", private_collection("c", tuple(writes), ()).data))
    updates = tuple(last[key] for key in sorted(last))
    return PrivateBlock(number, updates=updates, purged=purged, sets=sets)
