"""Forms and pages of actions: who is offered what, what is asked to be signed, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.trail_events import write_records
from sqlalchemy import Engine
from support import ledger_examples as examples
from support.action_pages import (
    ATTEMPT,
    BREACH,
    CONSENT,
    FORM,
    GRANT,
    PSEUDONYM,
    REQUEST,
    RIGHTS,
    action_settings,
    offered,
    records,
)
from support.ledger_examples import REGULATOR, identifier
from support.web_bench import Browser, WebBench
from support.web_process import code_on

from consentry.errors import ConsentryError
from consentry.index import open_database
from consentry.web.signing.desk import SECONDS
from consentry_records.review import ReviewPolicy


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = open_database(f"sqlite:///{Path(tmp_path_factory.mktemp('actions')) / 'index.sqlite'}")
    write_records(made, records())
    yield made
    made.dispose()


@pytest.fixture
def pages(engine: Engine) -> WebBench:
    return WebBench(engine, actions=action_settings())


@pytest.fixture
def dpo(pages: WebBench) -> Browser:
    return pages.signed_in("dpo")


@pytest.mark.parametrize(
    ("page", "path", "fields", "words"),
    [
        (f"/grants/{GRANT}", f"/grants/{GRANT}/revoke", {}, ["Revoke a grant", GRANT, "for good"]),
        (
            f"/grants/{GRANT}",
            f"/grants/{GRANT}/end",
            {"until": "2026-03-20"},
            ["Move the end of a grant", "2026-03-21 00:00:00.000 UTC"],
        ),
        (
            f"/grants/{GRANT}",
            f"/grants/{GRANT}/renew",
            {"until": "2026-04-20"},
            ["Renew a grant", "2026-04-21 00:00:00.000 UTC"],
        ),
        (
            f"/grants/{GRANT}",
            f"/grants/{GRANT}/narrow",
            {
                "until": "2026-03-20",
                "versions": [identifier("version")],
                "purposes": ["DUO:0000006"],
                "aggregate_output_only": "true",
            },
            ["Narrow a grant", "<dt>Only aggregates may leave</dt><dd>yes</dd>"],
        ),
        (
            f"/requests/{REQUEST}",
            f"/requests/{REQUEST}/review",
            {"recommendation": "reject", "reasons": ["OTHER"], "rationale": "Too\r\nsmall."},
            ["Keep the rationale", "Too<br>small.", "Reject a request for access", "another reason"],
        ),
        (
            f"/requests/{REQUEST}",
            f"/requests/{REQUEST}/review",
            {"recommendation": "approve", "reasons": ["PURPOSE_FITS", "DATA_MINIMAL"]},
            ["Approve a request for access", "<dd>none</dd>"],
        ),
        (
            f"/requests/{REQUEST}",
            f"/requests/{REQUEST}/grant",
            {
                "versions": [identifier("version")],
                "purposes": ["DUO:0000006"],
                "until": "2026-03-31",
                "maximum_uses": "3",
                "countries": "de at",
                "persons": "riverside-1",
            },
            ["Give access", "<dt>Uses at most</dt><dd>3</dd>", "<dd>DE<br>AT</dd>", "riverside-1"],
        ),
        ("/requests", "/requests/policy", {"approvals": "2", "required_roles": ["dpo"]}, ["<dd>2</dd>"]),
        (
            f"/consents/{CONSENT}/withdraw",
            f"/consents/{CONSENT}/withdraw",
            {},
            ["Withdraw a consent", CONSENT],
        ),
        (
            "/rights/new",
            "/rights/new",
            {"pseudonym": PSEUDONYM, "right": "erasure", "received_at": "2026-01-02T03:04"},
            ["Record a request for erasure", "2026-01-02 03:04:00.000 UTC", examples.commitment()],
        ),
        (
            f"/rights/{RIGHTS}",
            f"/rights/{RIGHTS}/step",
            {"step": "extended", "ground": "GDPR-12-3", "revision": "1"},
            ["Extend the time of a request", "GDPR-12-3"],
        ),
        (
            f"/rights/{RIGHTS}",
            f"/rights/{RIGHTS}/notify",
            {"recipients": "RiversideMSP", "revision": "1"},
            ["Record who was told", "RiversideMSP"],
        ),
        (f"/rights/{RIGHTS}", f"/rights/{RIGHTS}/fulfil", {"revision": "1"}, ["is fulfilled"]),
        (
            "/emergencies",
            f"/emergencies/{ATTEMPT}/review",
            {"state": "unjustified", "findings": ["NO_EMERGENCY", "DATA_NOT_NEEDED"]},
            ["Find an emergency access not justified", ATTEMPT, "there was no emergency"],
        ),
    ],
)
def test_a_form_leads_to_its_action_in_words(
    dpo: Browser, page: str, path: str, fields: dict[str, Any], words: list[str]
) -> None:
    shown = offered(dpo, page, path, **fields)
    for word in words:
        assert word in shown
    assert "Waits for your signature" in shown
    assert re.search(r"web sign [2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}<", shown)
    assert 'hx-trigger="every 2s"' in shown
    assert PSEUDONYM not in shown


def test_a_regulator_suspends(engine: Engine) -> None:
    pages = WebBench(engine, kind="regulator", msp_id=REGULATOR, actions=action_settings())
    browser = pages.signed_in("regulator")
    shown = offered(browser, f"/grants/{GRANT}", f"/grants/{GRANT}/suspend")
    assert "Suspend a grant" in shown
    assert f"/grants/{GRANT}/revoke" not in browser.get(f"/grants/{GRANT}").text


FORMS = (
    f"/grants/{GRANT}/revoke",
    f"/grants/{GRANT}/suspend",
    f"/grants/{GRANT}/lift-suspension",
    f"/grants/{GRANT}/end",
    f"/grants/{GRANT}/renew",
    f"/grants/{GRANT}/narrow",
    f"/requests/{REQUEST}/review",
    f"/requests/{REQUEST}/grant",
    "/requests/policy",
    f"/consents/{CONSENT}/withdraw",
    "/rights/new",
    f"/rights/{RIGHTS}/step",
    f"/rights/{RIGHTS}/notify",
    f"/rights/{RIGHTS}/fulfil",
    f"/rights/{RIGHTS}/erase",
    "/breaches/new",
    f"/breaches/{BREACH}/step",
    f"/emergencies/{ATTEMPT}/review",
)


@pytest.mark.parametrize("path", FORMS)
def test_a_role_that_may_not_is_refused(pages: WebBench, path: str) -> None:
    browser = pages.signed_in("auditor")
    browser.get("/")
    assert browser.post(path, form=FORM).status_code == 403


@pytest.mark.parametrize("path", FORMS)
def test_a_forged_form_is_refused(dpo: Browser, path: str) -> None:
    dpo.get("/")
    assert dpo.post(path, token="forged", form=FORM).status_code == 403
    assert dpo.post(path, origin="https://elsewhere.example", form=FORM).status_code == 403


@pytest.mark.parametrize("path", FORMS)
def test_nobody_acts_without_signing_in(pages: WebBench, path: str) -> None:
    assert pages.browser().post(path, token="x", form=FORM).status_code in (401, 403)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (f"/grants/{GRANT}/revoke", {"more": "1"}),
        (f"/grants/{GRANT}/revoke", {"form": "short"}),
        (f"/grants/{GRANT}/end", {"until": "tomorrow"}),
        (f"/grants/{GRANT}/end", {"until": "9999-12-31"}),
        (f"/requests/{REQUEST}/review", {"recommendation": "perhaps", "reasons": ["OTHER"]}),
        (f"/requests/{REQUEST}/review", {"recommendation": "approve", "reasons": ["<script>"]}),
        (
            f"/requests/{REQUEST}/review",
            {"recommendation": "approve", "reasons": ["OTHER"], "rationale": "x" * 13_000},
        ),
        (
            f"/requests/{REQUEST}/grant",
            {"versions": ["../etc"], "purposes": ["DUO:0000006"], "until": "2026-03-31"},
        ),
        (
            f"/requests/{REQUEST}/grant",
            {
                "versions": [identifier("version")],
                "purposes": ["DUO:0000006"],
                "until": "2026-03-31",
                "persons": "\u202e",
            },
        ),
        ("/requests/policy", {"approvals": "-1"}),
        (f"/rights/{RIGHTS}/step", {"step": "rejected", "revision": "1"}),
        (f"/rights/{RIGHTS}/notify", {"recipients": "a b a", "revision": "1", "x": "y"}),
        ("/rights/new", {"pseudonym": PSEUDONYM, "right": "objection"}),
        ("/rights/new", {"pseudonym": PSEUDONYM, "right": "access", "received_at": "2026-13-45T00:00"}),
        ("/rights/new", {"pseudonym": "<img src=x>", "right": "access"}),
        (f"/emergencies/{ATTEMPT}/review", {"state": "open", "findings": ["NO_EMERGENCY"]}),
    ],
)
def test_what_does_not_fit_is_refused_and_not_repeated(
    dpo: Browser, path: str, fields: dict[str, Any]
) -> None:
    dpo.get("/")
    answer = dpo.post(path, **{"form": FORM, **fields})
    assert answer.status_code == 400
    for value in ("<script>", "../etc", "<img", "\u202e", PSEUDONYM):
        assert value not in answer.text


def test_a_form_that_is_sent_twice_is_one_action(dpo: Browser) -> None:
    dpo.get(f"/grants/{GRANT}")
    first = dpo.post(f"/grants/{GRANT}/revoke", form=FORM).headers["location"]
    assert dpo.post(f"/grants/{GRANT}/revoke", form=FORM).headers["location"] == first
    assert dpo.post(f"/grants/{GRANT}/revoke", form="1" * 32).headers["location"] != first


def test_another_officer_does_not_see_the_action(pages: WebBench, dpo: Browser) -> None:
    dpo.get(f"/grants/{GRANT}")
    place = dpo.post(f"/grants/{GRANT}/revoke", form=FORM).headers["location"]
    other = pages.signed_in("dpo")
    other.get("/")
    assert other.get(place).status_code == 404
    assert other.get(f"{place}/progress").status_code == 404
    other.get("/")
    assert other.post(f"{place}/cancel").status_code == 404
    assert dpo.get(place).status_code == 200


def test_an_action_is_given_up_or_expires(pages: WebBench, dpo: Browser) -> None:
    dpo.get(f"/grants/{GRANT}")
    place = dpo.post(f"/grants/{GRANT}/revoke", form=FORM).headers["location"]
    dpo.get(place)
    assert dpo.post(f"{place}/cancel").status_code == 303
    shown = dpo.get(place).text
    assert "Given up: nothing was changed" in shown
    assert "web sign" not in shown
    assert "hx-trigger" not in shown
    dpo.get(f"/grants/{GRANT}")
    place = dpo.post(f"/grants/{GRANT}/revoke", form="1" * 32).headers["location"]
    pages.pass_time(SECONDS)
    assert "Not signed in time: nothing was changed" in dpo.get(f"{place}/progress").text


def test_the_words_are_in_the_language_of_the_page(dpo: Browser) -> None:
    dpo.get("/")
    dpo.post("/language", language="de")
    shown = offered(dpo, f"/grants/{GRANT}", f"/grants/{GRANT}/revoke")
    assert "Eine Freigabe widerrufen" in shown
    assert "Wartet auf Ihre Unterschrift" in shown


def test_a_rationale_is_shown_to_reviewers_of_the_own_organization_alone(
    engine: Engine, pages: WebBench
) -> None:
    page = f"/requests/{REQUEST}?rationales=true"
    shown = pages.signed_in("ethics").get(page).text
    assert "Small cohort.\\u{202e}&lt;script&gt;" in shown
    assert "Small cohort" not in pages.signed_in("ethics").get(f"/requests/{REQUEST}").text
    assert "Small cohort" not in pages.signed_in("auditor").get(page).text

    def unreadable(request_id: str, reviewer: str) -> str:
        raise ConsentryError("ROLE_REQUIRED", "no")

    other = WebBench(engine, actions=action_settings(rationale=unreadable))
    assert "ROLE_REQUIRED" in other.signed_in("ethics").get(page).text


def test_pages_for_reading_alone_offer_nothing(engine: Engine) -> None:
    browser = WebBench(engine).signed_in("dpo")
    assert "/revoke" not in browser.get(f"/grants/{GRANT}").text
    assert browser.post(f"/grants/{GRANT}/revoke", form=FORM).status_code == 404
    assert browser.get("/rights/new").status_code == 404
    assert browser.get(f"/requests/{REQUEST}").status_code == 200


def test_lists_and_time_line(dpo: Browser) -> None:
    assert identifier("request")[8:16] in dpo.get("/requests").text
    assert identifier("request")[8:16] in dpo.get("/requests?own=true").text
    assert identifier("grant")[6:14] in dpo.get("/grants").text
    shown = dpo.get(f"/grants/{GRANT}").text
    assert "<svg" in shown
    assert "style=" not in shown
    assert dpo.get(f"/grants/{identifier('grant', 9)}").status_code == 404
    assert dpo.get("/grants/..%2f..%2fetc").status_code == 404
    assert dpo.get("/grants/grant-x").status_code in (400, 404)


def test_an_auditor_reads_a_request_of_a_data_subject_and_is_offered_nothing(pages: WebBench) -> None:
    shown = pages.signed_in("auditor").get(f"/rights/{RIGHTS}").text
    assert RIGHTS in shown
    assert "/step" not in shown
    assert pages.signed_in("ethics").get(f"/rights/{RIGHTS}").status_code == 403


def test_an_overdue_review_of_an_emergency_is_said_so(pages: WebBench) -> None:
    assert "review overdue since" in pages.signed_in("ethics").get("/emergencies").text
    shown = pages.signed_in("auditor").get("/emergencies").text
    assert "review overdue since" in shown
    assert '<form method="post" action="/emergencies' not in shown
    assert pages.signed_in("steward").get("/emergencies").status_code == 403


def test_signers_prove_themselves_with_each_request(pages: WebBench, dpo: Browser) -> None:
    answer = dpo.client.post("/sign/action", content=b'{"code": "ABCD"}')
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_MISSING")
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert dpo.client.get("/sign/action").status_code == 405
    assert dpo.client.post("/sign/evaluate", content=b"{}").status_code == 404
    refused = [dpo.client.post("/sign/submit", content=b"").status_code for _ in range(250)]
    assert refused[-1] == 429
    pages.pass_time(61)
    assert dpo.client.post("/sign/submit", content=b"").status_code == 401


def test_reads_of_a_person_s_record_are_put_on_record(pages: WebBench, dpo: Browser) -> None:
    dpo.get(f"/consents/{CONSENT}/withdraw")
    dpo.get(f"/rights/{RIGHTS}")
    assert [read[2] for read in pages.reads] == [[CONSENT], [RIGHTS]]


def test_the_code_is_nowhere_but_on_the_page(dpo: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    shown = offered(
        dpo,
        f"/requests/{REQUEST}",
        f"/requests/{REQUEST}/review",
        recommendation="reject",
        reasons=["OTHER"],
        rationale="very private",
    )
    assert code_on(shown) not in caplog.text
    assert "very private" not in caplog.text


def test_the_policy_in_force_is_shown_and_is_what_the_form_begins_with(dpo: Browser, tmp_path: Path) -> None:
    demanded = "Reviews that NorthgateMSP demands before a grant:"
    page = dpo.get("/requests").text
    assert f"{demanded} none" in page
    assert 'name="approvals" min="0" max="16" value="1"' in page
    policy = ReviewPolicy(
        approvals=3,
        required_roles=("ethics",),
        custodian="NorthgateMSP",
        set_by="dpo-1",
        set_at=examples.START,
    )
    index = open_database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    write_records(index, [*records(), ("review-policy", policy)])
    page = WebBench(index, actions=action_settings()).signed_in("dpo").get("/requests").text
    assert f"{demanded} 3 approving reviews; ethics reviewer" in page
    assert 'name="approvals" min="0" max="16" value="3"' in page
    assert re.search(r'value="ethics" checked', page)
    assert not re.search(r'value="(dpo|steward)" checked', page)
    reader = WebBench(index, actions=action_settings()).signed_in("auditor").get("/requests").text
    assert "3 approving reviews" in reader
    assert 'name="approvals"' not in reader
    index.dispose()
