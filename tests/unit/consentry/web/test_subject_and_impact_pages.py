"""One person's data: at the custodian only, for its data protection officer only, and never in an address."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from support.action_pages import action_settings
from support.story import NORTHGATE, RIVERSIDE, SUBJECT, identifier
from support.web_bench import Browser, WebBench
from support.web_story import CONSENT, PSEUDONYM, custody, indexed_story

from consentry.subjects import SubjectRegister

OTHER_ROLES = ("steward", "auditor", "regulator", "ethics", "researcher", "clinician", "service")
HOSTILE = (
    "",
    " ",
    "P-0043",
    "p-0042",
    "Р-0042",  # a Cyrillic letter that looks the same
    "P-0042\u200b",
    "P-0042\x00",
    "P-0042\r\nX-Injected: 1",
    "<script>alert(1)</script>",
    "' OR '1'='1",
    "../../etc/passwd",
    "P" * 10_000,
)


@pytest.fixture(scope="module")
def told() -> Iterator[Engine]:
    engine = indexed_story("sqlite://")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SubjectRegister]:
    with custody(tmp_path_factory.mktemp("register")) as opened:
        yield opened


@pytest.fixture
def bench(told: Engine, register: SubjectRegister) -> WebBench:
    return WebBench(told, register=lambda: register)


def looked_up(browser: Browser) -> str:
    browser.get("/subjects")
    answer = browser.post("/subjects", pseudonym=PSEUDONYM)
    assert answer.status_code == 303
    return str(answer.headers["location"])


@pytest.mark.parametrize("role", OTHER_ROLES)
def test_nobody_but_the_data_protection_officer_looks_a_person_up(bench, role):
    browser = bench.signed_in(role)
    assert browser.get("/subjects").status_code == 403
    browser.get("/") if role not in ("researcher", "clinician", "service") else browser.get("/sign-in")
    answer = browser.client.post(
        "/subjects",
        data={"pseudonym": PSEUDONYM, "csrf_token": token_of(bench, browser)},
        headers={"origin": "https://trail.northgate.example"},
    )
    assert answer.status_code == 403
    assert bench.reads == []


def token_of(bench: WebBench, browser: Browser) -> str:
    sessions = bench.application.state.sessions
    return str(sessions.find(browser.client.cookies.get("__Host-consentry")).csrf_token)


def test_an_organization_without_a_register_resolves_nobody_until_it_has_one(told, register):
    kept: list[SubjectRegister] = []
    bench = WebBench(told, register=lambda: kept[0] if kept else None)
    browser = bench.signed_in("dpo")
    assert browser.get("/subjects").status_code == 403
    assert "NOT_CUSTODIAN" in browser.get("/subjects/" + "0" * 32).text
    kept.append(register)
    assert browser.get(looked_up(browser)).status_code == 200


def test_everything_that_happened_is_shown_and_the_look_is_on_record(bench):
    browser = bench.signed_in("dpo")
    text = browser.get(looked_up(browser)).text
    assert RIVERSIDE in text
    assert "erasure (GDPR Art. 17)" in text
    for kind in ("grant", "session"):
        assert f"{kind}s/{identifier(kind, 1)}" in text or f"/records/{kind}/{identifier(kind, 1)}" in text
    assert f'href="/models/versions/{identifier("modelversion", 1)}"' in text
    assert f'href="/impact?consent={CONSENT}"' in text
    assert "these are all of them" in text
    rows = re.findall(r'<th scope="row">RiversideMSP</th>(.*?)</tr>', text)
    assert re.findall(r"(\d+)</td>", rows[0]) == ["1", "1", "1"]
    assert [(question, concerned) for _, question, concerned in bench.reads] == [("subject", [SUBJECT])]


def test_the_pseudonym_is_nowhere_but_in_the_form_that_was_sent(bench, caplog):
    caplog.set_level(logging.DEBUG)
    browser = bench.signed_in("dpo")
    location = looked_up(browser)
    answer = browser.get(location)
    assert PSEUDONYM not in location + answer.text + str(answer.headers)
    assert SUBJECT not in location
    assert "hmac" not in location
    assert PSEUDONYM not in caplog.text
    assert (
        re.search(r"<title>(.*?)</title>", answer.text).group(1)
        == ("What happened with one person&#39;s data – Consentry")
        or "P-0042" not in answer.text
    )


@pytest.mark.parametrize("pseudonym", HOSTILE)
def test_who_is_not_in_the_register_is_not_found_and_not_repeated(bench, pseudonym):
    browser = bench.signed_in("dpo")
    browser.get("/subjects")
    answer = browser.post("/subjects", pseudonym=pseudonym)
    assert answer.status_code == 404
    assert "no subject of that pseudonym" in answer.text
    assert not pseudonym.strip() or pseudonym.strip() not in answer.text
    assert "x-injected" not in answer.headers
    assert bench.reads == []


def test_a_handle_means_nothing_to_another_session(bench):
    location = looked_up(bench.signed_in("dpo"))
    answer = bench.signed_in("dpo").get(location)
    assert (answer.status_code, "SUBJECT_NOT_KEPT" in answer.text) == (404, True)
    assert bench.reads == []


def test_a_handle_ends_with_its_session(bench):
    browser = bench.signed_in("dpo")
    location = looked_up(browser)
    browser.get("/subjects")
    browser.post("/sign-out")
    assert SUBJECT not in browser.get(location).text


def test_a_session_keeps_the_last_few_subjects_only(bench):
    browser = bench.signed_in("dpo")
    locations = [looked_up(browser) for _ in range(12)]
    assert browser.get(locations[0]).status_code == 404
    assert browser.get(locations[-1]).status_code == 200


@pytest.mark.parametrize("handle", ["x", "..%2Fsubjects", "0" * 33, "%3Cscript%3E", "0" * 31 + "%0a"])
def test_what_is_no_handle_is_refused(bench, handle):
    assert bench.signed_in("dpo").get(f"/subjects/{handle}").status_code in (400, 404)


def test_accesses_page_to_their_end(bench, monkeypatch):
    monkeypatch.setattr("consentry.web.pages.subjects.ACCESSES_A_PAGE", 2)
    browser, seen = bench.signed_in("dpo"), list[str]()
    path = looked_up(browser)
    while path:
        text = browser.get(path).text
        seen += re.findall(r'href="/records/attempt/([^"]+)"', text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        path = following.group(1) if following else ""
    assert seen == [identifier("attempt", number) for number in (3, 2, 1)]
    assert [question for _, question, _ in bench.reads] == ["subject", "subject"]


def test_without_row_manifests_it_is_said_that_versions_only_may_hold_rows(told, tmp_path):
    with SubjectRegister(tmp_path / "custody" / "subjects.sqlite") as other:
        text = WebBench(told, register=lambda: other).signed_in("dpo").get(f"/impact?consent={CONSENT}").text
    assert "whether or not they have a row of this person" in text


@pytest.mark.parametrize("role", ["steward", "dpo", "auditor", "regulator"])
def test_a_withdrawal_is_previewed_before_it_is_done(bench, role):
    browser = bench.signed_in(role)
    assert "What rests on it" not in browser.get("/impact").text
    text = browser.get(f"/impact?consent={CONSENT}").text
    assert re.findall(r'<p class="figure">(\d+)</p>', text) == ["1", "1", "1", "1"]
    assert f'href="/grants/{identifier("grant", 1)}"' in text
    assert "these are all of them" in text
    assert bench.reads[0][1:] == ("impact", [CONSENT, SUBJECT])


@pytest.mark.parametrize("role", ["ethics", "researcher", "clinician", "service"])
def test_others_preview_nothing(bench, role):
    assert bench.signed_in(role).get(f"/impact?consent={CONSENT}").status_code == 403
    assert bench.reads == []


@pytest.mark.parametrize(
    ("consent", "status"),
    [
        (identifier("consent", 99), 404),
        ("consent-x", 400),
        ("%3Cscript%3Ealert(1)%3C/script%3E", 400),
        ("..%2F..%2Fetc", 400),
        (CONSENT + "%0a", 400),
        ("consent-" + "а" * 32, 400),
        ("x" * 3500, 400),
    ],
)
def test_a_preview_of_what_is_no_consent_is_refused(bench, consent, status):
    answer = bench.signed_in("dpo").get(f"/impact?consent={consent}")
    assert answer.status_code == status
    assert "alert(1)" not in answer.text
    assert bench.reads == []


@pytest.mark.parametrize("path", ["/subjects", "/impact", f"/impact?consent={CONSENT}"])
def test_they_are_there_in_german(bench, path):
    text = bench.signed_in("dpo").get(path, headers={"accept-language": "de"}).text
    assert '<html lang="de">' in text
    for word in ("consent is", "Consent<", "withdraw", "Pseudonym of", "Show", "none<"):
        assert word not in text


def test_a_person_is_shown_in_german(bench):
    browser = bench.signed_in("dpo")
    text = browser.get(looked_up(browser), headers={"accept-language": "de"}).text
    assert "Jeder Zugriffsversuch" in text
    for word in ("Attempt", "Grant", "Purpose", "none<", "withdrawn", "erasure", "in force"):
        assert word not in text
    assert NORTHGATE in text


GIVEN_CONSENT = identifier("consent", 2)


@pytest.mark.parametrize(("role", "leads_on"), [("steward", True), ("dpo", True), ("auditor", False)])
def test_a_preview_leads_to_the_withdrawal_whoever_may_do_it(told, register, role, leads_on):
    bench = WebBench(told, register=lambda: register, actions=action_settings())
    text = bench.signed_in(role).get(f"/impact?consent={GIVEN_CONSENT}").text
    assert (text.count(f'href="/consents/{GIVEN_CONSENT}/withdraw"') == 1) is leads_on


def test_a_preview_leads_nobody_on_where_pages_are_for_reading_alone(bench):
    assert "/withdraw" not in bench.signed_in("dpo").get(f"/impact?consent={GIVEN_CONSENT}").text


def test_a_consent_that_is_withdrawn_is_not_withdrawn_again(told, register):
    bench = WebBench(told, register=lambda: register, actions=action_settings())
    assert "/withdraw" not in bench.signed_in("dpo").get(f"/impact?consent={CONSENT}").text


def test_a_records_page_leads_to_the_preview_and_to_its_own_page(bench):
    browser = bench.signed_in("dpo")
    assert f'href="/impact?consent={CONSENT}"' in browser.get(f"/records/consent/{CONSENT}").text
    dataset = identifier("dataset", 1)
    assert f'href="/datasets/{dataset}"' in browser.get(f"/records/dataset/{dataset}").text
