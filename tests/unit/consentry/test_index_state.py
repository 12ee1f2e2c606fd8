"""The verified state in the database answers like the one in memory."""

from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from consentry.index.database import open_database
from consentry.index.state import SqlLedgerState
from fabric_protocol.memory_state import MemoryState
from fabric_protocol.state import Version
from fabric_protocol.updates import HashedUpdate, PublicUpdate, UpdateBatch

KEYS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=4)
VALUES = st.one_of(st.none(), st.binary(min_size=1, max_size=8))
BLOCKS = st.lists(
    st.tuples(st.dictionaries(KEYS, VALUES, max_size=6), st.dictionaries(KEYS, VALUES, max_size=4)),
    max_size=4,
)


def batch(number: int, public: dict[str, bytes | None], hashed: dict[str, bytes | None]) -> UpdateBatch:
    version = Version(number, 0)
    return UpdateBatch(
        public=tuple(
            PublicUpdate("ns", key, value, b"m" if value else b"", version)
            for key, value in sorted(public.items())
        ),
        hashed=tuple(
            HashedUpdate("ns", "c", sha256(key.encode()).digest(), value, version, False, (value or b"")[:1])
            for key, value in sorted(hashed.items())
        ),
    )


@settings(max_examples=60, deadline=None)
@given(blocks=BLOCKS, start=st.one_of(st.just(""), KEYS), end=st.one_of(st.just(""), KEYS))
def test_both_states_answer_alike(
    blocks: list[tuple[dict[str, bytes | None], dict[str, bytes | None]]], start: str, end: str
) -> None:
    memory, engine = MemoryState(), open_database("sqlite://")
    with engine.begin() as connection:
        ledger = SqlLedgerState(connection)
        names = [key for public, hashed in blocks for key in (*public, *hashed)]
        for number, (public, hashed) in enumerate(blocks):
            memory.apply(batch(number, public, hashed))
            ledger.apply(batch(number, public, hashed), ())
        state = ledger.state
        assert list(state.scan("ns", start, end)) == list(memory.scan("ns", start, end))
        assert state.get_many("ns", names) == memory.get_many("ns", names)
        for key in names:
            key_hash = sha256(key.encode()).digest()
            assert state.get("ns", key) == memory.get("ns", key)
            assert state.get_hashed("ns", "c", key_hash) == memory.get_hashed("ns", "c", key_hash)
        hashes = [sha256(key.encode()).digest() for key in names]
        assert state.get_many_hashed("ns", "c", hashes) == memory.get_many_hashed("ns", "c", hashes)
        assert state.metadata_of("ns", names) == memory.metadata_of("ns", names)
        hashed = state.hashed_metadata_of("ns", "c", hashes)
        assert hashed == memory.hashed_metadata_of("ns", "c", hashes)
        assert state.get("other", "key") is None
    engine.dispose()


def test_more_keys_than_a_query_takes_are_found_in_their_order() -> None:
    engine = open_database("sqlite://")
    names = [f"key{number}" for number in range(1000)]
    with engine.begin() as connection:
        ledger = SqlLedgerState(connection)
        ledger.apply(batch(0, {name: name.encode() for name in names}, {}), ())
        wanted = [*reversed(names), "missing"]
        found = ledger.state.get_many("ns", wanted)
        hashes = [sha256(name.encode()).digest() for name in wanted]
        ledger.apply(batch(1, {}, {name: name.encode() for name in names}), ())
        hashed = ledger.state.get_many_hashed("ns", "c", hashes)
    assert [value.value.decode() if value else None for value in found] == [*reversed(names), None]
    assert [value.value.decode() if value else None for value in hashed] == [*reversed(names), None]
    engine.dispose()
