"""Reports in PDF, checked by somebody else's program: veraPDF."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typst
from sqlalchemy import Engine
from support.epochs import closer, index
from support.story import NORTHGATE, SUBJECT, identifier, tell
from support.verapdf import failed_rules

from consentry.index import Trail, open_database
from consentry.reports import (
    Report,
    consent_evidence,
    dataset_access_report,
    model_dossier,
    pdf,
    person_access_report,
    processing_report,
    subject_access_report,
)
from consentry.reports.evidence_making import completed

MADE_AT = "2026-02-01T00:00:00.000Z"
ARCHIVAL = "2a"
KINDS: dict[str, Callable[[Trail], Report]] = {
    "gdpr-7": lambda trail: consent_evidence(trail, SUBJECT, generated_at=MADE_AT),
    "gdpr-15": lambda trail: subject_access_report(trail, SUBJECT, generated_at=MADE_AT),
    "gdpr-30": lambda trail: processing_report(trail, NORTHGATE, generated_at=MADE_AT),
    "ehds-9": lambda trail: person_access_report(trail, SUBJECT, generated_at=MADE_AT),
    "ehds-73": lambda trail: dataset_access_report(trail, "biopsies", generated_at=MADE_AT),
    "annex-iv": lambda trail: model_dossier(trail, identifier("modelversion", 1), generated_at=MADE_AT),
}

pytestmark = pytest.mark.optional_tool("verapdf")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    story, made = tell(), open_database("sqlite://")
    assert closer(story, made).close() is not None
    index(story, made)
    yield made
    made.dispose()


def test_reports_are_archival_and_what_is_not_is_found(
    engine: Engine, tmp_path: Path, optional_tool: Callable[[str], str]
) -> None:
    trail = Trail(engine)
    for kind, compose in KINDS.items():
        report = completed(trail, compose(trail), with_evidence=False)
        (tmp_path / f"{kind}.pdf").write_bytes(pdf.render(report))
    (tmp_path / "plain.pdf").write_bytes(typst.compile(b"= Plain", format="pdf", ignore_system_fonts=True))
    found = failed_rules(optional_tool("verapdf"), ARCHIVAL, sorted(tmp_path.glob("*.pdf")))
    assert found.pop("plain.pdf")
    assert found == {f"{kind}.pdf": [] for kind in KINDS}
