"""Reports by the pages: who may make which, that each is on record, and that nobody gets another's."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from support.story import LAKESIDE, NORTHGATE, SUBJECT, identifier
from support.web_bench import Browser, WebBench
from support.web_story import PSEUDONYM, custody, indexed_story

from consentry.subjects import SubjectRegister
from consentry.web.report_jobs import ReportJobs
from consentry.web.report_offers import OFFERED, PERSON
from consentry.web.settings import ReportFiles

MODEL_VERSION = identifier("modelversion", 1)
ABOUT = {"organization": "", "dataset": "biopsies", "model_version": MODEL_VERSION}
ON_PERSONS = sorted(name for name, subject in OFFERED.items() if subject == PERSON)
ON_OTHERS = sorted(name for name, subject in OFFERED.items() if subject != PERSON)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = indexed_story(f"sqlite:///{tmp_path_factory.mktemp('reports') / 'index.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SubjectRegister]:
    with custody(tmp_path_factory.mktemp("register")) as opened:
        yield opened


@pytest.fixture
def bench(told: Engine, register: SubjectRegister) -> WebBench:
    return WebBench(told, register=lambda: register)


def order(browser: Browser, **fields: str) -> str:
    browser.get("/reports")
    answer = browser.post("/reports", **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def finished(browser: Browser, location: str) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        text = browser.get(location).text
        if 'hx-trigger="every 1s"' not in text:
            return text
        time.sleep(0.02)
    raise AssertionError("the report was not finished in a minute")


def file_of(browser: Browser, location: str) -> bytes:
    text = finished(browser, location)
    assert "It is done." in text, text
    answer = browser.get(f"{location}/file")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert hashlib.sha256(answer.content).hexdigest() in text
    return answer.content


@pytest.mark.parametrize("report", ON_OTHERS)
@pytest.mark.parametrize("form", ["html", "json"])
def test_each_report_is_made_and_on_record(bench, report, form):
    browser = bench.signed_in("auditor")
    data = file_of(browser, order(browser, report=report, form=form, about=ABOUT[OFFERED[report]]))
    if form == "json":
        assert json.loads(data)["completeness"]["last_block"] > 5
    else:
        assert data.startswith(b"<!doctype html>") or b"<html" in data[:300]
    ((_, question, _),) = bench.reads
    assert question == "report"
    assert bench.told[0]["report_bytes"] == data
    assert bench.told[0]["report"]


def test_csv_comes_as_one_archive_of_the_same_bytes_each_time(bench):
    browser = bench.signed_in("dpo")
    files = [file_of(browser, order(browser, report="rights", form="csv", about="")) for _ in range(2)]
    assert files[0] == files[1]
    with zipfile.ZipFile(io.BytesIO(files[0])) as archive:
        assert sorted(archive.namelist()) == ["gdpr-17-requests.csv", "gdpr-17-statements.csv"]


def test_pdf_is_made(bench):
    browser = bench.signed_in("dpo")
    location = order(browser, report="model-log", form="pdf", about=MODEL_VERSION)
    assert file_of(browser, location).startswith(b"%PDF")


@pytest.mark.parametrize("report", ON_PERSONS)
def test_reports_on_a_person_begin_at_the_persons_page(bench, report):
    browser = bench.signed_in("dpo")
    browser.get("/subjects")
    handle = browser.post("/subjects", pseudonym=PSEUDONYM).headers["location"].rpartition("/")[2]
    location = order(browser, report=report, form="json", about=handle)
    assert SUBJECT not in location
    data = json.loads(file_of(browser, location))
    assert SUBJECT in str(data["facts"])
    assert bench.reads[-1][1:] == ("report", [NORTHGATE, SUBJECT])
    name = browser.get(f"{location}/file").headers["content-disposition"]
    assert SUBJECT[:20] not in name
    assert PSEUDONYM not in name


@pytest.mark.parametrize("report", ON_PERSONS)
@pytest.mark.parametrize("about", [SUBJECT.replace(":", "-"), PSEUDONYM, "0" * 32, ""])
def test_a_persons_report_needs_a_handle_of_this_session(bench, report, about):
    browser = bench.signed_in("dpo")
    browser.get("/reports")
    assert browser.post("/reports", report=report, form="json", about=about).status_code in (400, 404)
    assert bench.reads == []


@pytest.mark.parametrize("role", ["auditor", "steward", "regulator"])
def test_reports_on_a_person_are_the_data_protection_officers(bench, role):
    browser = bench.signed_in(role)
    browser.get("/reports")
    assert browser.post("/reports", report="subject-access", form="json", about="0" * 32).status_code == 403


@pytest.mark.parametrize("role", ["ethics", "researcher", "clinician", "service"])
@pytest.mark.parametrize("path", ["/reports", "/reports/schedule", "/reports/made/" + "0" * 32])
def test_others_make_no_reports(bench, role, path):
    assert bench.signed_in(role).get(path).status_code == 403


@pytest.mark.parametrize(
    "fields",
    [
        {"report": "nothing", "form": "html", "about": ""},
        {"report": "rights", "form": "exe", "about": ""},
        {"report": "rights", "form": "html", "about": "<script>alert(1)</script>"},
        {"report": "rights", "form": "html", "about": "x" * 10_000},
        {"report": "../../etc/passwd", "form": "html", "about": ""},
        {"report": "rights", "form": "html\r\nX-Injected: 1", "about": ""},
        {"report": "dataset-access-log", "form": "html", "about": ""},
        {"report": "dataset-access-log", "form": "html", "about": "биопсии"},
        {"form": "html"},
    ],
)
def test_hostile_orders_are_refused_and_not_repeated(bench, fields):
    browser = bench.signed_in("dpo")
    browser.get("/reports")
    answer = browser.post("/reports", **fields)
    assert answer.status_code == 400
    assert "alert(1)" not in answer.text
    assert "x-injected" not in answer.headers
    assert bench.reads == []


def test_a_hospital_makes_reports_on_itself_only(bench):
    browser = bench.signed_in("dpo")
    browser.get("/reports")
    assert browser.post("/reports", report="breaches", form="html", about=LAKESIDE).status_code == 403


def test_a_regulator_makes_them_on_every_member(told):
    browser = WebBench(told, kind="regulator", msp_id="RegulatorMSP").signed_in("regulator")
    data = json.loads(file_of(browser, order(browser, report="breaches", form="json", about=LAKESIDE)))
    assert [row["breach"][0] for row in data["tables"]["breaches"]["rows"]] == [identifier("breach", 3)]


def test_a_report_on_what_is_not_there_says_so(bench):
    browser = bench.signed_in("dpo")
    text = finished(browser, order(browser, report="dataset-access-log", form="html", about="nothing"))
    assert "is not on the ledger" in text
    assert "DATASET_NOT_INDEXED" in text
    assert bench.reads == []


def test_a_report_that_cannot_be_put_on_record_is_not_given(bench, monkeypatch):
    browser = bench.signed_in("dpo")
    from consentry.errors import ConfigurationError

    def fail(*_: object, **__: object) -> None:
        raise ConfigurationError("OUTBOX_INVALID", "full")

    monkeypatch.setattr(bench, "_note", fail)
    object.__setattr__(bench.application.state.settings, "reads", fail)
    monkeypatch.setattr(bench.application.state.view, "_reads", fail)
    location = order(browser, report="rights", form="html", about="")
    assert "OUTBOX_INVALID" in finished(browser, location)
    assert browser.get(f"{location}/file").status_code == 404


def test_nobody_gets_anothers_report(bench):
    first, second = bench.signed_in("dpo"), bench.signed_in("dpo")
    location = order(first, report="rights", form="html", about="")
    finished(first, location)
    for path in (location, f"{location}/file"):
        assert second.get(path).status_code == 404


def test_a_report_is_forgotten_after_half_an_hour(bench):
    browser = bench.signed_in("dpo")
    location = order(browser, report="rights", form="html", about="")
    finished(browser, location)
    assert location in browser.get("/reports").text
    for _ in range(4):
        bench.pass_time(600)
        browser.get("/reports")
    assert browser.get(location).status_code == 404


def test_an_officer_has_three_reports_under_way_at_most(bench, monkeypatch):
    begun, go = threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        begun.set()
        go.wait(30)

    monkeypatch.setattr(ReportJobs, "_make", staticmethod(slow))
    browser = bench.signed_in("dpo")
    for _ in range(3):
        location = order(browser, report="rights", form="html", about="")
    assert begun.wait(30)
    browser.get("/reports")
    answer = browser.post("/reports", report="rights", form="html", about="")
    assert (answer.status_code, "TOO_MANY_REPORTS" in answer.text) == (429, True)
    assert "hx-trigger" in browser.get(location).text
    go.set()


def test_links_fill_a_form_in(bench):
    text = bench.signed_in("dpo").get(f"/reports?report=model-dossier&about={MODEL_VERSION}").text
    assert len(re.findall(f'value="{MODEL_VERSION}"', text)) == 1
    for hostile in ("%22%3E%3Cscript%3E", "a%0ab", "x" * 65):
        assert bench.signed_in("dpo").get(f"/reports?about={hostile}").status_code == 400


def test_the_schedule_is_shown_as_its_file_says(told, tmp_path: Path):
    path = tmp_path / "reports.yaml"
    bench = WebBench(told, report_files=ReportFiles(schedule=path))
    browser = bench.signed_in("auditor")
    assert "SCHEDULE_INVALID" in browser.get("/reports/schedule").text
    path.write_text(
        "deliver_to: /nowhere\nreports:\n"
        '  - {name: monthly, report: processing, when: "0 6 1 * *", formats: [html, pdf]}\n'
    )
    path.with_suffix(".state.json").write_text(json.dumps({"monthly": "2026-01-01T06:00:00.000Z"}))
    text = browser.get("/reports/schedule").text
    assert "2026-02-01T06:00:00Z" in text
    assert "2026-01-01T06:00:00Z" in text
    assert "HTML, PDF" in text
    assert "/nowhere" not in text
    path.with_suffix(".state.json").write_text("[")
    assert "not yet" in browser.get("/reports/schedule").text


def test_without_a_schedule_it_is_said_how_to_name_one(bench):
    assert "consentry web serve --schedule" in bench.signed_in("dpo").get("/reports/schedule").text


@pytest.mark.parametrize("path", ["/reports", "/reports/schedule"])
def test_they_are_there_in_german(bench, path):
    text = bench.signed_in("dpo").get(path, headers={"accept-language": "de"}).text
    for word in ("Make it", "Register of", "Records of", "schedule<", "You made"):
        assert word not in text


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_report_has_its_name(language):
    from consentry.web.report_jobs import JobState
    from consentry.web.texts import catalogue

    wanted = {f"report_names.{name}" for name in OFFERED} | {f"report_job.{state}" for state in JobState}
    assert wanted <= set(catalogue(language))
