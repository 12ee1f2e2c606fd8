"""A real browser for the pages: the distribution's Chromium, driven by Playwright."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from support.chromium import find_chromium

from consentry.profile import NetworkProfile
from consentry.wallet import Wallet
from consentry.web.challenges import Challenge, signed_answer

_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE_MILLISECONDS = 60_000
"""How long a page may take on a busy machine; whoever waits goes on as soon as it is there."""
SIZES = {"desktop": (1280, 900), "narrow": (390, 844)}


@contextmanager
def running_browser() -> Iterator[Browser]:
    """The browser, without a window."""
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def officer_at(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A browser of an officer's own: no cookies of others; the trial certificate is not known to it."""
    context: BrowserContext = browser.new_context(
        base_url=url, ignore_https_errors=True, **{"locale": "en-GB", **options}
    )
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    try:
        yield context.new_page()
    finally:
        context.close()


def sign_in(page: Page, network: Path, who: str) -> None:
    """Sign in with what the command would answer, which a busy machine takes long to start."""
    organization, label = who.split("/")
    identity = Wallet(NetworkProfile.load(network).wallet_directory(organization)).get(label)
    page.goto("/sign-in")
    code = page.locator("pre.command").inner_text().split()[-1]
    page.locator("#answer").fill(signed_answer(Challenge.from_code(code), identity))
    page.locator("main form button").first.click()
    page.wait_for_selector("form.officer")


def shoot(page: Page, directory: Path, name: str) -> None:
    """Keep pictures of a page: at a desk, in a hand, on paper."""
    directory.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=directory / f"{name}.{size}.png", full_page=True)
    page.set_viewport_size({"width": 794, "height": 1123})
    page.emulate_media(media="print")
    page.screenshot(path=directory / f"{name}.print.png", full_page=True)
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 900})
