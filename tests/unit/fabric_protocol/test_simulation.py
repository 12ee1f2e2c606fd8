from collections.abc import Callable
from typing import Any

import pytest
from support.sample_channel import CHAINCODE, SampleLedger

from fabric_protocol.definitions import INITIALIZED_KEY, Definition
from fabric_protocol.errors import SimulationError
from fabric_protocol.rwset import MetadataEntry, MetadataWrite, NamespaceSet, Read, Write
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.simulation import SimulationResults, Simulator
from fabric_protocol.state import Version

SEQUENCE = Read("namespaces/fields/records/Sequence", Version(0, 0))


def ledger(**values: bytes) -> SampleLedger:
    """A ledger whose block 1 wrote some keys."""
    made = SampleLedger(("AlphaMSP",), "OR('AlphaMSP.peer')")

    def write(simulator: Simulator) -> None:
        for key, value in values.items():
            simulator.put_state(CHAINCODE, key, value)

    made.submit(write)
    return made


def namespace(results: SimulationResults, name: str = CHAINCODE) -> NamespaceSet:
    return next(entry for entry in results.rwset.namespaces if entry.namespace == name)


def refused(code: str, work: Callable[[], Any]) -> str:
    with pytest.raises(SimulationError) as caught:
        work()
    assert caught.value.code == code
    return caught.value.message


def test_reads_come_from_committed_state_and_never_from_own_writes() -> None:
    simulator = ledger(a=b"1", b=b"2").simulator()
    simulator.put_state(CHAINCODE, "a", b"new")
    simulator.delete_state(CHAINCODE, "b")

    assert simulator.get_state(CHAINCODE, "a") == b"1"
    assert simulator.get_states(CHAINCODE, ["b", "missing"]) == [b"2", None]
    assert [entry.key for entry in simulator.scan(CHAINCODE, "", "")] == ["a", "b"]
    found = namespace(simulator.results())
    assert found.reads == (Read("a", Version(1, 0)), Read("b", Version(1, 0)), Read("missing", None))
    assert found.writes == (Write("a", False, b"new"), Write("b", True, b""))


def test_the_last_write_counts_and_an_empty_value_is_a_delete() -> None:
    simulator = ledger().simulator()
    simulator.put_state(CHAINCODE, "a", b"1")
    simulator.delete_state(CHAINCODE, "a")
    simulator.delete_state(CHAINCODE, "b")
    simulator.put_state(CHAINCODE, "b", b"2")
    simulator.put_state(CHAINCODE, "c", b"")

    assert namespace(simulator.results()).writes == (
        Write("a", True, b""),
        Write("b", False, b"2"),
        Write("c", True, b""),
    )


def test_a_call_reads_the_chaincodes_sequence() -> None:
    results = ledger().simulate(lambda simulator: None)

    assert [entry.namespace for entry in results.rwset.namespaces] == ["_lifecycle"]
    assert namespace(results, "_lifecycle").reads == (SEQUENCE,)
    assert decode_rwset(results.public) == results.rwset


def test_a_call_of_an_unknown_chaincode_reads_the_legacy_lifecycle_too() -> None:
    simulator = ledger().simulator(chaincode=None)

    assert simulator.use_chaincode("unknown") is None
    assert simulator.use_chaincode("_lifecycle") is None
    found = simulator.results().rwset.namespaces
    assert [(entry.namespace, entry.reads) for entry in found] == [
        ("_lifecycle", (Read("namespaces/fields/unknown/Sequence", None),)),
        ("lscc", (Read("unknown", None),)),
    ]


def test_a_called_chaincode_adds_its_own_sequence() -> None:
    made = ledger()
    made.define("other", sequence=4)
    simulator = made.simulator()

    definition = simulator.use_chaincode("other")

    assert definition is not None
    assert definition.sequence == 4
    found = namespace(simulator.results(), "_lifecycle").reads
    assert found == (Read("namespaces/fields/other/Sequence", Version(0, 0)), SEQUENCE)


def test_metadata_is_read_with_its_key_and_replaced_as_a_whole() -> None:
    made = ledger(a=b"1")
    made.submit(lambda simulator: simulator.set_metadata(CHAINCODE, "a", {"z": b"1", "y": b"2"}))
    simulator = made.simulator()

    assert simulator.get_metadata(CHAINCODE, "a") == {"y": b"2", "z": b"1"}
    assert simulator.get_metadata(CHAINCODE, "missing") == {}
    simulator.set_metadata(CHAINCODE, "a", {"x": b"3"})
    simulator.set_metadata(CHAINCODE, "b", {})
    found = namespace(simulator.results())
    assert found.reads == (Read("a", Version(2, 0)), Read("missing", None))
    assert found.metadata_writes == (
        MetadataWrite("a", (MetadataEntry("x", b"3"),)),
        MetadataWrite("b", ()),
    )


def test_ranges_are_half_open_and_recorded_in_the_order_of_their_creation() -> None:
    simulator = ledger(a=b"1", b=b"2", c=b"3", d=b"4").simulator()

    assert [entry.key for entry in simulator.scan(CHAINCODE, "b", "d")] == ["b", "c"]
    assert next(simulator.scan(CHAINCODE, "a", "")).value == b"1"
    assert list(simulator.scan(CHAINCODE, "x", "")) == []
    found = namespace(simulator.results()).range_queries
    assert [(query.start_key, query.end_key, query.exhausted) for query in found] == [
        ("b", "d", True),
        ("a", "a", False),
        ("x", "", True),
    ]
    assert found[0].reads == (Read("b", Version(1, 0)), Read("c", Version(1, 0)))


def test_pages_carry_bookmarks_and_forbid_writes() -> None:
    simulator = ledger(a=b"1", b=b"2", c=b"3").simulator()

    first = simulator.scan_page(CHAINCODE, "", "", page_size=2)
    second = simulator.scan_page(CHAINCODE, "", "", page_size=2, bookmark=first.bookmark)

    assert ([entry.key for entry in first.entries], first.bookmark) == (["a", "b"], "c")
    assert ([entry.key for entry in second.entries], second.bookmark) == (["c"], "")
    for write in (
        lambda: simulator.put_state(CHAINCODE, "a", b"2"),
        lambda: simulator.delete_state(CHAINCODE, "a"),
        lambda: simulator.set_metadata(CHAINCODE, "a", {}),
    ):
        assert "unsuppored transaction. Transaction has already performed a paginated query" in refused(
            "TRANSACTION_UNSUPPORTED", write
        )
    found = namespace(simulator.results()).range_queries
    assert [(query.start_key, query.end_key, query.exhausted) for query in found] == [
        ("", "b", False),
        ("c", "", True),
    ]


def test_a_page_after_a_write_is_refused() -> None:
    simulator = ledger().simulator()
    simulator.put_state(CHAINCODE, "a", b"1")

    message = refused("TRANSACTION_UNSUPPORTED", lambda: simulator.scan_page(CHAINCODE, "", "", page_size=1))

    assert message == (
        "txid [t]: unsuppored transaction. Paginated queries are supported only in a read-only transaction"
    )


@pytest.mark.parametrize("key", ["\ud800", "a\udfff"])
def test_a_key_that_is_no_text_is_refused(key: str) -> None:
    simulator = ledger().simulator()

    for work in (
        lambda: simulator.get_state(CHAINCODE, key),
        lambda: simulator.get_states(CHAINCODE, [key]),
        lambda: simulator.put_state(CHAINCODE, key, b"1"),
        lambda: simulator.scan(CHAINCODE, key, ""),
        lambda: simulator.set_metadata(CHAINCODE, key, {}),
        lambda: simulator.get_metadata(CHAINCODE, key),
    ):
        refused("KEY_INVALID", work)


def test_results_are_taken_once() -> None:
    simulator = ledger().simulator()
    simulator.results()

    for work in (
        simulator.results,
        lambda: simulator.get_state(CHAINCODE, "a"),
        lambda: simulator.put_state(CHAINCODE, "a", b"1"),
        lambda: simulator.scan(CHAINCODE, "", ""),
        lambda: simulator.use_chaincode(CHAINCODE),
    ):
        refused("SIMULATION_FINISHED", work)


def test_the_set_does_not_depend_on_the_order_of_calls() -> None:
    made = ledger(a=b"1", b=b"2")

    def forwards(simulator: Simulator) -> None:
        simulator.get_states(CHAINCODE, ["a", "b"])
        simulator.put_state(CHAINCODE, "x", b"1")
        simulator.put_state(CHAINCODE, "é", b"2")

    def backwards(simulator: Simulator) -> None:
        simulator.put_state(CHAINCODE, "é", b"2")
        simulator.put_state(CHAINCODE, "x", b"1")
        simulator.get_state(CHAINCODE, "b")
        simulator.get_state(CHAINCODE, "a")

    assert made.simulate(forwards).public == made.simulate(backwards).public


INITIALIZED = Definition(CHAINCODE, 1, "1.0", b"p", init_required=True)


def test_initialization_comes_first_and_once() -> None:
    made = ledger()

    refusal = refused(
        "INITIALIZATION_REFUSED",
        lambda: made.simulator().check_initialization(INITIALIZED, is_init=False),
    )
    assert refusal == (
        "chaincode 'records' has not been initialized for this version, must call as init first"
    )
    made.submit(lambda simulator: simulator.check_initialization(INITIALIZED, is_init=True))
    simulator = made.simulator()
    simulator.check_initialization(INITIALIZED, is_init=False)
    assert namespace(simulator.results()).reads == (Read(INITIALIZED_KEY, Version(2, 0)),)
    assert "already initialized" in refused(
        "INITIALIZATION_REFUSED", lambda: made.simulator().check_initialization(INITIALIZED, is_init=True)
    )


def test_a_chaincode_without_initialization_is_not_called_as_init() -> None:
    plain = Definition(CHAINCODE, 1, "1.0", b"p")
    simulator = ledger().simulator()

    simulator.check_initialization(plain, is_init=False)
    assert "does not require initialization but called as init" in refused(
        "INITIALIZATION_REFUSED", lambda: simulator.check_initialization(plain, is_init=True)
    )
    assert [entry.namespace for entry in simulator.results().rwset.namespaces] == ["_lifecycle"]
