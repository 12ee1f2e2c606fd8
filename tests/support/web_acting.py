"""What an officer does with an action in a browser: read it, sign it with the wallet, see what came of it."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from support.web_site import Site


def digest_on(page: Page) -> str:
    """The digest that the page of an action shows."""
    return "".join(page.locator("code.digest").inner_text().split())


def code_on(page: Page) -> str:
    """The code by which the wallet fetches the action of a page."""
    return page.locator("pre.command").first.inner_text().split()[-1]


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


def act(site: Site, page: Page, name: str, words: str, who: str = "northgate/dpo") -> None:
    """Press the button of a form by the end of its action, read what will happen, and sign it."""
    page.locator(f'form[action$="/{name}"] button, button[formaction$="/{name}"]').first.click()
    page.wait_for_url("**/actions/*")
    expect(page.locator("main")).to_contain_text(words)
    signed(site, page, who)
