from hypothesis import given
from hypothesis import strategies as st

from fabric_protocol.memory_state import MemoryPrivateState, MemoryState
from fabric_protocol.rwset_builder import key_hash
from fabric_protocol.state import (
    VALIDATION_PARAMETER,
    Version,
    decode_metadata,
    encode_metadata,
    key_policies,
)
from fabric_protocol.state_cache import StateCache
from fabric_protocol.updates import HashedUpdate, PrivateUpdate, PublicUpdate, Purge, UpdateBatch
from fabric_protocol.validation_codes import ValidationCode, code_name

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
V1 = Version(1, 0)


def public(*writes: tuple[str, bytes | None]) -> UpdateBatch:
    return UpdateBatch(public=tuple(PublicUpdate("n", key, value, b"", V1) for key, value in writes))


@given(st.dictionaries(KEYS, st.binary(min_size=1, max_size=3)), KEYS, KEYS)
def test_scans_are_in_the_order_of_utf8_bytes(values: dict[str, bytes], start: str, end: str) -> None:
    state = MemoryState()
    state.apply(public(*values.items()))

    found = [key for key, _ in state.scan("n", start, end)]

    expected = sorted(key.encode() for key in values)
    within = [key for key in expected if start.encode() <= key and (not end or key < end.encode())]
    assert [key.encode() for key in found] == within
    assert list(state.scan("other", "", "")) == []


def test_order_is_not_that_of_utf16() -> None:
    state = MemoryState()
    state.apply(public(("\U0001f600", b"1"), ("\uffff", b"2"), ("z", b"3")))

    assert [key for key, _ in state.scan("n", "", "")] == ["z", "\uffff", "\U0001f600"]


def test_deleted_keys_are_gone() -> None:
    state = MemoryState()
    state.apply(public(("a", b"1"), ("b", b"2")))
    state.apply(public(("a", None), ("missing", None)))

    assert state.get("n", "a") is None
    assert [found and found.value for found in state.get_many("n", ["a", "b", "c"])] == [None, b"2", None]
    assert [key for key, _ in state.scan("n", "", "")] == ["b"]
    assert state.get("other", "a") is None


def test_a_scan_is_of_the_moment_it_was_asked_for() -> None:
    state = MemoryState()
    state.apply(public(("a", b"1"), ("b", b"2")))
    rows = state.scan("n", "", "")
    state.apply(public(("a", None), ("c", b"3")))

    assert [key for key, _ in rows] == ["a", "b"]


def test_hashes_are_kept_by_collection() -> None:
    state = MemoryState()
    update = HashedUpdate("n", "c", b"k", b"v", V1, False, b"m")
    state.apply(UpdateBatch(hashed=(update,)))

    assert state.get_hashed("n", "c", b"k") == (b"v", b"m", V1)
    assert state.get_hashed("n", "d", b"k") is None
    state.apply(UpdateBatch(hashed=(update._replace(value_hash=None),)))
    assert state.get_hashed("n", "c", b"k") is None


def test_private_values_are_dropped_by_delete_and_by_purge() -> None:
    private = MemoryPrivateState()
    private.apply([PrivateUpdate("n", "c", key, b"v", V1) for key in "abc"])
    private.apply(
        [PrivateUpdate("n", "c", "a", None, V1), PrivateUpdate("n", "c", "d", b"new", V1)],
        [Purge("n", "c", key_hash("b"), V1), Purge("n", "c", key_hash("d"), V1), Purge("n", "x", b"", V1)],
    )

    assert [key for key, _ in private.scan("n", "c", "", "")] == ["c", "d"]
    assert private.get("n", "c", "b") is None
    assert private.get("n", "x", "c") is None
    assert list(private.scan("n", "x", "", "")) == []


@given(st.dictionaries(st.text(max_size=5), st.binary(max_size=5)))
def test_metadata_is_read_as_written(entries: dict[str, bytes]) -> None:
    assert decode_metadata(encode_metadata(entries.items())) == entries
    assert encode_metadata([]) == b""


def test_a_cache_asks_once() -> None:
    asked: list[tuple[str, ...]] = []

    class Asking(MemoryState):
        def get(self, namespace: str, key: str):  # type: ignore[no-untyped-def]
            asked.append((key,))
            return super().get(namespace, key)

        def get_many(self, namespace: str, keys):  # type: ignore[no-untyped-def]
            asked.append(tuple(keys))
            return super().get_many(namespace, keys)

    cache = StateCache(Asking(), 1)
    cache.get_many("n", ["a", "b"])
    cache.get("n", "a")
    cache.get("n", "c")
    cache.get_many("n", ["b", "c"])

    assert asked == [("a", "b"), ("c",)]


def test_a_cache_asks_for_hashes_once() -> None:
    asked: list[tuple[bytes, ...]] = []

    class Asking(MemoryState):
        def get_many_hashed(self, namespace: str, collection: str, key_hashes):  # type: ignore[no-untyped-def]
            asked.append((collection.encode(), *key_hashes))
            return super().get_many_hashed(namespace, collection, key_hashes)

    cache = StateCache(Asking(), 1)
    cache.get_many_hashed("n", "c", [b"a", b"b"])
    cache.get_hashed("n", "c", b"a")
    cache.get_many_hashed("n", "c", [b"b", b"d"])
    cache.get_hashed("n", "other", b"a")

    assert asked == [(b"c", b"a", b"b"), (b"c", b"d"), (b"other", b"a")]


def test_different_policies_of_keys_are_told_once() -> None:
    own = encode_metadata([(VALIDATION_PARAMETER, b"p")])
    other = encode_metadata([("a", b"1"), (VALIDATION_PARAMETER, b"q")])
    without = encode_metadata([("a", b"1")])
    empty = encode_metadata([(VALIDATION_PARAMETER, b"")])

    assert key_policies(["a", "b", "c"], {"a": own, "b": other, "c": own}) == {b"p", b"q"}
    assert key_policies(["a", "b"], {"a": own}) == key_policies(["a", "b"], {"b": own}) == {b"p", b""}
    assert key_policies(["a"], {"a": without}) == key_policies(["a"], {"a": empty}) == {b""}
    assert key_policies(["a"], {}) == {b""}
    assert key_policies([], {}) == set()


def test_a_cache_asks_for_metadata_once_and_tells_of_what_has_some() -> None:
    asked: list[list[str]] = []

    class Asking(MemoryState):
        def metadata_of(self, namespace: str, keys):  # type: ignore[no-untyped-def]
            asked.append(list(keys))
            return super().metadata_of(namespace, keys)

    state = Asking()
    state.apply(
        UpdateBatch(public=(PublicUpdate("n", "a", b"v", b"m", V1), PublicUpdate("n", "b", b"v", b"", V1)))
    )
    cache = StateCache(state, 1)

    assert cache.metadata_of("n", ["b", "a", "a", "missing"]) == {"a": b"m"}
    assert cache.metadata_of("n", ["b"]) == {}
    assert cache.metadata_of("n", ["a", "c"]) == {"a": b"m"}
    assert cache.metadata_of("other", ["a"]) == {}
    assert asked == [["b", "a", "a", "missing"], ["c"], ["a"]]


def test_a_cache_tells_of_hashes_with_metadata() -> None:
    state = MemoryState()
    state.apply(UpdateBatch(hashed=(HashedUpdate("n", "c", b"k", b"v", V1, False, b"m"),)))
    cache = StateCache(state, 1)

    assert cache.hashed_metadata_of("n", "c", [b"j", b"k"]) == {b"k": b"m"}
    assert cache.hashed_metadata_of("n", "d", [b"k"]) == {}


def test_versions_and_codes_have_fabrics_words() -> None:
    assert str(Version(4, 2)) == "{BlockNum: 4, TxNum: 2}"
    assert code_name(11) == ValidationCode.MVCC_READ_CONFLICT.name
    assert code_name(99) == "UNKNOWN_99"
