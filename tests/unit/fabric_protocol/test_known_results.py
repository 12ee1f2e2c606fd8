"""What simulations of one transaction share: results, only where they collected exactly the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.sample_channel import CHAINCODE, SampleLedger
from support.sample_collections import ALPHA_ONLY, collections

from fabric_protocol import known_results
from fabric_protocol.known_results import KnownResults
from fabric_protocol.simulation import SimulationResults, Simulator

Work = Callable[[Simulator], object]


@pytest.fixture(scope="module")
def ledger() -> SampleLedger:
    made = SampleLedger(("AlphaMSP",), "OR('AlphaMSP.peer')", collections=collections())
    made.submit(lambda simulator: simulator.put_states(CHAINCODE, {"a": b"1", "b": b"2"}))
    return made


def results(
    ledger: SampleLedger, known: KnownResults | None, *work: Work, name: str = "t"
) -> SimulationResults:
    simulator = Simulator(ledger.state, None, transaction_id=name, msp_ids=ledger.msp_ids, known=known)
    simulator.use_chaincode(CHAINCODE)
    for step in work:
        step(simulator)
    return simulator.results()


def put(key: str, value: bytes) -> Work:
    return lambda simulator: simulator.put_state(CHAINCODE, key, value)


def scan(start: str) -> Work:
    return lambda simulator: list(simulator.scan(CHAINCODE, start, ""))


def get(key: str) -> Work:
    return lambda simulator: simulator.get_state(CHAINCODE, key)


def put_private(key: str, value: bytes) -> Work:
    return lambda simulator: simulator.put_private(CHAINCODE, ALPHA_ONLY, key, value)


def purge(key: str) -> Work:
    return lambda simulator: simulator.purge_private(CHAINCODE, ALPHA_ONLY, key)


def test_the_same_is_put_together_once(ledger: SampleLedger) -> None:
    known, work = (
        KnownResults(),
        (get("a"), put("k", b"v"), put("l", b"w"), scan("a"), put_private("p", b"v")),
    )
    first = results(ledger, known, *work)
    assert results(ledger, known, work[0], work[2], work[1], *work[3:]) is first
    assert results(ledger, None, *work) == first
    known.forget()
    again = results(ledger, known, *work)
    assert again == first
    assert again is not first


@pytest.mark.parametrize(
    "other",
    [
        (get("a"), put("k", b"w"), scan("a"), scan("b")),
        (get("b"), put("k", b"v"), scan("a"), scan("b")),
        (get("a"), put("k", b"v"), put("l", b"v"), scan("a"), scan("b")),
        (get("a"), put("k", b""), scan("a"), scan("b")),
        (get("a"), put("k", b"v"), scan("a")),
        # Only the order of range queries tells these two apart.
        (get("a"), put("k", b"v"), scan("b"), scan("a")),
        (get("a"), put("k", b"v"), scan("a"), scan("b"), put_private("p", b"v")),
    ],
    ids=["value", "read", "more", "delete", "range", "order", "private"],
)
def test_anything_else_is_not_taken_for_it(ledger: SampleLedger, other: tuple[Work, ...]) -> None:
    known = KnownResults()
    first = results(ledger, known, get("a"), put("k", b"v"), scan("a"), scan("b"))
    found = results(ledger, known, *other)
    assert found == results(ledger, None, *other)
    assert found.public != first.public


def test_a_purge_is_not_taken_for_a_delete(ledger: SampleLedger) -> None:
    known = KnownResults()
    first = results(ledger, known, put_private("p", b""))
    assert results(ledger, known, purge("p")).public != first.public


def test_what_is_remembered_is_bounded(ledger: SampleLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_results, "_MOST", 2)
    monkeypatch.setattr(known_results, "_MOST_BYTES", 5_000)
    known = KnownResults()
    named = {name: results(ledger, known, put("k", b"v" * 1_000), name=name) for name in "abc"}
    same = [results(ledger, known, put("k", b"v" * 1_000), name=name) is named[name] for name in "cb"]
    assert same == [True, True]
    assert results(ledger, known, put("k", b"v" * 1_000), name="a") is not named["a"]
    large = results(ledger, known, put("k", b"v" * 6_000), name="d")
    assert results(ledger, known, put("k", b"v" * 6_000), name="d") is not large
    size = results(ledger, known, put("k", b"v" * 4_000), name="e")
    assert results(ledger, known, put("k", b"v" * 4_000), name="e") is size
