"""Reports over a long trail: one subject, one dataset, one organization, one model version."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.results import Measurement
from benchmarks.trail_events import EVENTS, HOSPITALS, Filling, fill, index_file
from consentry.index import Trail, open_database
from consentry.reports import (
    Report,
    dataset_access_report,
    json,
    model_dossier,
    person_access_report,
    processing_report,
    subject_access_report,
)

_MADE_AT = "2026-11-01T00:00:00.000Z"


def measure(directory: Path) -> Iterator[Measurement]:
    """Fill an index in `directory` and make reports from it."""
    if not EVENTS:
        return
    directory.mkdir()
    path = index_file(directory)
    is_new = not path.exists()
    engine = open_database(f"sqlite:///{path}")
    began = time.process_time()
    filling = fill(engine, EVENTS)
    if is_new:
        rate = filling.events / (time.process_time() - began)
        yield Measurement("events indexed without proving, CPU", rate, "/s a core", 1_500)
    trail = Trail(engine)
    for what, bar, compose in _reports(trail, filling):
        wall, cpu = time.perf_counter(), time.process_time()
        json.render(compose())
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        yield Measurement(f"{what} over {filling.events:,} events, wall clock", wall, "s", bar, False)
        yield Measurement(f"{what} over {filling.events:,} events, CPU", cpu, "s", bar, False)
    engine.dispose()


def _reports(trail: Trail, filling: Filling) -> Iterator[tuple[str, float, Callable[[], Report]]]:
    subject, dataset = filling.subjects[len(filling.subjects) // 2], filling.datasets[0]
    held = [row.record_id for row in trail.records("version", name="dataset-0")]

    def manifest(_consent: str, _subject: str) -> list[str]:
        return held

    yield (
        "Art. 15 for one subject",
        1,
        lambda: subject_access_report(trail, subject, generated_at=_MADE_AT, manifest=manifest),
    )
    yield (
        "EHDS Art. 9 for one subject",
        1,
        lambda: person_access_report(trail, subject, generated_at=_MADE_AT, manifest=manifest),
    )
    yield (
        "EHDS Art. 73 for one dataset",
        1,
        lambda: dataset_access_report(trail, dataset, generated_at=_MADE_AT),
    )
    yield (
        "Annex IV for one model version",
        1,
        lambda: model_dossier(trail, filling.model_versions[0], generated_at=_MADE_AT),
    )
    yield (
        "Art. 30 for one organization",
        10,
        lambda: processing_report(trail, HOSPITALS[0], generated_at=_MADE_AT),
    )


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for item in measure(Path(place) / "reports"):
            print(f"{item.what}: {item.measured:,.2f} {item.unit}; {'reached' if item.holds else 'missed'}")
