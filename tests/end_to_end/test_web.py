"""Officers use the pages in a real browser, on the demo's ledger."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from support.accessibility import barriers
from support.web_site import Site

pytestmark = [pytest.mark.optional_tool("chromium"), pytest.mark.timeout(600)]

PAGES = {
    "overview": "/",
    "trail": "/trail",
    "denials": "/trail?outcome=deny",
    "transactions": "/trail/transactions",
    "network": "/network",
    "missing": "/nothing/here",
}


def settled(page: Page, path: str) -> None:
    """Go to a page and wait until its parts are there."""
    page.goto(path)
    page.wait_for_function('() => !document.querySelector(\'[hx-trigger~="load"]:has(a[href*="=now"])\')')


def first_record(page: Page, kind: str = "grant") -> str:
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
        download.value.save_as(tmp_path / "grant.proof")
    proved = site.consentry("--as", "northgate/dpo", "verify", str(tmp_path / "grant.proof"))
    assert "grant/grant-" in proved


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
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("outcome=deny"))
        assert page.locator("tbody .tag").all_inner_texts()[:1] == ["denied"]


def test_news_are_seen_without_reload(site: Site) -> None:
    with site.officer() as page:
        settled(page, "/")
        expect(page.locator("p.live")).to_be_attached()
        page.wait_for_timeout(1500)  # the first number comes with the stream's begin
        site.consentry("--as", "northgate/dpo", "trail", "findings")  # the read is a transaction of its own
        expect(page.locator("p.live a")).to_contain_text("on the ledger", timeout=30_000)


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
        sizes: list[int] = []
        page.on("response", lambda response: sizes.append(len(response.body())) if response.ok else None)
        for path in ("/trail", "/"):
            sizes.clear()
            page.context.clear_cookies(name="nothing")
            page.goto(path, wait_until="load")
            assert sum(sizes) <= 200_000, sizes


def test_views_are_on_the_ledger_with_who_saw_them(site: Site) -> None:
    with site.officer() as page:
        page.goto("/trail?dataset=wdbc-northgate")
        who = page.locator(".who").inner_text()
    page_of = re.search(r"Signed in as ([0-9a-f]{12})", who)
    assert page_of is not None
    for _ in range(30):
        shown = site.consentry("--as", "northgate/dpo", "--local", "trail", "transactions", "--json")
        if '"trail:record_read"' in shown:
            break
    assert '"trail:record_read"' in shown
    assert "wdbc-northgate" not in site.log.read_text()
