"""The second pass: what a transaction read must still be so."""

from collections.abc import Callable

import pytest
from support.sample_channel import CHAINCODE, SampleLedger, hash_of, value_of
from support.sample_collections import ALPHA_ONLY, PrivateLedger, put

from fabric_protocol.rwset import MerkleSummary, NamespaceSet, RangeQuery, Read, ReadWriteSet, Write
from fabric_protocol.rwset_encoding import encode_rwset
from fabric_protocol.simulation import Simulator
from fabric_protocol.state import Version, decode_metadata
from fabric_protocol.validation_codes import ValidationCode

Work = Callable[[Simulator], object]


@pytest.fixture
def ledger() -> SampleLedger:
    made = SampleLedger(("AlphaMSP",), "OR('AlphaMSP.peer')")
    made.submit(write("a"), write("b"), write("d"))
    return made


def write(key: str, value: bytes = b"v") -> Work:
    return lambda simulator: simulator.put_state(CHAINCODE, key, value)


def delete(key: str) -> Work:
    return lambda simulator: simulator.delete_state(CHAINCODE, key)


def describe(key: str, value: bytes = b"m") -> Work:
    return lambda simulator: simulator.set_metadata(CHAINCODE, key, {"name": value})


def read(key: str) -> Work:
    return lambda simulator: simulator.get_state(CHAINCODE, key)


def both(first: Work, second: Work) -> Work:
    return lambda simulator: (first(simulator), second(simulator))


def increment(key: str) -> Work:
    def work(simulator: Simulator) -> None:
        simulator.get_state(CHAINCODE, key)
        simulator.put_state(CHAINCODE, key, b"new")

    return work


def scan(start: str = "", end: str = "", take: int | None = None) -> Work:
    def work(simulator: Simulator) -> None:
        rows = simulator.scan(CHAINCODE, start, end)
        for _ in range(take) if take is not None else iter(int, 1):
            if next(rows, None) is None:
                break

    return work


def names(codes: tuple[int, ...]) -> list[str]:
    return [ValidationCode(code).name for code in codes]


MVCC, PHANTOM = "MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"


def stale(ledger: SampleLedger, reader: Work, *changes: Work) -> str:
    """Code of a reader that is committed one block after changes that it did not see."""
    result = ledger.simulate(reader).public
    ledger.submit(*changes)
    return names(ledger.commit(ledger.block(ledger.envelope(result))).codes)[0]


@pytest.mark.parametrize(
    "change", [write("a"), delete("a"), describe("a")], ids=["write", "delete", "metadata"]
)
def test_a_changed_key_voids_its_readers_in_the_block_and_after_it(
    ledger: SampleLedger, change: Work
) -> None:
    assert names(ledger.submit(change, read("a"), scan("c")).codes) == ["VALID", MVCC, "VALID"]
    assert stale(ledger, read("a"), write("a")) == MVCC


def test_blind_writes_never_conflict(ledger: SampleLedger) -> None:
    assert (
        names(ledger.submit(write("a", b"1"), write("a", b"2"), delete("a"), write("a", b"3")).codes)
        == ["VALID"] * 4
    )
    assert value_of(ledger, "a") == b"3"


def test_one_of_two_increments_is_valid(ledger: SampleLedger) -> None:
    assert names(ledger.submit(increment("a"), increment("a")).codes) == ["VALID", MVCC]
    assert names(ledger.submit(increment("new"), increment("new")).codes) == ["VALID", MVCC]


def test_what_an_invalid_transaction_wrote_does_not_conflict(ledger: SampleLedger) -> None:
    codes = ledger.submit(increment("a"), both(increment("a"), write("b")), increment("b")).codes

    assert names(codes) == ["VALID", MVCC, "VALID"]


def test_deleting_a_missing_key_conflicts_within_the_block_only(ledger: SampleLedger) -> None:
    assert names(ledger.submit(delete("missing"), increment("missing")).codes) == ["VALID", MVCC]
    assert stale(ledger, increment("absent"), delete("absent")) == "VALID"


def test_metadata_of_a_missing_key_is_nothing(ledger: SampleLedger) -> None:
    validated = ledger.submit(describe("missing"), scan())

    assert names(validated.codes) == ["VALID", "VALID"]
    assert validated.updates.public == ()


def test_a_key_that_came_back_with_a_new_version_conflicts(ledger: SampleLedger) -> None:
    assert stale(ledger, increment("a"), delete("a"), write("a")) == MVCC


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (write("c"), PHANTOM),
        (delete("b"), PHANTOM),
        (write("b"), PHANTOM),
        (describe("b"), PHANTOM),
        (write("e"), "VALID"),
        (write("0"), "VALID"),
        (delete("d"), PHANTOM),
        (delete("c"), "VALID"),
        (describe("c"), "VALID"),
    ],
    ids=["new key", "deleted", "written", "metadata", "after", "before", "last", "nothing", "none"],
)
def test_phantoms_are_found_within_the_range_only(ledger: SampleLedger, change: Work, code: str) -> None:
    assert names(ledger.submit(change, scan("a", "e")).codes) == ["VALID", code]
    assert stale(ledger, scan("a", "e"), write("x")) == "VALID"


def test_phantoms_are_found_in_a_later_block(ledger: SampleLedger) -> None:
    assert stale(ledger, scan("a", "e"), write("c")) == PHANTOM
    assert stale(ledger, scan("a", "e"), delete("d")) == PHANTOM
    assert stale(ledger, scan("", ""), write("zzz")) == PHANTOM
    assert stale(ledger, scan("p", "q"), write("pp")) == PHANTOM


def test_a_range_left_early_ends_with_its_last_key(ledger: SampleLedger) -> None:
    assert stale(ledger, scan("a", "e", take=2), write("c")) == "VALID"
    assert stale(ledger, scan("a", "e", take=2), write("aa")) == PHANTOM
    assert stale(ledger, scan("a", "e", take=1), write("a")) == PHANTOM


def test_an_empty_range_stays_empty(ledger: SampleLedger) -> None:
    assert stale(ledger, scan("x", "z"), write("w")) == "VALID"
    assert stale(ledger, scan("x", "z"), write("y")) == PHANTOM


@pytest.mark.parametrize("count", [50, 51, 52, 103, 2700])
def test_phantoms_are_found_in_long_ranges(count: int) -> None:
    ledger = SampleLedger(("AlphaMSP",), "OR('AlphaMSP.peer')")

    def fill(simulator: Simulator) -> None:
        for number in range(count):
            simulator.put_state(CHAINCODE, f"k{number:05}", b"v")

    ledger.submit(fill)

    assert stale(ledger, scan(), write("a")) == PHANTOM
    assert stale(ledger, scan(), write(f"k{count - 1:05}")) == PHANTOM
    assert stale(ledger, scan("k"), delete("k00000")) == PHANTOM
    assert stale(ledger, scan("k"), write("a")) == "VALID"
    assert names(ledger.submit(scan("k"), write("kk"), scan("k")).codes) == ["VALID", "VALID", PHANTOM]


@pytest.mark.parametrize(
    "query",
    [
        RangeQuery("", "", True, None, None),
        RangeQuery("", "", False, None, None),
        RangeQuery("", "", True, (Read("a", None),), None),
        RangeQuery("", "", True, None, MerkleSummary(0, 1, ())),
        RangeQuery("", "", True, None, MerkleSummary(2, 1, (b"h" * 32,))),
        RangeQuery("", "", True, None, MerkleSummary(50, 1, (b"h" * 32,))),
    ],
)
def test_a_made_up_range_is_refused(ledger: SampleLedger, query: RangeQuery) -> None:
    rwset = ReadWriteSet((NamespaceSet(CHAINCODE, range_queries=(query,)),))

    block = ledger.block(ledger.envelope(encode_rwset(rwset)))

    assert names(ledger.commit(block).codes) == [PHANTOM]


def test_reads_are_judged_before_ranges(ledger: SampleLedger) -> None:
    codes = ledger.submit(write("a"), both(increment("a"), scan())).codes

    assert names(codes) == ["VALID", MVCC]


def test_private_reads_conflict_by_hash() -> None:
    ledger = PrivateLedger()
    ledger.submit_private(put(ALPHA_ONLY, "k", b"v"))

    def read_value(simulator: Simulator) -> None:
        simulator.get_private(CHAINCODE, ALPHA_ONLY, "k")

    def read_hash(simulator: Simulator) -> None:
        simulator.get_private_hash(CHAINCODE, ALPHA_ONLY, "k")

    codes = ledger.submit_private(put(ALPHA_ONLY, "k", b"2"), read_value, read_hash).codes

    assert names(codes) == ["VALID", MVCC, MVCC]
    result = ledger.simulate(read_hash).public
    ledger.submit_private(lambda simulator: simulator.delete_private(CHAINCODE, ALPHA_ONLY, "k"))
    assert names(ledger.commit(ledger.block(ledger.envelope(result))).codes) == [MVCC]


def test_an_update_is_the_net_of_a_block(ledger: SampleLedger) -> None:
    validated = ledger.submit(write("a", b"1"), describe("b"), delete("d"), write("a", b"2"), write("c"))

    found = [(update.key, update.value, update.version) for update in validated.updates.public]
    assert found == [
        ("a", b"2", Version(2, 3)),
        ("b", b"v", Version(2, 1)),
        ("c", b"v", Version(2, 4)),
        ("d", None, Version(2, 2)),
    ]
    assert decode_metadata(validated.updates.public[1].metadata) == {"name": b"m"}


def test_a_value_keeps_metadata_and_a_delete_drops_it(ledger: SampleLedger) -> None:
    ledger.submit(describe("a"))
    ledger.submit(write("a", b"2"))
    found = ledger.state.get(CHAINCODE, "a")
    assert found is not None
    assert decode_metadata(found.metadata) == {"name": b"m"}

    ledger.submit(delete("a"), write("a", b"3"))
    found = ledger.state.get(CHAINCODE, "a")
    assert found is not None
    assert (found.value, found.metadata) == (b"3", b"")


def test_metadata_of_a_key_deleted_in_the_same_block_is_nothing(ledger: SampleLedger) -> None:
    validated = ledger.submit(delete("a"), describe("a"))

    assert names(validated.codes) == ["VALID", "VALID"]
    assert ledger.state.get(CHAINCODE, "a") is None


def test_an_empty_value_deletes_whatever_the_flag_says(ledger: SampleLedger) -> None:
    rwset = ReadWriteSet((NamespaceSet(CHAINCODE, writes=(Write("a", False, b""), Write("b", True, b"x"))),))

    ledger.commit(ledger.block(ledger.envelope(encode_rwset(rwset))))

    assert value_of(ledger, "a") is None
    assert value_of(ledger, "b") is None


def test_hashes_of_private_keys_are_net_too() -> None:
    ledger = PrivateLedger()

    validated = ledger.submit_private(put(ALPHA_ONLY, "k", b"1"), put(ALPHA_ONLY, "k", b"2"))

    update = validated.updates.hashed[0]
    assert (update.key_hash, update.value_hash, update.version) == (hash_of("k"), hash_of("2"), Version(1, 1))
