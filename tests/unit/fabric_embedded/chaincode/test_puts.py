"""Batches of puts: read at once, once for all endorsers, and never taken for other ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.peer import chaincode_shim_pb2 as shim
from support.engine_material import Consortium, make_consortium
from support.memory_chaincode import Call

from fabric_embedded.chaincode import puts
from fabric_embedded.chaincode.messages import Type
from fabric_embedded.chaincode.puts import KnownPuts, Puts, read_puts
from fabric_embedded.engine import Engine

PUT, DELETE = shim.WriteRecord.PUT_STATE, shim.WriteRecord.DEL_STATE


def record(key: str, value: bytes = b"", kind: Any = PUT, collection: str = "") -> shim.WriteRecord:
    return shim.WriteRecord(key=key, value=value, type=kind, collection=collection)


def test_puts_to_one_place_are_read_at_once() -> None:
    assert read_puts([record("a", b"1"), record("b", b"2"), record("a", b"3")]) == Puts(
        "", {"a": b"3", "b": b"2"}
    )
    assert read_puts([record("a", b"1", collection="c")]) == Puts("c", {"a": b"1"})


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record("a", b"1"), record("b", kind=DELETE)],
        [record("a", kind=DELETE)],
        [record("a", b"1"), record("a", b"1", collection="c")],
        [record("a", b"1", kind=99)],
    ],
)
def test_others_are_not(records: list[shim.WriteRecord]) -> None:
    assert read_puts(records) is None


def test_only_the_same_bytes_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(puts, "_MOST_BYTES", 12_000)
    known, found = KnownPuts(), Puts("", {"k": b"v"})
    first = b"a" * 5000
    known.remember(first, found)

    assert known.find(bytes(bytearray(first))) is found
    assert known.find(first + b"a") is None
    assert known.find(b"b" * 5000) is None
    for letter in (b"b", b"c"):
        known.remember(letter * 5000, found)
    assert known.find(first) is None
    assert known.find(b"c" * 5000) is found


def test_what_is_private_small_or_huge_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(puts, "_MOST_BYTES", 12_000)
    known = KnownPuts()
    known.remember(b"a" * 5000, Puts("collection", {"k": b"secret"}))
    known.remember(b"a" * 10, Puts("", {"k": b"v"}))
    known.remember(b"a" * 13_000, Puts("", {"k": b"v"}))

    assert known.find(b"a" * 5000) is known.find(b"a" * 10) is known.find(b"a" * 13_000) is None


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {}, ["AlphaMSP", "BetaMSP"])


def writing(value_of_one: bytes) -> Callable[[Call], Any]:
    async def script(call: Call) -> None:
        records = [record(f"k{number:03}", b"v" * 20) for number in range(500)]
        records[250].value = value_of_one
        await call.request(Type.WRITE_BATCH_STATE, shim.WriteBatchState(rec=records))

    return script


@pytest.mark.parametrize(("of_beta", "is_same"), [(b"v" * 20, True), (b"v" * 19 + b"w", False)])
async def test_a_chaincode_that_writes_one_other_value_endorses_something_else(
    engine: Engine, consortium: Consortium, of_beta: bytes, is_same: bool
) -> None:
    consortium.services["AlphaMSP"].script = {"run": writing(b"v" * 20)}
    consortium.services["BetaMSP"].script = {"run": writing(of_beta)}
    _, signed = consortium.proposal("run", client="AlphaMSP")
    answers = [(await engine.peers[name].process_proposal(signed)) for name in ("AlphaMSP", "BetaMSP")]

    assert all(answer.endorsement.signature for answer in answers)
    assert (answers[0].payload == answers[1].payload) is is_same
    assert of_beta in answers[1].payload
