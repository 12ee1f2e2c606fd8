"""Steps 1 and 2: hospitals import consents and register their dataset versions."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import Progress, TaskID

from consentry.demo.cast import Cast
from consentry.demo.data import RESEARCH
from consentry.demo.story import Story

BATCH = 100


def import_consents(story: Story, cast: Cast) -> None:
    """Each hospital imports the consents of its patients, in batches."""
    total = sum(len(hospital.consents) for hospital in cast.hospitals.values())
    seconds = 0.0
    with story.progress() as progress:
        task = progress.add_task("consents", total=total)
        before = 0
        for name, hospital in cast.hospitals.items():
            summary = cast.ledger(f"{name}/steward").consents.import_frame(
                hospital.consents,
                batch_size=BATCH,
                progress=_advance(progress, task, before),
            )
            before += summary.count
            seconds += summary.seconds
    for name, hospital in cast.hospitals.items():
        split = ", ".join(f"{count} {label}" for label, count in hospital.kinds.items())
        story.say(f"{name}: {len(hospital.consents)} patients: {split}")
    rate = f"{before / seconds:,.0f} a second"
    story.expect(before == total, f"{total} consents are on record, {rate}", f"{before} on record")
    story.record("consents, each public record with its private entry", before, rate)


def _advance(progress: Progress, task: TaskID, before: int) -> Callable[[int, int], None]:
    return lambda done, _: progress.update(task, completed=before + done)


def register_datasets(story: Story, cast: Cast) -> None:
    """Each hospital registers its rows as a dataset version tied to the consents."""
    for name, hospital in cast.hospitals.items():
        steward = cast.ledger(f"{name}/steward")
        version = steward.datasets.register_frame(
            hospital.rows,
            name=f"wdbc-{name}",
            categories=["health"],
            legal_bases=["GDPR-6-1-a", "GDPR-9-2-a"],
            duo_terms=[RESEARCH],
        )
        cast.versions[name] = version
        story.say(
            f"{name}: wdbc-{name} version {version.number}, {version.row_count} rows, root "
            f"{version.merkle_root[:23]}…"
        )
    seen = cast.ledger("regulator/officer").datasets.get(cast.versions["northgate"].version_id)
    story.expect(
        seen == cast.versions["northgate"], "the regulator reads the same version from the ledger", seen
    )
    story.record("dataset versions", len(cast.versions))
