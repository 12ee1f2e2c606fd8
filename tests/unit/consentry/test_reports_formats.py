"""The formats of a report, compared as exact text with what was approved (tests/fixtures/reports)."""

import json as standard_json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from consentry.reports import (
    AccessRow,
    Completeness,
    ConsentRow,
    DatasetRow,
    ModelVersionRow,
    ReportField,
    SessionRow,
    SubjectAccessReport,
    Unavailable,
    Value,
    html,
    json,
)
from consentry.reports.values import columns, lines, plain

APPROVED = Path(__file__).parents[2] / "fixtures" / "reports"
NOWHERE = Unavailable("the ledger does not record it; ask the controller")


def row(row_type: type, first: Value) -> object:
    """A row whose first cell is given and whose others are texts and one that is unavailable."""
    names = [column.key for column in columns(row_type)]
    values: dict[str, Value] = {name: (f"{name} one", f"{name} two") for name in names}
    return row_type(**(values | {names[0]: first, names[-1]: NOWHERE}))


def report(**changes: object) -> SubjectAccessReport:
    fields: dict[str, object] = {
        "subject": "hmac-sha256:" + "0" * 64,
        "custodian": "NorthgateMSP",
        "generated_at": "2026-02-01T00:00:00.000Z",
        "completeness": Completeness("consentry", 41, "1" * 64, "2" * 64, True),
        "basis": "Dataset versions are those whose row manifest names the consent.",
        "fields": (
            ReportField("purposes", "Purposes", "GDPR Art. 15(1)(a)", ("care <TREAT>", "research & more")),
            ReportField("dpo_contact", "Data protection officer", "GDPR Art. 13(1)(b)", NOWHERE),
        ),
        "consents": (row(ConsentRow, "consent-1"),),
        "datasets": (row(DatasetRow, "version-1"),),
        "accesses": (
            row(AccessRow, ("attempted", "not decided")),
            row(AccessRow, "<script>alert(1)</script>"),
        ),
        "sessions": (row(SessionRow, "session-1"),),
        "model_versions": (row(ModelVersionRow, "modelversion-1"),),
        "remarks": ("Block 7: The grant grant-1 was written again; the contracts never do that.",),
    }
    return SubjectAccessReport(**(fields | changes))  # type: ignore[arg-type]


NOTHING = report(datasets=(), accesses=(), sessions=(), model_versions=(), remarks=())


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("subject_access.html", html.render(report())),
        ("subject_access.json", json.render(report())),
        ("subject_access_of_nothing.html", html.render(NOTHING)),
        ("subject_access_of_nothing.json", json.render(NOTHING)),
    ],
)
def test_the_text_is_the_approved_one(name: str, made: str) -> None:
    assert made == (APPROVED / name).read_text(encoding="utf-8")


class Outline(HTMLParser):
    """What of a document a reader without eyes, a printer and a network guard look at."""

    VOID = ("meta", "link", "br", "hr", "img", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_accessible_and_fetches_nothing() -> None:
    text = html.render(report())
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    tags = [tag for tag, _ in outline.tags]
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert tags.count("h1") == 1
    assert {"title", "header", "main", "footer"} <= set(tags)
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in attributes for tag, attributes in outline.tags if tag == "th")
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    labels = [
        attributes["aria-labelledby"] for _, attributes in outline.tags if "aria-labelledby" in attributes
    ]
    assert len(set(ids)) == len(ids)
    assert set(labels) <= set(ids)
    assert not {"script", "img", "link", "iframe", "form"} & set(tags)
    assert not any({"src", "href"} & set(attributes) for _, attributes in outline.tags)
    assert re.search(r"url\(|@import|https?:", text) is None
    assert "default-src 'none'" in text


def test_every_text_is_escaped() -> None:
    text = html.render(report())
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "care &lt;TREAT&gt;" in text


def test_json_states_the_article_of_every_field_and_column() -> None:
    document = standard_json.loads(json.render(report()))
    assert all(entry["article"] for entry in document["fields"])
    for table in ("consents", "datasets", "accesses", "sessions", "model_versions"):
        assert all(column["article"] and column["label"] for column in document[table]["columns"])
    assert document["fields"][1]["value"] == {"unavailable": NOWHERE.reason}


@pytest.mark.parametrize("blank", ["", (), ("text", "")])
def test_a_blank_value_is_refused(blank: Value) -> None:
    with pytest.raises(ValueError, match="blank"):
        lines(blank)
    with pytest.raises(ValueError, match="blank"):
        plain(blank)


def test_what_is_unavailable_says_so_with_its_reason() -> None:
    assert str(NOWHERE) == "unavailable: the ledger does not record it; ask the controller"
    assert lines(NOWHERE) == (str(NOWHERE),)


def test_completeness_says_what_it_rests_on() -> None:
    anchored = Completeness("consentry", 41, "a1", "b2", True)
    assert anchored.sentence == (
        "Complete up to and including block 41 of channel consentry (header a1); "
        "every block was verified from the pinned genesis b2."
    )
    assert Completeness("consentry", 41, "a1", "b2", False).sentence == (
        "Complete up to and including block 41 of channel consentry (header a1); "
        "the blocks are consistent, but not anchored: their genesis is b2."
    )
