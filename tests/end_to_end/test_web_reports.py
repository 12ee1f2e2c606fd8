"""Reports as they are read: in a real browser, at a desk and on paper, on the demo's ledger."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.accessibility import barriers
from support.web_site import PICTURES, Site

pytestmark = [pytest.mark.optional_tool("chromium"), pytest.mark.timeout(600)]

ABOUT = {"subject-access": "", "consent-evidence": "", "dataset-access-log": "wdbc-northgate"}
"""Reports, those with the narrowest columns among them, and what they are about if not somebody."""
WIDTHS = {"screen": 1280, "print": 1032}
"""Pixels: of a desk's window, and of A4 across between its margins of 12 mm."""
RUN_OUT = """() => [...document.querySelectorAll("th, td")]
  .filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.innerText)"""
BROKEN = """() => [...document.querySelectorAll(".whole")]
  .filter(part => part.offsetHeight > 1.7 * parseFloat(getComputedStyle(part).lineHeight))
  .map(part => part.closest("td, th").innerText)"""
"""Days and times of a day that their columns are too narrow for."""


@pytest.mark.parametrize("name", ABOUT)
def test_nothing_runs_out_of_its_column(site: Site, tmp_path: Path, name: str, optional_tool) -> None:
    optional_tool("node")
    file = tmp_path / "report.html"
    about = [ABOUT[name]] if ABOUT[name] else ["--subject", site.people()[0][1]]
    site.consentry("--as", "northgate/dpo", "report", name, *about, "--output", str(file))
    with site.visitor() as page:
        page.goto(file.as_uri())
        assert barriers(page) == []
        for medium, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(media="screen" if medium == "screen" else "print")
            page.screenshot(path=PICTURES / f"report_{name}.{medium}.png", full_page=True)
            assert page.evaluate(RUN_OUT) == []
            assert page.evaluate(BROKEN) == []
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width
