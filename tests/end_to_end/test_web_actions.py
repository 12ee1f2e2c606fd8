"""An officer acts in a real browser: form, words, the wallet's signature, the commit seen without reload."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from support.accessibility import barriers
from support.web_site import Site, running_server

from consentry.index import Trail, open_database
from consentry.network import enroll_user

pytestmark = [pytest.mark.optional_tool("chromium"), pytest.mark.timeout(600)]
STORES = {
    "collection": "searched",
    "custody": "key-destroyed",
    "datasets": "searched",
    "peer-files": "key-destroyed",
    "backups": "key-destroyed",
}
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


def signed(site: Site, page: Page, who: str = "northgate/dpo") -> None:
    """Sign what the page shows, with the wallet; wait until the page says that it is on the ledger."""
    site.consentry("--as", who, "web", "sign", code_on(page), "--digest", digest_on(page))
    expect(page.locator("#progress")).to_contain_text("Done: it is on the ledger")
    page.get_by_role("link", name="Back", exact=False).last.click()
    page.wait_for_url(lambda url: "/actions/" not in url)


def until(page: Page, text: str, place: str = "main") -> None:
    """Look again until the index has followed; `place` is for words that a form offers as a choice, too."""
    for _ in range(120):
        if text in " ".join(page.locator(place).all_inner_texts()):
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(page.locator("main").inner_text())


def a_person(site: Site) -> str:
    """The pseudonym of somebody of northgate's whose consents this test alone needs."""
    return site.people()[-1][0]


def test_an_erasure_is_carried_out_and_attested(site: Site, optional_tool) -> None:
    optional_tool("node")
    pseudonym = a_person(site)
    with site.officer() as page:
        page.goto("/rights/new")
        page.locator("#pseudonym").fill(pseudonym)
        page.locator('input[value="erasure"]').check()
        page.get_by_role("button", name="Go on to sign").click()
        signed(site, page)
        until(page, "received", "tbody td")
        page.locator('input[value="accepted"]').check()
        page.get_by_role("button", name="Go on to sign").click()
        signed(site, page)
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


def act(site: Site, page: Page, name: str, words: str, who: str = "northgate/dpo") -> None:
    """Press the button of a form by the end of its action, read what will happen, and sign it."""
    page.locator(f'form[action$="/{name}"] button').first.click()
    page.wait_for_url("**/actions/*")
    expect(page.locator("main")).to_contain_text(words)
    signed(site, page, who)


def a_request_of_a_month(site: Site) -> str:
    """Riverside's new request for a dataset version of northgate's: those of the demo end in a minute."""
    engine = open_database(f"sqlite:///{site.directory / 'index.sqlite'}")
    rows = Trail(engine).records("version", owner="NorthgateMSP")
    version = next(row.record_id for row in rows if row.state == "active")
    engine.dispose()
    wanted = ("--version", version, "--purpose", "DUO:0000006", "--duration", "30d")
    made = site.consentry("--as", "riverside/researcher", "grants", "request", *wanted, "--json")
    return str(json.loads(made)["request_id"])


def test_a_request_is_granted_suspended_by_the_regulator_and_the_grant_revoked(site: Site) -> None:
    with site.officer() as page:
        page.goto(f"/requests/{a_request_of_a_month(site)}")
        until(page, "Give access")
        page.locator("#until").fill((datetime.now(UTC) + timedelta(days=3)).date().isoformat())
        act(site, page, "grant", "gets access to 1 of your dataset versions")
        until(page, "not yet valid", "tbody td")
        grant = page.locator('main a[href^="/grants/"]').last.get_attribute("href")
        with running_server(site.directory, "regulator/officer") as server:
            there = replace(site, url=server.url, log=server.log)
            who = "regulator/authority"
            enroll_user(site.directory, "regulator", "authority", ["regulator"])
            with there.officer(who) as page_there:
                page_there.goto(str(grant))
                until(page_there, "Suspend", "button")
                act(there, page_there, "suspend", "permits nothing from the next decision on", who)
                until(page_there, "suspended", "tbody td")
                act(there, page_there, "lift-suspension", "the grant permits again", who)
                until(page_there, "suspension lifted", "tbody td")
        page.goto(str(grant))
        act(site, page, "revoke", "for good")
        until(page, "revoked", "tbody td")


def test_a_consent_is_withdrawn_from_the_persons_page(site: Site) -> None:
    with site.officer() as page:
        page.goto("/subjects")
        page.locator("#pseudonym").fill(site.people()[-2][0])
        page.get_by_role("button", name="Show what happened").click()
        page.get_by_role("link", name="What if it is withdrawn?").first.click()
        page.get_by_role("link", name="Go on to the withdrawal").click()
        act(site, page, "withdraw", "Withdraw")
        until(page, "This consent is withdrawn.")


def test_a_grant_has_a_time_line_and_no_barriers(site: Site, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        page.goto("/grants")
        page.goto(str(page.locator('tbody a[href^="/grants/"]').first.get_attribute("href")))
        expect(page.locator("figure svg")).to_be_visible()
        assert barriers(page) == []
        site.shoot(page, "grant")
