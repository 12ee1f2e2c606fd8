"""Simulator and validation against a model that knows nothing of read-write sets.

The model keeps each key's value, metadata and version in a dictionary, runs a block's transactions one by
one, and looks whether what each saw when it was simulated is still there.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.sample_channel import CHAINCODE, SampleLedger

from fabric_protocol.simulation import Simulator
from fabric_protocol.state import Version, decode_metadata

FILLED = [f"k{number:03}" for number in range(0, 140, 2)]
KEYS = st.sampled_from(["a", "k000", "k001", "k002", "k050", "k051", "k137", "k138", "z", "é", "\U0001f600"])
BOUNDS = st.sampled_from(["", "a", "k000", "k001", "k003", "k049", "k052", "k137", "k139", "z", "\U0001f600"])
READS = st.tuples(st.just("read"), KEYS)
WRITES = st.tuples(st.just("write"), KEYS, st.binary(max_size=2))
DESCRIPTIONS = st.tuples(st.just("describe"), KEYS, st.binary(min_size=1, max_size=1))
SCANS = st.tuples(st.just("scan"), BOUNDS, BOUNDS, st.integers(1, 60) | st.just(1000))
WORK = st.lists(st.one_of(READS, WRITES, WRITES, DESCRIPTIONS, SCANS), max_size=5)
Operation = tuple[Any, ...]
Row = tuple[bytes, bytes | None, Version]


@dataclass
class Seen:
    """What a transaction saw and wants, in the model's words."""

    work: list[Operation]
    reads: dict[str, Version | None] = field(default_factory=dict)
    scans: list[tuple[str, str, bool, list[tuple[str, Version]]]] = field(default_factory=list)


@dataclass
class Model:
    """Key → (value, metadata, version)."""

    rows: dict[str, Row] = field(default_factory=dict)

    def look(self, work: list[Operation]) -> Seen:
        seen = Seen(work)
        for operation in work:
            if operation[0] == "read":
                row = self.rows.get(operation[1])
                seen.reads[operation[1]] = row[2] if row else None
            elif operation[0] == "scan":
                _, start, end, take = operation
                found = self.within(start, end, inclusive=False)
                if len(found) < take:
                    seen.scans.append((start, end, False, found))
                else:
                    seen.scans.append((start, found[take - 1][0], True, found[:take]))
        return seen

    def within(self, start: str, end: str, *, inclusive: bool) -> list[tuple[str, Version]]:
        found = []
        for key in sorted(self.rows, key=str.encode):
            encoded = key.encode()
            is_before_end = not end or encoded < end.encode() or (inclusive and key == end)
            if start.encode() <= encoded and is_before_end:
                found.append((key, self.rows[key][2]))
        return found

    def run_block(self, number: int, block: list[Seen]) -> list[int]:
        described: set[str] = set()
        endorsed = []
        for seen in block:
            wanted = {entry[1] for entry in seen.work if entry[0] in ("write", "describe")}
            endorsed.append(not wanted & described)
            if endorsed[-1]:
                described |= {entry[1] for entry in seen.work if entry[0] == "describe"}
        touched: set[str] = set()
        codes = []
        for index, seen in enumerate(block):
            code = self.judge(seen, touched) if endorsed[index] else 10
            codes.append(code)
            if code == 0:
                self.write(seen, Version(number, index), touched)
        return codes

    def judge(self, seen: Seen, touched: set[str]) -> int:
        for key, version in seen.reads.items():
            row = self.rows.get(key)
            if key in touched or (row[2] if row else None) != version:
                return 11
        for start, end, inclusive, found in seen.scans:
            if self.within(start, end, inclusive=inclusive) != found:
                return 12
        return 0

    def write(self, seen: Seen, version: Version, touched: set[str]) -> None:
        values = {entry[1]: entry[2] for entry in seen.work if entry[0] == "write"}
        metadata = {entry[1]: entry[2] for entry in seen.work if entry[0] == "describe"}
        for key in values.keys() | metadata.keys():
            row = self.rows.get(key)
            value = values.get(key, row[0] if row else b"")
            if key in values:
                touched.add(key)
            elif not row:
                continue
            touched.add(key)
            if value:
                self.rows[key] = (value, metadata.get(key, row[1] if row else None), version)
            else:
                self.rows.pop(key, None)


def run(simulator: Simulator, work: list[Operation]) -> None:
    for operation in work:
        match operation:
            case ("read", key):
                simulator.get_state(CHAINCODE, key)
            case ("write", key, value):
                simulator.put_state(CHAINCODE, key, value)
            case ("describe", key, value):
                simulator.set_metadata(CHAINCODE, key, {"name": value})
            case ("scan", start, end, take):
                rows = simulator.scan(CHAINCODE, start, end)
                for _ in range(take):
                    if next(rows, None) is None:
                        break


def fill(simulator: Simulator) -> None:
    for key in FILLED:
        simulator.put_state(CHAINCODE, key, b"v")


def committed(ledger: SampleLedger) -> dict[str, Row]:
    return {
        key: (found.value, decode_metadata(found.metadata).get("name"), found.version)
        for key, found in ledger.state.scan(CHAINCODE, "", "")
    }


@settings(max_examples=120, deadline=None)
@given(st.lists(st.lists(st.tuples(WORK, st.booleans()), min_size=1, max_size=4), min_size=1, max_size=4))
def test_validation_agrees_with_the_model(blocks: list[list[tuple[list[Operation], bool]]]) -> None:
    ledger = SampleLedger(("AlphaMSP",), "OR('AlphaMSP.peer')")
    ledger.submit(fill)
    model = Model({key: (b"v", None, Version(1, 0)) for key in FILLED})
    late: list[tuple[bytes, Seen]] = []
    for block in blocks:
        entries, late = late, []
        for work, is_late in block:
            result = ledger.simulate(lambda simulator, work=work: run(simulator, work)).public
            (late if is_late else entries).append((result, model.look(work)))
        if not entries:
            continue
        number = len(ledger.blocks)

        validated = ledger.commit(ledger.block(*(ledger.envelope(result) for result, _ in entries)))

        assert list(validated.codes) == model.run_block(number, [seen for _, seen in entries])
        assert committed(ledger) == model.rows
