"""Registers with their clocks: overdue is said in words, and hospitals see their own only."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from support.story import LAKESIDE, NORTHGATE, identifier, instant
from support.web_bench import WebBench
from support.web_story import indexed_story

from consentry.web.views.clocks import ClockState, clock
from consentry_records.instants import shift

DAY = 24 * 3_600_000


@pytest.fixture(scope="module")
def told() -> Iterator[Engine]:
    engine = indexed_story("sqlite://")
    yield engine
    engine.dispose()


@pytest.fixture
def bench(told: Engine) -> WebBench:
    return WebBench(told)


def clocks(text: str) -> list[str]:
    return re.findall(r'<td>\s*<span class="tag[^"]*">([^<]*)</span>', text)


def ids(text: str, kind: str) -> list[str]:
    path = "breaches" if kind == "breach" else kind
    return re.findall(rf'href="/(?:records/)?{path}/({kind}[a-z]*-[^"]+)"', text)


def test_requests_are_shown_with_their_clocks_the_soonest_due_first(bench):
    text = bench.signed_in("dpo").get("/rights").text
    found = ids(text, "rights")
    assert [int(name[-2:], 16) for name in found[:1]] == [1]
    assert sorted(int(name[-2:], 16) for name in found) == [1, 2, 3]
    assert clocks(text)[0] == "overdue by 16 d 0 h"
    assert "Overdue: 1." in text
    assert bench.reads[0][1:] == ("records", [NORTHGATE])


def test_breaches_have_72_hours(bench):
    text = bench.signed_in("auditor").get("/breaches").text
    assert clocks(text) == ["overdue by 1 d 9 h", "2 d 15 h left"]
    bench.pass_time(50 * 3600)
    assert clocks(bench.signed_in("auditor").get("/breaches").text)[1] == "due soon: 0 d 13 h left"


@pytest.mark.parametrize("path", ["/rights", "/breaches"])
@pytest.mark.parametrize("role", ["steward", "ethics", "researcher", "clinician", "service"])
def test_others_do_not_see_registers(bench, path, role):
    assert bench.signed_in(role).get(path).status_code == 403
    assert bench.reads == []


@pytest.mark.parametrize("path", ["/rights", "/breaches"])
def test_a_hospital_sees_its_own_register_only(bench, path):
    browser = bench.signed_in("dpo")
    assert browser.get(f"{path}?organization={NORTHGATE}").status_code == 200
    assert browser.get(f"{path}?organization={LAKESIDE}").status_code == 403


def test_a_regulator_chooses_whose(told):
    bench = WebBench(told, kind="regulator", msp_id="RegulatorMSP")
    browser = bench.signed_in("regulator")
    assert "No breach is open" in browser.get("/breaches").text
    text = browser.get(f"/breaches?organization={LAKESIDE}").text
    assert ids(text, "breach") == [identifier("breach", 3)]
    assert f"<option selected>{LAKESIDE}</option>" in text
    assert browser.get("/breaches?organization=StrangerMSP").status_code == 403


@pytest.mark.parametrize("name", ["%3Cscript%3E", "a b", "x" * 65, "Northgate%0aMSP", "..%2F"])
def test_hostile_organizations_are_refused(bench, name):
    answer = bench.signed_in("dpo").get(f"/rights?organization={name}")
    assert answer.status_code == 400
    assert "script>" not in answer.text.split("<main")[1]


@pytest.mark.parametrize("path", ["/rights", "/breaches"])
def test_they_are_there_in_german(bench, path):
    text = bench.signed_in("dpo").get(path, headers={"accept-language": "de"}).text
    assert "überfällig seit" in text
    for word in ("overdue", "left<", "received", "disclosed", "Request<", "recorded", "none<"):
        assert word not in text


@given(st.integers(-10_000, 10_000), st.integers(0, 200))
def test_a_clock_says_how_long_and_whether_in_time(hours: int, soon: int) -> None:
    at = instant(10)
    due = shift(at, hours * 3_600_000)
    running = clock(due, at, soon_hours=soon)
    assert 24 * running.days + running.hours == abs(hours)
    if hours < 0:
        assert running.state is ClockState.OVERDUE
    else:
        assert running.state is (ClockState.SOON if hours < soon else ClockState.RUNNING)
    done = clock(due, shift(at, 900 * DAY), at, soon_hours=soon)
    assert done.state is (ClockState.MET if hours >= 0 else ClockState.LATE)


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_code_of_registers_has_its_words(language):
    from consentry.web.texts import catalogue
    from consentry_records.breach import NATURES, RECORDED, STEPS
    from consentry_records.consent import STATES as CONSENT_STATES
    from consentry_records.rights_request import GROUNDS, METHODS, RIGHTS, STATES, STORES
    from consentry_records.vocabulary import RECIPIENT_CLASSES

    groups = {
        "clocks": ClockState,
        "breach_natures": NATURES,
        "breach_steps": (RECORDED, *STEPS),
        "consent_states": CONSENT_STATES,
        "rights_kinds": RIGHTS,
        "rights_states": STATES,
        "rights_steps": ("rejected", "extended"),
        "rights_grounds": GROUNDS,
        "rights_stores": STORES,
        "rights_methods": METHODS,
        "recipient_classes": RECIPIENT_CLASSES,
    }
    wanted = {f"{group}.{code}" for group, codes in groups.items() for code in codes}
    assert wanted <= set(catalogue(language))
