"""What a run delivered, as its signed manifest says: the only source of what the ledger says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consentry.reports.report import Report
from consentry.reports.scheduled.delivery import Storage
from consentry.reports.scheduled.signed_manifest import ManifestRefused, named_files, verify_manifest
from consentry_records.instants import format_instant


@dataclass(frozen=True)
class Delivered:
    """One run's reports where they were delivered.

    Attributes:
        report: kind of the report.
        about: what it is about: an organization, a dataset, a model version.
        row_count: rows in all its tables.
        last_block: block up to which it is complete.
        files: names of the files, the manifest not among them.
    """

    report: str
    about: str
    row_count: int
    last_block: int
    files: tuple[str, ...]


def described(name: str, report: Report, about: str, due: datetime) -> dict[str, str | int]:
    """What a manifest says of a run.

    Args:
        name: of the schedule's line.
        report: that was made.
        about: what it is about.
        due: when it was due.
    """
    return {
        "name": name,
        "report": report.kind,
        "about": about,
        "due_at": format_instant(due),
        "generated_at": report.generated_at,
        "completeness": report.completeness.sentence,
        "row_count": sum(len(table.rows) for table in report.tables),
        "last_block": report.completeness.last_block,
    }


def read_delivered(manifest: bytes, storage: Storage, msp_id: str) -> Delivered:
    """Read back what was delivered.

    Args:
        manifest: as it lies in the storage.
        storage: with the files that it names.
        msp_id: whose member has to have signed it.

    Raises:
        ManifestRefused: MANIFEST_INVALID, SIGNATURE_INVALID, FILE_DIFFERS; MANIFEST_FOREIGN, another
            organization's.
        DeliveryFailed: STORAGE_FAILED.
    """
    found = {name: storage.read(name) for name in named_files(manifest)}
    content = verify_manifest(manifest, {name: data for name, data in found.items() if data is not None})
    if content.get("msp_id") != msp_id:
        raise ManifestRefused(
            "MANIFEST_FOREIGN",
            f"The storage holds a manifest under this run's name that {msp_id} did not sign: move it away.",
        )
    return _delivered(content, tuple(found))


def _delivered(content: Mapping[str, Any], files: tuple[str, ...]) -> Delivered:
    try:
        return Delivered(
            str(content["report"]),
            str(content["about"]),
            int(content["row_count"]),
            int(content["last_block"]),
            files,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ManifestRefused(
            "MANIFEST_INVALID", "The manifest does not say what the report is about and how far it goes."
        ) from error
