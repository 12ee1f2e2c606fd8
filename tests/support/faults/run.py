"""A run of faults: PYTHONPATH=tests .venv/bin/python -m support.faults.run --seed 1 --count 100 --report FILE

Real peers, SmartBFT orderers, CAs, chaincode and decision services of three hospitals and a regulator, each
organization in a network namespace of its own; a researcher of each attempts access all the while.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from support.consent_frames import consent_frame
from support.faults.checking import Verdict, judge, records_of_all_peers
from support.faults.consortium import FaultyConsortium, faulty_consortium
from support.faults.injecting import inject, possible_kinds
from support.faults.lying import lies_told
from support.faults.plan import HOSPITALS, ORGANIZATIONS, Fault, planned
from support.faults.writing import Writer

from consentry.ledger import connect
from consentry.network import enroll_user

_RECOVERY_SECONDS = 120.0
# Decisions are made one after the other; what counts is that they go on being made.
_DECISION_SECONDS = 60.0


@dataclass(frozen=True)
class Struck:
    """A fault that was made: seconds from its end until every client had a new write committed."""

    fault: Fault
    recovered: float


@dataclass(frozen=True)
class Outcome:
    """What a run showed."""

    seed: int
    struck: tuple[Struck, ...]
    writes: dict[str, int]
    errors: dict[str, int]
    blocks: int
    decided: int
    verdict: Verdict
    lies: dict[str, int]
    not_possible: dict[str, str]


def run(
    directory: Path,
    seed: int,
    count: int,
    progress: Callable[[str], None],
    only: Sequence[str] | None = None,
) -> Outcome:
    """Make `count` faults, of these kinds only where some are named, and check everything afterwards."""
    kinds, missing = possible_kinds()
    kinds = [kind for kind in kinds if only is None or kind in only]
    with faulty_consortium(directory, progress) as consortium:
        writers = _writers(consortium)
        for writer in writers:
            writer.start()
        try:
            _wait_for_all(writers, time.monotonic())
            struck = []
            for fault in planned(seed, count, kinds):
                progress(f"{fault.number:3} {fault}")
                inject(consortium, fault)
                ended = time.monotonic()
                consortium.restore(progress)
                struck.append(Struck(fault, _wait_for_all(writers, ended)))
                progress(f"    everybody writes again after {struck[-1].recovered:.1f} s")
        finally:
            for writer in writers:
                writer.end()
        return _outcome(consortium, seed, struck, writers, missing)


def _writers(consortium: FaultyConsortium) -> list[Writer]:
    directory = consortium.network.directory
    versions = [_version(directory, name) for name in HOSPITALS[::2]]
    return [
        Writer(name, directory, enroll_user(directory, name, "researcher", ["researcher"]), versions)
        for name in ORGANIZATIONS
    ]


def _version(directory: Path, hospital: str) -> str:
    """A dataset version of a hospital's, for others to ask for."""
    people = [f"{hospital}-{number}" for number in range(3)]
    with connect(directory, enroll_user(directory, hospital, "steward", ["steward"])) as ledger:
        ledger.consents.import_frame(consent_frame(people))
        frame = pd.DataFrame({"pseudonym": people, "radius": 1.5})
        registered = ledger.datasets.register_frame(
            frame, name=f"cells-{hospital}", categories=["imaging"], legal_bases=["GDPR-9-2-j"]
        )
    return registered.version_id


def _wait_for_all(writers: Sequence[Writer], moment: float) -> float:
    """Seconds from a moment until each writer had a write committed that he began afterwards."""
    while True:
        recovered = [writer.recovered_after(moment) for writer in writers]
        if all(seconds is not None for seconds in recovered):
            return max(seconds for seconds in recovered if seconds is not None)
        waiting = [w.organization for w, seconds in zip(writers, recovered, strict=True) if seconds is None]
        last = {w.organization: w.history[-1].code for w in writers if w.history}
        assert time.monotonic() < moment + _RECOVERY_SECONDS, f"{waiting} cannot write: {last}"
        time.sleep(0.02)


def _outcome(
    consortium: FaultyConsortium,
    seed: int,
    struck: list[Struck],
    writers: list[Writer],
    missing: dict[str, str],
) -> Outcome:
    history = [write for writer in writers for write in writer.history]
    directory, identity = consortium.network.directory, writers[0].identity
    undecided, deadline = len(history) + 1, 0.0
    while True:
        records = records_of_all_peers(directory, identity)
        verdict = judge(history, records)
        if len(verdict.undecided) < undecided:
            undecided, deadline = len(verdict.undecided), time.monotonic() + _DECISION_SECONDS
        if not undecided or time.monotonic() > deadline:
            break
        time.sleep(2.0)
    first = next(iter(records.values()))
    return Outcome(
        seed=seed,
        struck=tuple(struck),
        writes=dict(Counter(write.outcome for write in history)),
        errors=dict(Counter(write.code for write in history if write.code)),
        blocks=len(first.blocks),
        decided=len(first.decisions),
        verdict=verdict,
        lies=lies_told(consortium),
        not_possible=missing,
    )


def main() -> None:
    """Run from the command line; exit status 1 unless everything is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--kind", action="append", help="this kind of fault only; can be given again")
    parser.add_argument("--report", type=Path, help="JSON file for what the run showed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consentry-faults-") as room:
        outcome = run(Path(room) / "network", arguments.seed, arguments.count, _say, arguments.kind)
    if arguments.report is not None:
        arguments.report.write_text(json.dumps(asdict(outcome), indent=1) + "\n", encoding="utf-8")
    _say(f"lies told: {outcome.lies}")
    longest = max(outcome.struck, key=lambda item: item.recovered)
    _say(f"{len(outcome.struck)} faults, seed {outcome.seed}; {outcome.writes}; {outcome.errors}")
    _say(f"{outcome.blocks} blocks, {outcome.decided} decisions; {outcome.verdict}")
    _say(f"longest recovery {longest.recovered:.1f} s, after {longest.fault}")
    sys.exit(0 if outcome.verdict.clean else 1)


def _say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    main()
