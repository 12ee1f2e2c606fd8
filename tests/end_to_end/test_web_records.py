"""Data, models, persons, registers and reports in a real browser, on the demo's ledger."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect
from support.accessibility import barriers
from support.web_site import Site

from consentry.acting import load_profile
from consentry.reports.verifying import verify_report
from consentry.subjects import SubjectRegister

pytestmark = [pytest.mark.optional_tool("chromium"), pytest.mark.timeout(600)]


def pseudonym_of(site: Site) -> str:
    """Somebody of northgate's register who has a row in a dataset version."""
    path = load_profile(site.directory, {}).subject_register("northgate")
    query = "SELECT pseudonym FROM subjects JOIN rows USING (commitment) ORDER BY pseudonym LIMIT 1"
    with SubjectRegister(path) as register, register.store.reading() as connection:
        return str(connection.execute(query).fetchone()[0])


def look_up(page: Page, pseudonym: str) -> None:
    page.goto("/subjects")
    page.locator("#pseudonym").fill(pseudonym)
    page.locator("main form button").click()
    page.wait_for_url(re.compile("/subjects/[0-9a-f]{32}$"))


def test_a_dataset_leads_to_the_models_made_from_it_and_they_lead_back(site: Site, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        page.goto("/datasets")
        page.get_by_role("link", name="wdbc-northgate").click()
        expect(page.locator("svg.lineage")).to_be_visible()
        page.locator("summary").first.click()
        expect(page.locator("details table").first).to_be_visible()
        assert barriers(page) == []
        site.shoot(page, "dataset")
        page.locator('svg.lineage a[href^="/models/versions/"]').first.click()
        expect(page.locator("h1")).to_have_text("Model version")
        assert barriers(page) == []
        site.shoot(page, "model_version")
        page.get_by_role("link", name="Technical documentation").click()
        expect(page.locator("#about-model-dossier")).to_have_value(re.compile("^modelversion-"))


def test_what_happened_with_a_persons_data_is_found_by_pseudonym(site: Site, optional_tool) -> None:
    optional_tool("node")
    pseudonym = pseudonym_of(site)
    with site.officer() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        look_up(page, pseudonym)
        expect(page.locator("main")).to_contain_text("RiversideMSP")
        assert barriers(page) == []
        site.shoot(page, "subject")
        assert pseudonym not in page.title() + page.content() + "".join(asked)
        page.get_by_role("link", name="What if it is withdrawn?").first.click()
        expect(page.locator(".figure").first).to_have_text(re.compile("^[1-9]"))
        assert barriers(page) == []
        site.shoot(page, "impact")
    assert pseudonym not in site.log.read_text()


def test_nobody_else_looks_persons_up(site: Site) -> None:
    with site.officer("northgate/steward") as page:
        page.goto("/subjects")
        expect(page.locator("main")).to_contain_text("ROLE_REQUIRED")
        expect(page.locator('nav.pages a[href="/subjects"]')).to_have_count(0)


def test_a_report_is_ordered_followed_and_downloaded(site: Site, tmp_path, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        look_up(page, pseudonym_of(site))
        page.locator("#form").select_option("json")
        page.get_by_role("button", name="Make it").click()
        expect(page.locator("#job")).to_contain_text("It is done.")
        assert barriers(page) == []
        site.shoot(page, "report_job")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        download.value.save_as(tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert report["report"] == "gdpr-15"
    # Composed again from the evidence inside, it is the same; otherwise this is refused.
    assert verify_report((tmp_path / "report.json").read_bytes(), None).sentence


def test_a_report_is_followed_without_scripts(site: Site) -> None:
    with site.officer(java_script_enabled=False) as page:
        page.goto("/reports")
        page.locator("#processing button").click()
        expect(page.locator("#job")).to_contain_text("It is done.")


def test_clocks_run_from_the_day_a_request_arrived(site: Site, optional_tool) -> None:
    optional_tool("node")
    with site.officer() as page:
        page.goto("/rights")
        page.get_by_role("link", name="Record a request").click()
        expect(page.locator("h1")).not_to_have_text("Not shown")
        page.goto("/rights")
        assert barriers(page) == []


def test_pages_of_records_speak_german(site: Site) -> None:
    with site.officer(locale="de-DE") as page:
        for path, heading in (("/datasets", "Datensätze"), ("/rights", "Anträge betroffener Personen")):
            page.goto(path)
            expect(page.locator("h1")).to_have_text(heading)
        page.goto("/datasets")
        page.locator("tbody a").first.click()
        expect(page.locator("svg.lineage title").first).to_have_text("Herkunft")
        site.shoot(page, "dataset_de")
