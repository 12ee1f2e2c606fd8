"""A large frame filtered by consent from the index, once its consents are indexed.

Consents, subjects and their register are made by the same code as a custodian's; proving is left out, which
`benchmarks.embedded` measures by itself. Run it alone: ``python -m benchmarks.consent_filter``.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, cast

import numpy as np
import pandas as pd

from benchmarks.results import Measurement
from benchmarks.trail_events import HOSPITALS, PURPOSE, write_records
from consentry.consents import Consents
from consentry.index import open_database
from consentry.ledger_trail import LedgerTrail
from consentry.subjects import SubjectRegister
from consentry_records.consent import Consent, ConsentEvent
from consentry_records.record import Record
from consentry_records.settings import OrganizationSetting, Settings

ROWS = 100_000
ROUNDS = 5
_BEGUN, _ENDS = "2026-01-01T00:00:00.000Z", "2035-01-01T00:00:00.000Z"
_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_DIGEST = "sha256:" + "d" * 64


class _CaughtUp(LedgerTrail):
    """An index that has nothing to catch up with."""

    def update(self) -> int:
        return 0


def measure(directory: Path) -> Iterator[Measurement]:
    """Fill an index and a register in `directory`, each row a subject of its own, and filter."""
    directory.mkdir(parents=True)
    names = [f"patient-{number:06d}" for number in range(ROWS)]
    engine = open_database(f"sqlite:///{directory / 'index.sqlite'}")
    with SubjectRegister(directory / "custody" / "subjects.sqlite") as register:
        subjects = register.ensure(names)
        write_records(engine, _records([subjects[name].commitment for name in names]))
        trail = _CaughtUp(engine, cast(Any, None), cast(Any, None), HOSPITALS[0], cast(Any, None))
        consents = Consents(cast(Any, None), HOSPITALS[0], lambda: register, lambda: _NOW)
        frame = pd.DataFrame({"pseudonym": names, "value": np.arange(ROWS)}).sample(frac=1, random_state=1)
        seconds = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            kept = consents.filter(frame, purpose=PURPOSE, trail=trail)
            seconds.append(time.perf_counter() - began)
        assert 0 < len(kept) < ROWS, "some consent and some do not"
    engine.dispose()
    yield Measurement(f"frame of {ROWS:,} rows filtered by consent", median(seconds), "s", 1, False)


def _records(commitments: list[str]) -> Iterator[tuple[str, Record]]:
    organizations = [OrganizationSetting(msp_id=name, kind="hospital") for name in HOSPITALS]
    regulator = OrganizationSetting(msp_id="RegulatorMSP", kind="regulator")
    yield "settings", Settings(organizations=(*organizations, regulator), time_tolerance_ms=2000)
    chance = random.Random(1)
    for commitment in commitments:
        yield "consent", _consent(commitment, chance)


def _consent(commitment: str, chance: random.Random) -> Consent:
    given = ConsentEvent(
        event="given",
        recorded_at=_BEGUN,
        recorded_by="steward",
        claimed_at=None,
        batch_id=None,
        replaced=None,
    )
    return Consent(
        consent_id=f"consent-{chance.getrandbits(128):032x}",
        subject=commitment,
        custodian=HOSPITALS[0],
        controller=HOSPITALS[0],
        purposes=("TREAT",) if chance.random() < 0.3 else (PURPOSE, "TREAT"),
        restrictions=(),
        categories=("imaging",),
        recipients=("ANY_MEMBER",),
        not_before=_BEGUN,
        not_after=_ENDS,
        notice_digest=_DIGEST,
        state="given",
        events=(given,),
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for measurement in measure(Path(place) / "filter"):
            reached = "reached" if measurement.holds else "missed"
            print(f"{measurement.what}: {measurement.measured:.2f} {measurement.unit}; {reached}")
