"""Northgate's pages served by the installed command, and a browser in front of them."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page
from support.browser import officer_at, running_browser, shoot, sign_in
from support.installed_command import CONSENTRY, environment, run_consentry

PICTURES = Path(__file__).parents[2] / "build" / "pages"
"""Where pictures of the pages are kept, to be looked at."""
_STOP_SECONDS = 60


@dataclass
class Site:
    """Pages of a network directory at a URL; `log` is what the server said."""

    directory: Path
    url: str
    browser: Browser
    log: Path

    @contextmanager
    def visitor(self, **options: Any) -> Iterator[Page]:
        """A browser of somebody's own in which nobody is signed in; options as of Playwright's contexts."""
        with officer_at(self.browser, self.url, **options) as page:
            yield page

    @contextmanager
    def officer(self, who: str = "northgate/dpo", **options: Any) -> Iterator[Page]:
        """A browser in which somebody of the wallets is signed in."""
        with self.visitor(**options) as page:
            sign_in(page, self.directory, who)
            yield page

    def consentry(self, *arguments: str, status: int = 0) -> str:
        """Run the installed command on the network; what it printed."""
        return run_consentry("--network", str(self.directory), *arguments, status=status)

    def people(self) -> list[tuple[str, str]]:
        """Pseudonyms and commitments of northgate's register, in order; each test changes somebody else's."""
        place = self.directory / "custody" / "northgate" / "subjects.sqlite"
        with closing(sqlite3.connect(place)) as register:
            return register.execute(
                "SELECT pseudonym, commitment FROM subjects ORDER BY pseudonym"
            ).fetchall()

    def shoot(self, page: Page, name: str) -> None:
        """Keep pictures of a page: at a desk, in a hand, on paper."""
        shoot(page, PICTURES, name)


@dataclass
class Server:
    """Where the pages of a network directory are served, and what the server said."""

    directory: Path
    url: str
    log: Path


@contextmanager
def running_server(directory: Path, who: str = "northgate/service") -> Iterator[Server]:
    """Serve the pages of somebody's organization until it is left."""
    log = directory / f"web-{who.partition('/')[0]}.log"
    with log.open("wb") as output:
        command = [CONSENTRY, "--network", str(directory), "--as", who]
        server = subprocess.Popen(
            [*command, "web", "serve", "--port", "0", "--client-certificates"],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        try:
            yield Server(directory, _announced(server), log)
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=_STOP_SECONDS)
    assert server.returncode == 0, log.read_text()


@contextmanager
def browsed(server: Server) -> Iterator[Site]:
    """A browser in front of the pages. While it runs, its event loop is this thread's: no other can run."""
    with running_browser() as browser:
        yield Site(server.directory, server.url, browser, server.log)


def _announced(server: subprocess.Popen[str]) -> str:
    """The URL that the server says it is reached at."""
    assert server.stderr is not None
    said: list[str] = []
    for line in server.stderr:
        said.append(line)
        if " at https://" in line:
            return line.partition(" at ")[2].partition(";")[0].strip()
    raise AssertionError(f"the server ended with {server.wait()} before it listened: {''.join(said)}")
