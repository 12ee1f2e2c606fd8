"""`consentry verify` over real signatures: in one process, in one a core, and from a checkpoint; the index.

Both read the same ledger: one record a transaction, of the kinds that a busy consortium writes.
"""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.embedded import two_organizations
from benchmarks.ledger_filling import LedgerFiller
from benchmarks.load import VALUE
from benchmarks.results import Measurement
from benchmarks.trail_events import Consortium, identifier_of
from consentry.index import IndexFollower, Trail, open_database
from consentry.verification import (
    Verdict,
    VerificationResult,
    VerifiedPart,
    Verifier,
    available_cores,
    memory_source,
    read_checkpoint,
    write_checkpoint,
)
from fabric_embedded import EmbeddedNetwork, read_blocks
from fabric_embedded.assembly import read_material
from fabric_embedded.paths import NetworkPaths

TRANSACTIONS = int(os.environ.get("CONSENTRY_BENCH_VERIFIED", "20000"))
"""How many; 0 leaves this benchmark out. Each has a client's signature and two endorsers'."""

_BAR = 1_500
_GAIN = 1.2
"""What a second core must bring at least; processes start while the first blocks are checked."""


def measure(directory: Path) -> Iterator[Measurement]:
    """Fill a ledger in `directory` and verify it."""
    if not TRANSACTIONS:
        return
    directory.mkdir()
    network = EmbeddedNetwork.create(directory / "network", two_organizations())
    network.up()
    network.down()
    material = read_material(NetworkPaths(network.directory))
    made = Consortium(
        random.Random(1), TRANSACTIONS, [peer.identity.msp_id for peer in material.peers.values()]
    )
    LedgerFiller(material, VALUE, signed=True, writes=_writes(made)).fill(TRANSACTIONS)
    blocks = list(read_blocks(NetworkPaths(network.directory).ledger))
    yield from _measured(blocks, network.anchor(), directory / "verified.jsonl")
    yield from _indexed(blocks, network.anchor(), material.topology.chaincode.name, directory)


def _writes(made: Consortium) -> Iterator[tuple[str, bytes]]:
    for kind, record in made.records():
        yield f"{kind}/{identifier_of(kind, record.to_dict())}", record.to_bytes()


def _indexed(blocks: list[bytes], anchor: str, chaincode: str, directory: Path) -> Iterator[Measurement]:
    engine = open_database(f"sqlite:///{directory / 'index.sqlite'}")
    before = _cpu_seconds()
    done = IndexFollower(engine, chaincode, anchor).follow(memory_source("ledger", blocks))
    spent = _cpu_seconds() - before
    if Trail(engine).findings():
        raise RuntimeError("The index finds records forged or unreadable that are neither.")
    yield Measurement("index with completeness chains, CPU", done.transactions / spent, "tx/s a core", _BAR)
    engine.dispose()


def _measured(blocks: list[bytes], anchor: str, kept: Path) -> Iterator[Measurement]:
    cores = available_cores()
    _, result, alone = _verify(blocks, anchor, 1)
    yield Measurement("verify, one process, wall clock", result.transactions / alone, "tx/s", _BAR)
    before = _cpu_seconds()
    verifier, result, seconds = _verify(blocks, anchor, cores)
    spent = _cpu_seconds() - before
    yield Measurement(f"verify, {cores} processes, wall clock", result.transactions / seconds, "tx/s", _BAR)
    yield Measurement(f"verify, {cores} processes, CPU", result.transactions / spent, "tx/s a core", _BAR)
    if cores > 1:
        yield Measurement(f"verify, {cores} processes / one", alone / seconds, "×", _GAIN)
    began = time.perf_counter()
    write_checkpoint(kept, verifier.part)
    _verify(blocks, anchor, cores, read_checkpoint(kept))
    seconds = time.perf_counter() - began
    yield Measurement("keep a checkpoint and go on from it", result.transactions / seconds, "tx/s", _BAR)


def _verify(
    blocks: list[bytes], anchor: str, processes: int, begin: VerifiedPart | None = None
) -> tuple[Verifier, VerificationResult, float]:
    verifier, began = Verifier(), time.perf_counter()
    result = verifier.verify([memory_source("ledger", blocks)], anchor, begin=begin, processes=processes)
    if result.verdict is not Verdict.PROVED:
        raise RuntimeError(result.sentence)
    return verifier, result, time.perf_counter() - began


def _cpu_seconds() -> float:
    """Of this process and of those that it ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for item in measure(Path(place) / "verification"):
            print(f"{item.what}: {item.measured:,.2f} {item.unit}; {'reached' if item.holds else 'missed'}")
