"""The formats of a report, compared as exact text with what was approved (tests/fixtures/reports)."""

import csv as standard_csv
import io
import json as standard_json
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated

import jsonschema
import pytest

from consentry.reports import (
    Completeness,
    Report,
    ReportField,
    Unavailable,
    Value,
    csv,
    draw,
    html,
    json,
    make_table,
    pdf,
    time_line,
)
from consentry.reports.column_widths import column_shares
from consentry.reports.erasure import RequestRow
from consentry.reports.values import Reported, lines, plain

APPROVED = Path(__file__).parents[2] / "fixtures" / "reports"
NOWHERE = Unavailable("the ledger does not record it; ask the controller")


@dataclass(frozen=True)
class AccessRow:
    """A row with columns of every kind of value."""

    when: Annotated[Value, Reported("When", "GDPR Art. 15(1)(c); EHDS Art. 9")]
    who: Annotated[Value, Reported("Who", "EHDS Art. 9")]
    purpose: Annotated[Value, Reported("Purpose", "GDPR Art. 15(1)(a)")]


ROWS = (
    AccessRow(("attempted", "not decided"), "RiversideMSP", NOWHERE),
    AccessRow("<script>alert(1)</script>", NOWHERE, ("care <TREAT>", "=1+1")),
)
LINE = time_line(
    "accesses",
    "Attempts to access the data",
    {
        "permitted": ["2026-01-05T01:00:00.000Z", "2026-01-05T02:00:00.000Z"],
        "denied": ["2026-01-07T02:00:00.000Z"],
    },
)
assert LINE is not None
REPORT = Report(
    kind="gdpr-15",
    title="Access by the data subject",
    law="Answer to a request under Article 15 of the General Data Protection Regulation (EU) 2016/679.",
    facts=(("Custodian", "NorthgateMSP"), ("Subject", "hmac-sha256:" + "0" * 64)),
    generated_at="2026-02-01T00:00:00.000Z",
    completeness=Completeness("consentry", 41, "1" * 64, "2" * 64, True),
    basis="Dataset versions are those whose row manifest names the consent.",
    statements="What the law asks us to tell you",
    fields=(
        ReportField("purposes", "Purposes", "GDPR Art. 15(1)(a)", ("care <TREAT>", "research & more")),
        ReportField("dpo_contact", "Data protection officer", "GDPR Art. 13(1)(b)", NOWHERE),
    ),
    tables=(
        make_table("accesses", "Who accessed or tried to access them", "Nobody did.", AccessRow, ROWS),
        make_table("others", "Others", "There are none.", AccessRow, ()),
    ),
    figures=(LINE,),
    remarks=("Block 7: The grant grant-1 was written again; the contracts never do that.",),
)
NOTHING = replace(
    REPORT, tables=tuple(replace(table, rows=()) for table in REPORT.tables), figures=(), remarks=()
)


def statements(made: dict[str, str]) -> str:
    return "".join(f"--- {name}\n{text}" for name, text in made.items()).replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("report.html", html.render(replace(REPORT, figures=()))),
        ("report.json", json.render(REPORT)),
        ("report.csv", statements(csv.render(REPORT))),
        ("report_of_nothing.html", html.render(NOTHING)),
        ("report_of_nothing.json", json.render(NOTHING)),
    ],
)
def test_the_text_is_the_approved_one(name: str, made: str) -> None:
    assert made == (APPROVED / name).read_text(encoding="utf-8")


class Outline(HTMLParser):
    """What of a document a reader without eyes, a printer and a network guard look at."""

    VOID = ("meta", "link", "br", "hr", "img", "input", "col", "wbr")

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
    text = html.render(REPORT)
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
    assert all(str(attributes.get("href", "#")).startswith("#") for _, attributes in outline.tags)
    assert not any("src" in attributes for _, attributes in outline.tags)
    assert re.search(r"url\((?!#)|@import|https?:", text) is None
    assert "default-src 'none'" in text


def test_every_text_is_escaped() -> None:
    text = html.render(REPORT)
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "care &lt;TREAT&gt;" in text


@pytest.mark.parametrize("report", [REPORT, NOTHING])
def test_json_is_as_its_schema_says(report: Report) -> None:
    document = standard_json.loads(json.render(report))
    jsonschema.Draft202012Validator.check_schema(json.schema())
    jsonschema.validate(document, json.schema())
    assert document["fields"][1]["value"] == {"unavailable": NOWHERE.reason}


def test_csv_is_read_back_as_it_was_and_no_formula_is_among_it() -> None:
    made = csv.render(REPORT)
    assert list(made) == ["statements.csv", "accesses.csv", "others.csv"]
    header, first, second = standard_csv.reader(io.StringIO(made["accesses.csv"]))
    assert header == ["when", "who", "purpose"]
    assert first == ["attempted\nnot decided", "RiversideMSP", str(NOWHERE)]
    assert second[2] == "care <TREAT>\n=1+1"
    lonely = replace(REPORT.tables[0], rows=(AccessRow("=1+1", "@x", "-2"),))
    assert "'=1+1,'@x,'-2" in csv.render(replace(REPORT, tables=(lonely,)))["accesses.csv"]


def test_pdf_is_archival_tagged_and_the_same_each_time() -> None:
    made = pdf.render(REPORT)
    assert made.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part>" in made
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in made
    assert b"/MarkInfo" in made or b"/StructTreeRoot" in made
    assert pdf.render(REPORT) == made
    assert pdf.render(NOTHING) != made


def test_a_drawing_is_the_same_each_time_and_says_what_it_shows() -> None:
    assert LINE.description == "From 2026-01-05 to 2026-01-07, a bar each day: 2 permitted, 1 denied."
    assert draw(LINE) == draw(LINE)
    assert draw(LINE).startswith("<svg")
    assert "<script" not in draw(LINE)
    assert time_line("nothing", "Nothing", {"permitted": []}) is None


def test_a_long_time_is_drawn_in_few_bars() -> None:
    drawn = time_line(
        "years", "Years", {"permitted": ["2020-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"]}
    )
    assert drawn is not None
    assert len(drawn.begins) <= 60
    assert sum(drawn.heights["permitted"]) == 2
    assert "a bar each 37 days" in drawn.description


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


def test_columns_are_as_wide_as_what_stands_in_them_asks_for() -> None:
    for table in (table for table in REPORT.tables if table.rows):
        shares = column_shares(table)
        assert len(shares) == len(table.columns)
        assert sum(shares) == pytest.approx(100, abs=1)
        # Not even an empty column vanishes, and none takes all.
        assert min(shares) > 100 / len(shares) / 3
        assert max(shares) < 300 / len(shares)


@pytest.mark.parametrize("longest", [1, 160, 4000])
def test_a_column_has_room_for_the_time_of_a_day_beside_any_others(longest: int) -> None:
    row = RequestRow(*["7" * longest] * 8, "2026-01-02T03:04:05.678Z")
    share = column_shares(make_table("requests", "Requests", "None.", RequestRow, [row]))[-1]
    # Of A4 across, less its margins, in pixels; a digit's width is 0.64 of the size of the letters.
    assert share / 100 * 1032 > len("03:04:05.678Z") * 0.64 * 10


def test_words_that_fit_nowhere_share_what_there_is() -> None:
    table = REPORT.tables[0]
    told = {column.key: "w" * 500 for column in table.columns}
    shares = column_shares(replace(table, rows=(replace(table.rows[0], **told),)))
    assert sum(shares) == pytest.approx(100, abs=1)


def test_codes_and_instants_break_where_a_reader_would_break_them() -> None:
    row = replace(REPORT.tables[0].rows[0])
    name = REPORT.tables[0].columns[0].key
    told = "denied (PURPOSE_NOT_COVERED) at 2026-01-02T03:04:05.678Z & <b>"
    table = replace(REPORT.tables[0], rows=(replace(row, **{name: told}),))
    text = html.render(replace(REPORT, tables=(table,), figures=()))
    assert "(PURPOSE_<wbr>NOT_<wbr>COVERED)" in text
    assert '<span class="whole">2026-01-02T</span><wbr><span class="whole">03:04:05.678Z</span>' in text
    assert "&amp; &lt;b&gt;" in text
