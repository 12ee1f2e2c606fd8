"""Officers use the pages in a real browser, on the demo's ledger."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.accessibility import barriers
from support.web_site import Site

from consentry.index import Trail, open_database
from consentry.profile import NetworkProfile
from consentry.wallet import Wallet
from consentry_records.digest import sha256_digest

pytestmark = [pytest.mark.optional_tool("chromium"), pytest.mark.timeout(600)]

PAGES = {
    "overview": "/",
    "trail": "/trail",
    "denials": "/trail?outcome=deny",
    "transactions": "/trail/transactions",
    "network": "/network",
    "datasets": "/datasets",
    "models": "/models",
    "requests": "/requests",
    "grants": "/grants",
    "subjects": "/subjects",
    "impact": "/impact",
    "rights": "/rights",
    "rights_new": "/rights/new",
    "breaches": "/breaches",
    "reports": "/reports",
    "schedule": "/reports/schedule",
    "missing": "/nothing/here",
}
COUNTED_NEWS = """(() => {
  const True = window.EventSource;
  window.heard = 0;
  window.EventSource = class extends True {
    constructor(...given) { super(...given); this.addEventListener("block", () => { window.heard += 1; }); }
  };
})()"""
"""Counts what a page heard of new blocks, right before the page's own script hears it."""
FROM_LISTS = {"dataset": "/datasets", "model": "/models", "request": "/requests", "grant": "/grants"}


def settled(page: Page, path: str) -> None:
    """Go to a page and wait until its parts are there."""
    page.goto(path)
    page.wait_for_function('() => !document.querySelector(\'[hx-trigger~="load"]:has(a[href*="=now"])\')')


def first_record(page: Page, kind: str = "attempt") -> str:
    page.goto("/trail")
    return str(page.locator(f'a[href^="/records/{kind}/"]').first.get_attribute("href"))


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_whole_and_without_barriers(site: Site, name: str, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if "404" not in message.text else None)
        settled(page, PAGES[name])
        assert barriers(page) == []
        site.shoot(page, name)
        assert faults == []


@pytest.mark.parametrize("name", FROM_LISTS)
def test_what_lists_lead_to_is_without_barriers(site: Site, name: str, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        page.goto(FROM_LISTS[name])
        page.locator(f'main a[href^="{FROM_LISTS[name]}/{name}-"]').first.click()
        page.wait_for_url(f"**{FROM_LISTS[name]}/{name}-*")
        assert barriers(page) == []
        site.shoot(page, name)


def test_the_sign_in_page_has_no_barriers(site: Site, optional_tool) -> None:
    optional_tool("node")
    with site.visitor() as page:
        page.goto("/sign-in")
        assert barriers(page) == []
        site.shoot(page, "sign_in")


def test_a_record_is_proved_as_it_is_looked_at(site: Site, tmp_path, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        page.goto(first_record(page))
        expect(page.locator(".notice.proved")).to_contain_text("Proved now.")
        assert barriers(page) == []
        site.shoot(page, "record")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the proof").click()
        download.value.save_as(tmp_path / "attempt.proof")
    proved = site.consentry("--as", "northgate/dpo", "verify", str(tmp_path / "attempt.proof"))
    assert "attempt/attempt-" in proved


def test_without_scripts_everything_can_be_read(site: Site) -> None:
    with site.officer(java_script_enabled=False) as page:
        record = first_record(page)
        page.goto(f"{record}?proof=now")
        expect(page.locator(".notice.proved")).to_contain_text("Proved now.")
        page.goto("/network?nodes=now")
        expect(page.locator("main")).to_contain_text("answers")
        page.goto("/")
        expect(page.locator("h1")).to_have_text("Overview")


def test_the_keyboard_is_enough(site: Site) -> None:
    with site.officer() as page:
        page.goto("/")
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to the content")
        page.keyboard.press("Enter")
        expect(page.locator(":focus")).to_have_id("content")
        page.goto("/")
        page.locator('nav.pages a[href="/trail"]').focus()
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Trail")
        page.locator("summary").first.focus()
        page.keyboard.press("Enter")
        reached = []
        for _ in range(5):
            page.keyboard.press("Tab")
            reached.append(page.locator(":focus").get_attribute("name"))
        assert reached == ["custodian", "requester_msp", "dataset", "purpose", "outcome"]
        page.keyboard.press("d")
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.innerText") == "Filter":
                break
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("outcome=deny"))
        expect(page.locator("tbody .tag").first).to_have_text("denied")


def a_given_consent(site: Site) -> str:
    """A consent of somebody in the middle of the register: other files' tests need those at its ends."""
    people = site.people()
    engine = open_database(f"sqlite:///{site.directory / 'index.sqlite'}")
    rows = Trail(engine).records("consent", owner="NorthgateMSP")
    given = {row.body["subject"]: row.record_id for row in rows if row.state == "given"}
    engine.dispose()
    return next(given[subject] for _, subject in people[len(people) // 2 :] if subject in given)


def test_a_withdrawal_is_seen_without_reload(site: Site) -> None:
    consent = a_given_consent(site)
    with site.officer() as page:
        page.add_init_script(COUNTED_NEWS)
        settled(page, "/trail/transactions")
        # The first number is where the stream begins; the look itself, recorded meanwhile, is no news.
        page.wait_for_function("() => window.heard > 0")
        page.wait_for_timeout(3_000)
        expect(page.locator("p.live a")).to_have_count(0)
        site.consentry("--as", "northgate/steward", "consents", "withdraw", "--consent", consent)
        page.locator("p.live a").click()
        expect(page.locator("tbody")).to_contain_text("consents:")


def test_two_officers_at_once_and_the_end_of_one_session(site: Site) -> None:
    with site.officer("northgate/dpo") as first, site.officer("northgate/steward") as second:
        expect(first.locator(".roles")).to_have_text("data protection officer")
        expect(second.locator(".roles")).to_have_text("data steward")
        first.get_by_role("button", name="Sign out").click()
        expect(first.locator("h1")).to_have_text("Sign in")
        first.go_back()
        first.goto("/trail")
        expect(first.locator("h1")).to_have_text("Sign in")
        second.goto("/trail")
        expect(second.locator("h1")).to_have_text("Trail")


def test_members_of_other_organizations_are_refused(site: Site) -> None:
    with site.visitor() as page:
        page.goto("/sign-in")
        code = page.locator("pre.command").inner_text().split()[-1]
        answer = site.consentry("--as", "regulator/officer", "web", "sign-in", code, "--yes")
        page.locator("#answer").fill(answer)
        page.get_by_role("button", name="Sign in").first.click()
        expect(page.get_by_role("alert")).to_contain_text("members of this organization only")


def test_pages_speak_german(site: Site) -> None:
    with site.officer(locale="de-DE") as page:
        settled(page, "/")
        expect(page.locator("h1")).to_have_text("Übersicht")
        page.get_by_role("button", name="English").click()
        expect(page.locator("h1")).to_have_text("Overview")


def test_no_browser_asks_anybody_else(site: Site) -> None:
    with site.officer() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for path in PAGES.values():
            settled(page, path)
    assert asked
    assert {url for url in asked if not url.startswith(site.url)} == set()


def test_what_is_transferred_is_little(site: Site) -> None:
    with site.officer() as page:
        for path in ("/trail/transactions", "/"):
            page.goto(path, wait_until="load")
            # Files that the browser kept count as if they had come with this page.
            size = page.evaluate(
                "() => ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))"
                ".reduce((sum, entry) => sum + entry.decodedBodySize, 0)"
            )
            assert 20_000 < size <= 200_000


def test_views_are_on_the_ledger_with_who_saw_them(site: Site) -> None:
    with site.officer() as page:
        page.goto("/trail?dataset=wdbc-northgate")
        who = re.search(r"Signed in as ([0-9a-f]{12})", page.locator(".who").inner_text())
        assert who is not None
        engine = open_database(f"sqlite:///{site.directory / 'index.sqlite'}")
        for _ in range(120):
            reads = [row.body for row in Trail(engine).records("trailread")]
            seen = [read for read in reads if str(read.get("shown_to")).startswith(who[1])]
            if any(read["concerned"] == ["wdbc-northgate"] for read in seen):
                break
            page.wait_for_timeout(500)
        engine.dispose()
    (read, *_) = [read for read in seen if read["concerned"] == ["wdbc-northgate"]]
    signed = (site.directory / "web" / "northgate" / "sign-ins.jsonl").read_bytes().splitlines()
    assert read["sign_in_digest"] in {sha256_digest(line) for line in signed}
    assert "wdbc-northgate" not in site.log.read_text()


def test_a_client_certificate_signs_in(site: Site, tmp_path: Path) -> None:
    identity = Wallet(NetworkProfile.load(site.directory).wallet_directory("northgate")).get("dpo")
    (tmp_path / "dpo.pem").write_bytes(identity.certificate_pem)
    (tmp_path / "dpo.key").write_bytes(identity.private_key_pem)
    certificate = {
        "origin": site.url,
        "certPath": tmp_path / "dpo.pem",
        "keyPath": tmp_path / "dpo.key",
    }
    with site.visitor(client_certificates=[certificate]) as page:
        page.goto("/sign-in")
        page.get_by_role("button", name="Sign in with this certificate").click()
        expect(page.locator(".roles")).to_have_text("data protection officer")
