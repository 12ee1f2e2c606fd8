"""An officer acts in a real browser: form, words, the wallet's signature, the commit seen without reload."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from support.accessibility import barriers
from support.web_acting import act, code_on, digest_on, signed, until
from support.web_site import Site

pytestmark = [pytest.mark.optional_tool("chromium"), pytest.mark.timeout(600)]
STEP_WORDS = {
    "authority-notified": "supervisory authority notified",
    "subjects-not-notified": "data subjects not told",
    "closed": "closed",
}
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
        expect(page.locator("#progress")).to_contain_text("Done: it is on the ledger")
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


def test_a_breach_is_recorded_and_its_steps_follow(site: Site, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        page.goto("/breaches")
        page.get_by_role("link", name="Record a breach").click()
        assert barriers(page) == []
        site.shoot(page, "breach_new")
        page.locator('input[value="confidentiality"]').check()
        for name, value in {"categories": "imaging", "subject_count": "3", "record_count": "40"}.items():
            page.locator(f"#{name}").fill(value)
        page.get_by_role("button", name="Go on to sign").click()
        expect(page.locator("main")).to_contain_text("The 72 hours to tell the authority")
        signed(site, page)
        until(page, "h left")
        assert barriers(page) == []
        site.shoot(page, "breach")
        for step in ("authority-notified", "subjects-not-notified", "closed"):
            page.locator(f'input[value="{step}"]').check()
            page.get_by_role("button", name="Go on to sign").click()
            signed(site, page)
            until(page, STEP_WORDS[step], "tbody td")
        expect(page.locator('form[action$="/step"]')).to_have_count(0)


def test_a_consent_is_withdrawn_from_the_persons_page(site: Site) -> None:
    with site.officer() as page:
        page.goto("/subjects")
        page.locator("#pseudonym").fill(site.people()[-2][0])
        page.get_by_role("button", name="Show what happened").click()
        page.get_by_role("link", name="What if it is withdrawn?").first.click()
        page.get_by_role("link", name="Go on to the withdrawal").click()
        act(site, page, "withdraw", "Withdraw")
        until(page, "This consent is withdrawn.")
