"""Grants in a real browser: given, moved, renewed, narrowed, suspended and revoked, each to its commit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from support.accessibility import barriers
from support.web_acting import act, until
from support.web_site import Site, running_server

from consentry.index import Trail, open_database
from consentry.network import enroll_user

pytestmark = [pytest.mark.optional_tool("chromium"), pytest.mark.timeout(600)]


def scope(site: Site, custodian: str) -> tuple[str, ...]:
    """A dataset version of a custodian's and the use that the demo's data are for, as options."""
    engine = open_database(f"sqlite:///{site.directory / 'index.sqlite'}")
    rows = Trail(engine).records("version", owner=custodian)
    version = next(row.record_id for row in rows if row.state == "active")
    engine.dispose()
    return "--version", version, "--purpose", "DUO:0000006"


def a_request_of_a_month(site: Site) -> str:
    """Riverside's new request for a dataset version of northgate's: those of the demo end in a minute."""
    wanted = (*scope(site, "NorthgateMSP"), "--duration", "30d")
    made = site.consentry("--as", "riverside/researcher", "grants", "request", *wanted, "--json")
    return str(json.loads(made)["request_id"])


def a_grant_of_three_days(site: Site) -> str:
    """The address of northgate's new grant to riverside."""
    given = (a_request_of_a_month(site), *scope(site, "NorthgateMSP"), "--duration", "3d")
    made = site.consentry("--as", "northgate/steward", "grants", "grant", *given, "--json")
    return f"/grants/{json.loads(made)['grant_id']}"


def after_days(days: int) -> tuple[str, str]:
    """A day from today on, as forms take it, and how pages tell the instant at which it ends."""
    day = datetime.now(UTC).date() + timedelta(days=days)
    return day.isoformat(), f"{day + timedelta(days=1)} 00:00:00"


def open_grant(page: Page, path: str) -> None:
    """Go to a grant as soon as the index has it."""
    page.goto(path)
    until(page, "given", "tbody td")


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


def test_a_grant_has_a_time_line_and_no_barriers(site: Site, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        page.goto("/grants")
        page.goto(str(page.locator('tbody a[href^="/grants/"]').first.get_attribute("href")))
        expect(page.locator("figure svg")).to_be_visible()
        assert barriers(page) == []
        site.shoot(page, "grant")


@pytest.mark.parametrize(
    ("action", "days", "words", "done"),
    [
        ("end", 1, "ends at {end}.000 UTC instead of when it ended so far", "end moved"),
        ("renew", 20, "holds on until {end}.000 UTC", "renewed"),
    ],
)
def test_the_end_of_a_grant_is_moved(site: Site, action: str, days: int, words: str, done: str) -> None:
    day, end = after_days(days)
    with site.officer() as page:
        open_grant(page, a_grant_of_three_days(site))
        page.locator("#until").fill(day)
        act(site, page, action, words.format(end=end))
        until(page, f"until {end}", "dl.facts dd")
        until(page, done, "tbody td")


def test_a_grant_is_narrowed(site: Site) -> None:
    day, end = after_days(1)
    with site.officer() as page:
        open_grant(page, a_grant_of_three_days(site))
        only_aggregates = page.locator('dl.facts dt:text-is("Only aggregates may leave") + dd')
        expect(only_aggregates).to_have_text("no")
        page.locator("#aggregate").check()
        page.locator("#narrow-until").fill(day)
        act(site, page, "narrow", "whatever else it loses takes a new request")
        until(page, f"until {end}", "dl.facts dd")
        expect(only_aggregates).to_have_text("yes")
        expect(page.locator("#aggregate")).to_be_checked()
        until(page, "narrowed", "tbody td")


def test_what_reviews_a_grant_needs_is_set(site: Site) -> None:
    """At lakeside: no other test gives access to its data."""
    wanted = (*scope(site, "LakesideMSP"), "--duration", "1d", "--json")
    made = site.consentry("--as", "riverside/researcher", "grants", "request", *wanted)
    with running_server(site.directory, "lakeside/service") as server:
        there, who = replace(site, url=server.url, log=server.log), "lakeside/dpo"
        with there.officer(who) as page:
            page.goto("/requests")
            page.locator("#approvals").fill("2")
            page.locator('input[value="ethics"]').check()
            act(there, page, "policy", "needs 2 approving reviews, and one of each role below", who)
            page.goto(f"/requests/{json.loads(made)['request_id']}")
            until(page, "2 approving reviews; ethics reviewer", "tbody td")
