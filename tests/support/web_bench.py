"""The pages over a small index, without a socket: officers with keys, a clock that stands, reads noted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine
from support.sample_organizations import Member, SampleOrganization

from consentry.index import ChangeRow
from consentry.web.action_settings import ActionSettings
from consentry.web.application import create_application
from consentry.web.challenges import Challenge
from consentry.web.network_state import NetworkState
from consentry.web.officer import Officer
from consentry.web.proving import Proved
from consentry.web.settings import WebSettings
from fabric_protocol.msp import Msp, MspManager
from fabric_protocol.signatures import sign

ORIGIN = "https://trail.northgate.example"
NORTHGATE = "NorthgateMSP"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


class WebBench:
    """Pages of Northgate; `reads` are what was put on record: (enrolment id, question, concerned)."""

    def __init__(
        self,
        engine: Engine,
        *,
        kind: str = "hospital",
        msp_id: str = NORTHGATE,
        actions: ActionSettings | None = None,
        **settings: Any,
    ) -> None:
        self.organization = SampleOrganization(msp_id)
        self.other = SampleOrganization("RiversideMSP")
        self.now = START
        self.members = MspManager([self._msp(self.organization), self._msp(self.other)])
        self.reads: list[tuple[str, str, list[str]]] = []
        self.signed: list[bytes] = []
        self.network = NetworkState(START, (), (), "")
        self.told: list[dict[str, Any]] = []
        self.prove: Callable[[ChangeRow], Proved] = _no_peer
        self.application = create_application(
            WebSettings(
                origin=ORIGIN,
                msp_id=msp_id,
                kind=kind,
                channel="consentry",
                engine=engine,
                members=lambda: self.members,
                reads=self._note,
                keep_sign_in=self.signed.append,
                prover=self,
                probe=lambda: self.network,
                clock=lambda: self.now,
                actions=actions,
                **settings,
            )
        )

    @staticmethod
    def _msp(organization: SampleOrganization) -> Msp:
        return organization.msp()

    def revoke(self, member: Member) -> None:
        """Put a member on its organization's revocation list."""
        crl = self.organization.revocation_list([member.certificate])
        self.members = MspManager([self.organization.msp(crls=[crl]), self._msp(self.other)])

    def pass_time(self, seconds: float) -> None:
        """Let the clock go on."""
        self.now += timedelta(seconds=seconds)

    def browser(self, address: str = "198.51.100.1", **headers: str) -> Browser:
        """A browser at some address."""
        return Browser(self, address, headers)

    def signed_in(self, *roles: str, organization: SampleOrganization | None = None) -> Browser:
        """A browser in which an officer with these roles is signed in."""
        browser = self.browser()
        answer = browser.sign_in(self.officer(*roles, organization=organization))
        assert answer.status_code == 303, answer.text
        return browser

    def officer(self, *roles: str, organization: SampleOrganization | None = None, **options: Any) -> Member:
        """A member with roles; valid when the bench's clock begins."""
        attributes = {"consentry.role": ",".join(roles)} if roles else {}
        made = organization or self.organization
        return made.member(
            "client", name="0f" * 16, attributes=attributes, start=START - timedelta(days=10), **options
        )

    def _note(self, officer: Officer, question: str, *, concerned: list[str], **told: Any) -> None:
        self.reads.append((officer.enrolment_id, question, concerned))
        self.told.append(told)


class Browser:
    """A browser as the pages see it: cookies, Origin, forms with their tokens."""

    def __init__(self, bench: WebBench, address: str, headers: dict[str, str]) -> None:
        self.bench = bench
        self.client = TestClient(
            bench.application,
            base_url=ORIGIN,
            follow_redirects=False,
            raise_server_exceptions=True,
            client=(address, 40000),
            headers=headers,
        )
        self.last: Response | None = None

    def get(self, path: str, **options: Any) -> Response:
        """Fetch a page."""
        self.last = self.client.get(path, **options)
        return self.last

    def post(self, path: str, token: str | None = None, origin: str = ORIGIN, **fields: str) -> Response:
        """Send a form with the token of the last page, or another one."""
        if token is None:
            token = hidden_value(self.last.text if self.last is not None else "", "csrf_token")
        data = {"csrf_token": token, **fields}
        return self.client.post(path, data=data, headers={"origin": origin})

    def challenge(self) -> Challenge:
        """The challenge on a new sign-in page."""
        return Challenge.from_code(self.get("/sign-in").text.partition("web sign-in ")[2].partition("<")[0])

    def sign_in(self, officer: Member) -> Response:
        """Sign in by a new challenge."""
        return self.post("/sign-in", answer=answer_to(self.challenge(), officer))


def answer_to(challenge: Challenge, officer: Member) -> str:
    """The answer of somebody's wallet."""
    from consentry.web.challenges import signed_answer

    class Signer:
        serialized = officer.serialized

        @staticmethod
        def sign(message: bytes) -> bytes:
            return sign(officer.key, message)

    return signed_answer(challenge, Signer())  # type: ignore[arg-type]


def hidden_value(html: str, name: str) -> str:
    """The value of a page's first hidden field of a name; empty if there is none."""
    found: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            values = dict(attributes)
            if tag == "input" and values.get("name") == name:
                found.append(values.get("value") or "")

    Parser().feed(html)
    return found[0] if found else ""


def _no_peer(change: ChangeRow) -> Proved:
    raise AssertionError(f"no proof of {change.record_id} was expected")
