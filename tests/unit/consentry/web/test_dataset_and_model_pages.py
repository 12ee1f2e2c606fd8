"""Datasets, models and their versions: who sees them, what they show, and what hostile addresses get."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from benchmarks.trail_events import Filling
from sqlalchemy import Engine
from support.story import identifier, tell
from support.web_bench import WebBench

from consentry.index import IndexFollower, nearby, open_database
from consentry.verification import memory_source
from consentry_records.vocabulary import DUO_TERMS, LEGAL_BASES, PURPOSES

READERS = ("steward", "dpo", "auditor", "regulator", "ethics")
OTHERS = ("researcher", "clinician", "service")
DATASET, MODEL = identifier("dataset", 1), identifier("model", 1)
MODEL_VERSION = identifier("modelversion", 1)
PATHS = (
    "/datasets",
    f"/datasets/{DATASET}",
    "/models",
    f"/models/{MODEL}",
    f"/models/versions/{MODEL_VERSION}",
)
HOSTILE = (
    "<script>alert(1)</script>",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "..%2F..%2Fetc%2Fpasswd",
    "dataset-" + "0" * 31 + "%0a",
    f"{DATASET}%0aX-Injected:%201",
    f"{DATASET}%00",
    "dataset-" + "а" * 32,
    DATASET.upper(),
    "x" * 3000,
    "'%20OR%201=1%20--",
)


@pytest.fixture(scope="module")
def told() -> Iterator[Engine]:
    engine = open_database("sqlite://")
    IndexFollower(engine, "consentry").follow(memory_source("peer", tell().chain.blocks))
    yield engine
    engine.dispose()


@pytest.fixture
def story(told: Engine) -> WebBench:
    return WebBench(told)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", READERS)
def test_whoever_answers_for_others_sees_them(story, path, role):
    answer = story.signed_in(role).get(path)
    assert answer.status_code == 200
    assert "style=" not in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", OTHERS)
def test_others_do_not(story, path, role):
    assert story.signed_in(role).get(path).status_code == 403
    assert story.reads == []


@pytest.mark.parametrize("path", PATHS)
def test_nobody_sees_them_without_a_session(story, path):
    assert "biopsies" not in story.browser().get(path).text
    assert story.reads == []


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("path", ["/datasets/{}", "/models/{}", "/models/versions/{}", "/datasets?after={}"])
def test_hostile_ids_are_refused_and_not_repeated(story, path, text):
    answer = story.signed_in("dpo").get(path.format(text))
    assert answer.status_code in (400, 404)
    assert "alert(1)" not in answer.text
    assert "passwd" not in answer.text
    assert "x-injected" not in answer.headers
    assert story.reads == []


@pytest.mark.parametrize(
    "path",
    [
        f"/datasets/{identifier('dataset', 99)}",
        f"/models/{identifier('model', 99)}",
        f"/models/versions/{identifier('modelversion', 99)}",
    ],
)
def test_what_is_not_on_the_ledger_is_not_found(story, path):
    assert story.signed_in("dpo").get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/datasets?after=" + identifier("dataset", 99), f"/datasets/{DATASET}?after={MODEL_VERSION}"]
)
def test_a_page_after_what_is_not_there_is_refused(story, path):
    assert story.signed_in("dpo").get(path).status_code == 400


@pytest.mark.parametrize("path", PATHS)
def test_an_index_that_is_empty_says_so(path):
    engine = open_database("sqlite://")
    answer = WebBench(engine).signed_in("dpo").get(path)
    assert (answer.status_code, "INDEX_EMPTY" in answer.text) == (503, True)
    engine.dispose()


def test_a_dataset_shows_versions_lineage_consents_grants_and_decisions(story):
    text = story.signed_in("dpo").get(f"/datasets/{DATASET}").text
    assert "biopsies" in text
    assert "explicit consent" in text
    assert "general research use" in text
    assert f'href="/grants/{identifier("grant", 1)}"' in text
    assert f'href="/records/session/{identifier("session", 1)}"' in text
    assert f'href="/models/versions/{MODEL_VERSION}"' in text
    assert "Consents of NorthgateMSP in force" in text
    assert re.search(r"denied\s*</span>", text)
    assert ">expired<" not in text


def test_a_grant_is_shown_as_it_stands_now(story):
    story.pass_time(30 * 24 * 3600)
    assert ">expired<" in story.signed_in("dpo").get(f"/datasets/{DATASET}").text


def test_who_looked_at_a_datasets_accesses_is_put_on_record(story):
    browser = story.signed_in("auditor")
    browser.get(f"/datasets/{DATASET}")
    browser.get(f"/models/versions/{MODEL_VERSION}")
    browser.get("/datasets")
    assert [(question, concerned) for _, question, concerned in story.reads] == [
        ("dataset", [DATASET]),
        ("model", [MODEL_VERSION]),
    ]


def test_a_model_version_leads_back_to_data_and_to_its_reports(story):
    text = story.signed_in("dpo").get(f"/models/versions/{MODEL_VERSION}").text
    assert "risk" in text
    assert f'href="/datasets/{DATASET}"' in text
    assert "auc 0.9" in text
    assert f"/reports?report=model-dossier&amp;about={MODEL_VERSION}" in text


def test_titles_and_addresses_carry_no_names(story):
    text = story.signed_in("dpo").get(f"/datasets/{DATASET}").text
    assert re.search(r"<title>(.*?)</title>", text).group(1) == "Dataset – Consentry"


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_there_in_german(story, path):
    german = story.signed_in("dpo").get(path, headers={"accept-language": "de"}).text
    assert '<html lang="de">' in german
    for word in ("Dataset", "Grant", "Purpose", "Custodian", "research use", "none<", "block ", "shown"):
        assert word not in german, word


@pytest.mark.parametrize("kind", ["datasets", "models"])
def test_lists_page_to_their_end(bench: WebBench, filling: Filling, kind: str):
    browser, path, seen = bench.signed_in("dpo"), f"/{kind}", list[str]()
    while path:
        text = browser.get(path).text
        seen += re.findall(rf'<th scope="row"><a href="/{kind}/([a-z]+-[0-9a-f]+)"', text)
        following = re.search(rf'href="(/{kind}\?after=[^"]+)" rel="next"', text)
        path = following.group(1) if following else ""
    assert sorted(seen) == sorted(getattr(filling, kind))


def test_a_models_versions_page_to_their_end(bench: WebBench, filling: Filling):
    browser, seen = bench.signed_in("dpo"), list[str]()
    for model in filling.models:
        path = f"/models/{model}"
        while path:
            text = browser.get(path).text
            seen += re.findall(r'<th scope="row"><a href="/models/versions/(modelversion-[0-9a-f]+)"', text)
            following = re.search(r'href="([^"]+)" rel="next"', text)
            path = following.group(1) if following else ""
    assert sorted(seen) == sorted(filling.model_versions)


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_code_of_the_vocabulary_has_its_words(language):
    from consentry.web.texts import catalogue
    from consentry_records.dataset import RETIREMENTS
    from consentry_records.model_stage import STAGE_REASONS, TRANSITIONS
    from consentry_records.training import END_STATES, STARTED

    groups = {
        "purposes": PURPOSES,
        "legal_bases": LEGAL_BASES,
        "duo_terms": DUO_TERMS,
        "retirements": RETIREMENTS,
        "stages": TRANSITIONS,
        "stage_reasons": STAGE_REASONS,
        "session_states": (STARTED, *END_STATES),
        "outcomes": ("permit", "deny", "open"),
    }
    wanted = {f"{group}.{code}" for group, codes in groups.items() for code in codes}
    assert wanted <= set(catalogue(language))


def test_what_is_not_counted_to_its_end_says_so(story, monkeypatch):
    read = nearby._read
    monkeypatch.setattr(nearby, "_read", lambda *asked: replace(read(*asked), count=10_001))
    text = story.signed_in("dpo").get(f"/datasets/{DATASET}").text
    assert "1 of more than 10\u202f000 are shown." in text
    assert "… and more than 10\u202f000 more" in text
