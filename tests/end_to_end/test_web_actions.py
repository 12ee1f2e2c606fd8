"""An officer acts in a real browser: form, words, the wallet's signature, the commit seen without reload."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from support.accessibility import barriers
from support.web_site import Site

pytestmark = [pytest.mark.optional_tool("chromium"), pytest.mark.timeout(600)]
RATIONALE = "The cohort is small <b>and</b> old."


def own_request(page: Page) -> str:
    page.goto("/requests?own=true")
    return str(page.locator('tbody a[href^="/requests/"]').first.get_attribute("href"))


def offer_review(page: Page) -> None:
    """Fill the form of a review and go on to the page that shows the action."""
    page.goto(own_request(page))
    page.locator('input[value="reject"]').check()
    page.locator('input[value="DATA_NOT_MINIMAL"]').check()
    page.locator("#rationale").fill(RATIONALE)
    page.locator('form[action$="/review"] button').click()
    page.wait_for_url("**/actions/*")


def digest_on(page: Page) -> str:
    return "".join(page.locator("code.digest").inner_text().split())


def code_on(page: Page) -> str:
    return page.locator("pre.command").first.inner_text().split()[-1]


def test_a_review_is_signed_with_the_wallet_and_seen_committed(site: Site, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        page.goto(own_request(page))
        assert barriers(page) == []
        site.shoot(page, "request")
        offer_review(page)
        expect(page.locator("main")).to_contain_text("You recommend not to grant")
        expect(page.locator("main")).to_contain_text(RATIONALE)
        assert barriers(page) == []
        site.shoot(page, "action")
        who = ("--as", "northgate/dpo")
        site.consentry(*who, "web", "sign", code_on(page), "--digest", digest_on(page))
        expect(page.locator("#progress")).to_contain_text("Done: it is on the ledger", timeout=30_000)
        expect(page.locator("#progress .code")).to_have_text(["VALID", "VALID"])
        page.reload()
        expect(page.locator("main")).not_to_contain_text("cohort")
        site.shoot(page, "action_done")


def test_without_scripts_an_action_is_given_up(site: Site) -> None:
    with site.officer("northgate/steward", java_script_enabled=False) as page:
        offer_review(page)
        expect(page.locator("#progress")).to_contain_text("Waits for your signature")
        page.get_by_role("link", name="Look again").click()
        page.get_by_role("button", name="Give it up").click()
        expect(page.locator("#progress")).to_contain_text("Given up: nothing was changed")


@pytest.mark.parametrize("name", ["requests", "grants", "rights/new"])
def test_pages_of_actions_have_no_barriers(site: Site, name: str, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        page.goto(f"/{name}")
        assert barriers(page) == []
        site.shoot(page, name.replace("/", "_"))


def test_a_grant_has_a_time_line_and_no_barriers(site: Site, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        page.goto("/grants")
        page.goto(str(page.locator('tbody a[href^="/grants/"]').first.get_attribute("href")))
        expect(page.locator("figure svg")).to_be_visible()
        assert barriers(page) == []
        site.shoot(page, "grant")
