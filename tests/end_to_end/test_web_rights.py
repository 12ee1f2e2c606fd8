"""Requests of data subjects in a real browser: recorded, decided and fulfilled, each step to its commit."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from support.accessibility import barriers
from support.web_acting import act, signed, until
from support.web_site import Site

pytestmark = [pytest.mark.optional_tool("chromium"), pytest.mark.timeout(600)]
STORES = {
    "collection": "searched",
    "custody": "key-destroyed",
    "datasets": "searched",
    "peer-files": "key-destroyed",
    "backups": "key-destroyed",
}
RECEIPT_WORDS = {
    "erasure": "From now on nothing of this person's data is permitted to be used.",
    "access": "A request for access (GDPR Art. 15)",
    "rectification": "A request for rectification (GDPR Art. 16)",
    "restriction": "From now on nothing of this person's data is permitted to be used.",
    "objection": "not permitted to be used for the purposes below",
}
"""What the page says before a request is recorded."""
OTHERS = {"access": -3, "rectification": -4, "restriction": -5, "objection": -6}
"""Rights other than to erasure, and whose they are: no other test needs these people of northgate's."""


def record(site: Site, page: Page, right: str, pseudonym: str) -> None:
    """Record a request; the page is on it afterwards, and the index has it."""
    page.goto("/rights/new")
    page.locator("#pseudonym").fill(pseudonym)
    page.locator(f'input[value="{right}"]').check()
    if right == "objection":
        page.locator('input[name="purposes"][value="DUO:0000006"]').check()
    act(site, page, "new", RECEIPT_WORDS[right])
    until(page, "received", "tbody td")


def accept(site: Site, page: Page) -> None:
    """Accept a request, and wait until that is among its events."""
    page.locator('input[name="step"][value="accepted"]').check()
    act(site, page, "step", "is accepted and has to be carried out")
    until(page, "accepted", "tbody td")


def test_an_erasure_is_carried_out_and_attested(site: Site, optional_tool) -> None:
    optional_tool("node")
    pseudonym = site.people()[-1][0]
    with site.officer() as page:
        record(site, page, "erasure", pseudonym)
        accept(site, page)
        until(page, "How each store was reached")
        for store, method in STORES.items():
            page.locator(f'select[name="{store}"]').select_option(method)
        assert barriers(page) == []
        site.shoot(page, "erasure")
        page.locator('form[action$="/erase"] button').click()
        expect(page.locator("main")).to_contain_text("What they held is gone for good")
        expect(page.locator("main")).to_contain_text("the server destroys the person's salt and key")
        assert barriers(page) == []
        site.shoot(page, "erasure_action")
        signed(site, page)
        until(page, "register of subjects: unreadable, the key is destroyed")
        site.shoot(page, "erasure_done")
        page.goto("/subjects")
        page.locator("#pseudonym").fill(pseudonym)
        page.get_by_role("button", name="Show what happened").click()
        expect(page.locator("main")).to_contain_text("The own register has no subject of that pseudonym")


@pytest.mark.parametrize("right", OTHERS)
def test_another_request_is_recorded_accepted_and_fulfilled(site: Site, right: str) -> None:
    with site.officer() as page:
        record(site, page, right, site.people()[OTHERS[right]][0])
        accept(site, page)
        act(site, page, "fulfil", "is recorded as fulfilled")
        until(page, "fulfilled", "tbody td")
        expect(page.locator('form[action$="/fulfil"]')).to_have_count(0)
        if right == "rectification":
            page.locator("#recipients").fill("RiversideMSP LakesideMSP")
            act(site, page, "notify", "2 recipients are recorded as told")
            until(page, "recipients told", "tbody td")
