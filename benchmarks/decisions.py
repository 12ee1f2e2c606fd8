"""Decisions on accesses: what one costs with few and with a million records, and what 200 at once lose.

Alone: ``python -m benchmarks.decisions``. A million records take a gigabyte of disk and a minute.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from benchmarks.ledger_seeding import StateSeeder
from benchmarks.load import IN_FLIGHT, measured
from benchmarks.results import Measurement
from consentry.demo.data import load_hospitals
from consentry.identifiers import new_identifier
from consentry.ledger import Ledger, connect
from consentry.network import bring_up, enroll_user, take_down
from consentry.network.engines import load_network
from consentry.profile import NetworkProfile
from consentry.wallet import Wallet, WalletIdentity
from consentry_records.access import MAXIMUM_DECISIONS, DecisionBatch, NewAccessAttempt
from fabric_protocol.validation_codes import ValidationCode

SIZES = tuple(
    int(size) for size in os.environ.get("CONSENTRY_BENCH_RECORDS", "1000,100000,1000000").split(",")
)
"""How many consents, grants, attempts and decisions are stored, a quarter of each; in ascending order."""

_ROUNDS = 3
_PURPOSE = "DUO:0000006"
_CODES = "SELECT code, count(*) FROM transactions WHERE block >= ? GROUP BY code"
_HEIGHT = "SELECT max(number) + 1 FROM blocks"


def measure(directory: Path) -> Iterator[Measurement]:
    """Bring a consortium up in `directory`, and let its ledger grow under it."""
    bring_up(directory, "consortium")
    try:
        version = _prepare(directory)
        seeder, stored, costs = StateSeeder(_ledger_file(directory)), 0, []
        for size in SIZES:
            take_down(directory)
            seeder.add(size - stored)
            stored = size
            bring_up(directory)
            cost, lost = _decisions(directory, version)
            costs.append(cost)
            what = f"decisions lost to conflicts, {IN_FLIGHT} in flight, {size:,} records stored"
            yield Measurement(what, lost * 100, "%", 1, False)
        together = _decided_together(directory, version)
        what = f"CPU a decision, {MAXIMUM_DECISIONS} in a transaction ({together:.2f} ms), beside one in each"
        yield Measurement(what, together / costs[-1], "×", 0.5, False)
        text = ", ".join(f"{cost:.2f} ms with {size:,}" for cost, size in zip(costs, SIZES, strict=True))
        yield Measurement(f"CPU a decision, all processes ({text})", costs[-1] / costs[0], "×", 1.25, False)
    finally:
        take_down(directory)


def _prepare(directory: Path) -> str:
    """A consent, a dataset version and a grant on it, and one attempt decided; the version's id."""
    people = {
        role: enroll_user(directory, organization, role, [role])
        for organization, role in (
            ("northgate", "steward"),
            ("northgate", "dpo"),
            ("riverside", "researcher"),
        )
    }
    with (
        connect(directory, people["steward"]) as steward,
        connect(directory, people["dpo"]) as dpo,
        connect(directory, people["researcher"]) as researcher,
    ):
        consents = load_hospitals(1, datetime.now(UTC))[0].consents.iloc[:1]
        steward.consents.import_frame(consents)
        frame = pd.DataFrame({"pseudonym": consents["pseudonym"], "radius": [1.5]})
        version = steward.datasets.register_frame(
            frame, name="cells", categories=["imaging"], legal_bases=["GDPR-9-2-j"]
        ).version_id
        day = timedelta(days=1)
        request = researcher.grants.request([version], purposes=[_PURPOSE], duration=day)
        dpo.grants.grant(request.request_id, versions=[version], purposes=[_PURPOSE], duration=day)
        researcher.access.wait_for_decision(researcher.access.attempt(version, purpose=_PURPOSE))
    return version


def _decisions(directory: Path, version: str) -> tuple[float, float]:
    """Milliseconds of CPU a decision in the cheapest round, and the share committed without effect in all."""
    network = load_network(directory)
    # This benchmark decides itself, so that nothing but decisions is under way.
    network.stop_process("decide-northgate")
    rounds = [[_attempt(version) for _ in range(IN_FLIGHT)] for _ in range(_ROUNDS + 1)]
    with connect(directory, _person(directory, "riverside", "researcher")) as researcher:
        for attempts in rounds:
            _submits(researcher, "access:attempt", [attempt.to_bytes() for attempt in attempts])()
    height, loads = _query(directory, _HEIGHT)[0][0], []
    with connect(directory, _person(directory, "northgate", "service")) as service:
        for attempts in rounds:
            names = [attempt.attempt_id.encode() for attempt in attempts]
            loads.append(measured(network, IN_FLIGHT, _submits(service, "access:decide", names)))
            print(f"decisions: {loads[-1]}", flush=True)
    counts: dict[int, int] = dict(_query(directory, _CODES, height))  # type: ignore[arg-type]
    lost = 1 - counts.get(ValidationCode.VALID, 0) / sum(counts.values())
    # The first round warms caches and connections up.
    return min(load.total for load in loads[1:]), lost


def _decided_together(directory: Path, version: str) -> float:
    """Milliseconds of CPU a decision, where many wait and each transaction decides on as many as it may."""
    network, loads = load_network(directory), []
    rounds = [[_attempt(version) for _ in range(MAXIMUM_DECISIONS)] for _ in range(_ROUNDS + 1)]
    with connect(directory, _person(directory, "riverside", "researcher")) as researcher:
        for attempts in rounds:
            _submits(researcher, "access:attempt", [attempt.to_bytes() for attempt in attempts])()
    with connect(directory, _person(directory, "northgate", "service")) as service:
        for attempts in rounds:
            batch = DecisionBatch(attempts=tuple(attempt.attempt_id for attempt in attempts)).to_bytes()
            loads.append(
                measured(network, MAXIMUM_DECISIONS, _submits(service, "access:decide_batch", [batch]))
            )
    return min(load.total for load in loads[1:])


def _attempt(version: str) -> NewAccessAttempt:
    return NewAccessAttempt(
        attempt_id=new_identifier("attempt"), version_id=version, purpose=_PURPOSE, commercial=False
    )


def _submits(ledger: Ledger, function: str, arguments: list[bytes]) -> Callable[[], None]:
    def run() -> None:
        with ledger.contract.in_flight(IN_FLIGHT) as calls:
            futures = [calls.submit(function, argument) for argument in arguments]
        # What was committed without effect counts as lost; what was refused is a mistake of this benchmark.
        for future in futures:
            error = future.exception()
            if error is not None and "CONFLICT" not in str(error):
                raise error

    return run


def _person(directory: Path, organization: str, label: str) -> WalletIdentity:
    return Wallet(NetworkProfile.load(directory).wallet_directory(organization)).get(label)


def _ledger_file(directory: Path) -> Path:
    return directory / "ledger" / "ledger.sqlite"


def _query(directory: Path, query: str, *values: int) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(f"{_ledger_file(directory).as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for measurement in measure(Path(place) / "network"):
            verdict = "reached" if measurement.holds else "missed"
            print(f"{measurement.what}: {measurement.measured:.2f} {measurement.unit}; {verdict}", flush=True)
