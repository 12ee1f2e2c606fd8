"""The pages as a process of their own, and a browser without scripts before them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from support.running_consortium import RunningConsortium
from support.web_bench import hidden_value
from typer.testing import CliRunner, Result

from consentry.cli.main import app
from consentry.web.signing.address import WebAddress


@contextmanager
def serving_pages(consortium: RunningConsortium, organization: str, label: str) -> Iterator[WebAddress]:
    """An organization's pages on a free port, served by one of its identities; stopped afterwards."""
    consortium.identity(organization, label)
    place = WebAddress.file(consortium.profile, organization)
    place.unlink(missing_ok=True)
    command = [sys.executable, "-m", "consentry", "--network", str(consortium.directory)]
    command += ["--index", f"sqlite:///{consortium.directory / f'web-{organization}.sqlite'}"]
    command += ["--as", f"{organization}/{label}", "web", "serve", "--port", "0"]
    log = consortium.directory / "logs" / f"web-{organization}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        while not place.exists():
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield WebAddress.of(consortium.profile, organization)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


@dataclass
class Person:
    """Somebody at a browser, with a wallet beside it."""

    consortium: RunningConsortium
    organization: str
    role: str
    address: WebAddress
    client: httpx.Client = field(init=False)
    page: httpx.Response = field(init=False)

    def __post_init__(self) -> None:
        self.consortium.identity(self.organization, self.role)
        self.client = httpx.Client(
            base_url=self.address.url, verify=self.address.tls(), timeout=60, trust_env=False
        )
        self.get("/sign-in")
        code = self.page.text.partition("web sign-in ")[2].partition("<")[0]
        answer = self.command("web", "sign-in", code, "--yes", "--json")
        assert answer.exit_code == 0, answer.output
        assert self.post("/sign-in", answer=json.loads(answer.stdout)["answer"]).status_code == 303
        self.get("/")

    def command(self, *arguments: str, typed: str | None = None) -> Result:
        """Run `consentry` as this person."""
        who = f"{self.organization}/{self.role}"
        shared = ["--network", str(self.consortium.directory), "--as", who]
        return CliRunner().invoke(app, [*shared, *arguments], input=typed)

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        self.page = self.client.get(path)
        return self.page

    def post(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form of the page that is open."""
        hidden = {name: hidden_value(self.page.text, name) for name in ("csrf_token", "form")}
        data = {name: value for name, value in (hidden | fields).items() if value}
        return self.client.post(path, data=data, headers={"origin": self.address.url})

    def act(self, page: str, path: str, **fields: Any) -> str:
        """Send a form, sign what it leads to with the wallet; the page's text once it is on the ledger."""
        self.get(page)
        assert self.page.status_code == 200, self.page.text
        answer = self.post(path, **fields)
        assert answer.status_code == 303, answer.text
        shown = self.get(answer.headers["location"]).text
        digest = "".join(shown.partition('class="digest">')[2].partition("<")[0].split())
        signed = self.command("web", "sign", code_on(shown), "--digest", digest)
        assert signed.exit_code == 0, signed.output
        return self.get(answer.headers["location"]).text

    def close(self) -> None:
        """Close the browser."""
        self.client.close()


def code_on(page: str) -> str:
    """The code that a page shows for the signer."""
    return page.partition("web sign ")[2].partition("<")[0]


def wait_for(consortium: RunningConsortium, person: Person, path: str, text: str, seconds: float = 60) -> str:
    """Open a page until it says something: the index follows the ledger within a second or two."""
    end = time.monotonic() + seconds
    while text not in person.get(path).text:
        assert time.monotonic() < end, person.page.text
        time.sleep(0.2)
    return person.page.text


def log_of(consortium: RunningConsortium, organization: str) -> str:
    """What a pages' process wrote."""
    return Path(consortium.directory / "logs" / f"web-{organization}.log").read_text()
