"""The demo's real input: the Wisconsin diagnostic breast cancer data, split over three hospitals.

569 patients with 30 measurements each (Street, Wolberg and Mangasarian, 1993); it ships inside scikit-learn.
The data names no patient; the pseudonyms and the consents here are made for the demo from a printed seed.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

HOSPITALS = ("northgate", "riverside", "lakeside")
NOTICE_VERSION = "2026-1"
RESEARCH = "DUO:0000006"
CARE = "TREAT"
NON_COMMERCIAL_ONLY = "DUO:0000046"


@dataclass(frozen=True)
class ConsentKind:
    """One way to consent that the demo's patients choose from."""

    label: str
    purposes: tuple[str, ...]
    restrictions: tuple[str, ...]
    share: float


_TOLD: dict[str, object] = {
    "jurisdiction": "IE",
    "withdrawal_method": "letter or portal",
    "consent_type": "explicit",
    "storage_locations": ["IE"],
    "processing_methods": ["collect", "store", "use", "make-available", "pseudonymise", "analyse"],
    "processing_locations": ["IE"],
    "geographic_restrictions": ["EEA"],
    "optional_categories": [],
}
"""What the demo's notice says, as ISO/IEC TS 27560 asks; retention follows from `today`."""

KINDS = (
    ConsentKind("care only", (CARE,), (), 0.15),
    ConsentKind("care and non-commercial research", (CARE, RESEARCH), (NON_COMMERCIAL_ONLY,), 0.60),
    ConsentKind("care and research, commercial too", (CARE, RESEARCH), (), 0.25),
)


@dataclass(frozen=True)
class Hospital:
    """What one hospital has before the story begins.

    Args:
        name: The organization's name.
        rows: One row a patient: `pseudonym`, 30 measurements, `target` (1 benign, 0 malignant).
        consents: The frame that :meth:`consentry.consents.Consents.import_frame` takes.
        kinds: How many patients chose what.
    """

    name: str
    rows: pd.DataFrame
    consents: pd.DataFrame
    kinds: dict[str, int]


def load_hospitals(seed: int, today: datetime) -> list[Hospital]:
    """Split the data by row over the hospitals and draw each patient's consent.

    Args:
        seed: Of pseudonyms and choices.
        today: When the consents begin; they run for five years.
    """
    from sklearn.datasets import load_breast_cancer  # type: ignore[import-untyped,unused-ignore]

    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame
    frame.columns = [str(name).replace(" ", "_") for name in frame.columns]
    generator = random.Random(seed)
    return [
        _hospital(name, frame.iloc[index :: len(HOSPITALS)].reset_index(drop=True), generator, today)
        for index, name in enumerate(HOSPITALS)
    ]


def _hospital(name: str, rows: pd.DataFrame, generator: random.Random, today: datetime) -> Hospital:
    pseudonyms = [f"{name}-{generator.getrandbits(48):012x}" for _ in range(len(rows))]
    chosen = generator.choices(KINDS, weights=[kind.share for kind in KINDS], k=len(rows))
    consents = pd.DataFrame(
        [_consent(pseudonym, kind, today) for pseudonym, kind in zip(pseudonyms, chosen, strict=True)]
    )
    rows.insert(0, "pseudonym", pseudonyms)
    kinds = {kind.label: chosen.count(kind) for kind in KINDS}
    return Hospital(name, rows, consents, kinds)


def _consent(pseudonym: str, kind: ConsentKind, today: datetime) -> dict[str, object]:
    return {
        "pseudonym": pseudonym,
        "purposes": list(kind.purposes),
        "restrictions": list(kind.restrictions),
        "categories": ["health"],
        "recipients": ["ANY_MEMBER"],
        "not_before": today - timedelta(days=1),
        "not_after": today + timedelta(days=5 * 365),
        "notice_version": NOTICE_VERSION,
        "notice_digest": _digest(f"patient information, version {NOTICE_VERSION}"),
        "evidence_digest": _digest(f"signed form of {pseudonym}"),
        "method": "paper-form",
        "language": "en",
        "retained_until": today + timedelta(days=10 * 365),
        **_TOLD,
    }


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def utc_today() -> datetime:
    """Midnight of this day in UTC, so that one day's demos have the same periods."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
