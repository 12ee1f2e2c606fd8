"""The server's and the officer's side of a signature, joined in memory over the contracts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest
from fabric_protos.gateway import gateway_pb2
from starlette.applications import Starlette
from starlette.routing import Mount
from support.ledger_gateway import LedgerGateway

from consentry.errors import ConsentryError
from consentry.identity import WalletIdentity
from consentry.ledger import Ledger
from consentry.request_signatures import WEB_SIGN, RequestVerifier
from consentry.web import texts
from consentry.web.actions import Action, Call, Statement
from consentry.web.signing import wire
from consentry.web.signing.address import WebAddress
from consentry.web.signing.desk import Desk
from consentry.web.signing.pending import Pending
from consentry.web.signing.relay import Relay
from consentry.web.signing.relay_application import relay_application
from consentry.web.signing.server_connection import ServerConnection
from consentry.web.signing.signer import Signer

ADDRESS = WebAddress("https://web.northgate.example", "")
WORDS = partial(texts.text, "en")


@dataclass
class SigningBench:
    """A desk and a relay of Northgate's, and signers that reach them.

    `shown` has the statements that were confirmed; `committed` the actions that the relay saw committed;
    `alter` may change the bodies of requests on their way; `before` is what the server does before a call.
    """

    gateway: LedgerGateway
    shown: list[Statement] = field(default_factory=list)
    committed: list[Pending] = field(default_factory=list)
    alter: Callable[[str, bytes], bytes] = lambda path, body: body
    before: Callable[[Call], None] = lambda call: None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.desk = Desk("consentry", "consentry", self.now)
        self.relay = Relay(self.gateway, self.committed.append, lambda call: self.before(call))  # noqa: PLW0108 - tests change it
        members = lambda: self.gateway.memory._channel.config.msps  # noqa: E731
        verifier = RequestVerifier("NorthgateMSP", members, self.now, tag=WEB_SIGN)
        application = relay_application(self.desk, self.relay, verifier, lambda address: None)
        self._server = Starlette(routes=[Mount(wire.PREFIX, application)])
        # A second later than the verifier's start: what came before that may have been seen.
        self.seconds = 1.0

    def now(self) -> float:
        return self.gateway.memory.time.timestamp() + self.seconds

    def offer(self, identity: WalletIdentity, *calls: Call, form: str = "form") -> Pending:
        return self.desk.offer(identity.serialized, calls, form=form, came_from="/grants")

    def connection(self, identity: WalletIdentity) -> ServerConnection:
        clock = lambda: self.gateway.memory.time  # noqa: E731
        transport = httpx.MockTransport(self._pass_on)
        return ServerConnection(ADDRESS, "NorthgateMSP", identity, clock, transport)

    def sign(self, identity: WalletIdentity, code: str, *, yes: bool = True, **options: Any) -> list[str]:
        """Sign an action with an identity's key; return the functions committed."""
        clock = lambda: self.gateway.memory.time  # noqa: E731
        signer = Signer(identity, options.get("channel", "consentry"), "consentry", clock)

        def confirm(statement: Statement) -> bool:
            self.shown.append(statement)
            return yes

        connection = self.connection(identity)
        try:
            return list(signer.sign(connection, code, WORDS, confirm))
        finally:
            connection.close()

    def post(self, name: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """A request as anybody could make it."""
        return asyncio.run(self._answered(f"{wire.PREFIX}/{name}", body, headers))

    def _pass_on(self, request: httpx.Request) -> httpx.Response:
        body = self.alter(request.url.path, request.read())
        answer = asyncio.run(self._answered(request.url.path, body, dict(request.headers)))
        return httpx.Response(answer.status_code, content=answer.content)

    async def _answered(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        headers.pop("content-length", None)
        transport = httpx.ASGITransport(app=self._server)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS.url) as client:
            return await client.post(path, content=body, headers=headers)


def call(function: str, argument: Any, **fields: Any) -> Call:
    """A call with one argument: text or a record."""
    data = argument.encode() if isinstance(argument, str) else argument.to_bytes()
    return Call((function.encode(), data), **fields)


@dataclass
class Shared:
    """A dataset of Northgate's, Riverside's request for it, and the grant."""

    steward: Ledger
    version_id: str
    request_id: str
    grant_id: str


def revocation(shared: Shared) -> Call:
    """The call that revokes the grant."""
    return call("grants:revoke", shared.grant_id)


@contextmanager
def raising(code: str) -> Iterator[None]:
    """The block raises an error of this code."""
    with pytest.raises(ConsentryError) as caught:
        yield
    assert caught.value.code == code


class Altered:
    """A transport some of whose calls are other ones."""

    def __init__(self, honest: Any, **calls: Any) -> None:
        self._honest = honest
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.get(name) or getattr(self._honest, name)


def endorse_request(proposal: Any, officer: WalletIdentity) -> Any:
    """A proposal signed, as its signer has it passed on."""
    proposed = gateway_pb2.ProposedTransaction.FromString(proposal.to_bytes())
    proposed.proposal.signature = officer.sign(proposal.data)
    return gateway_pb2.EndorseRequest(
        transaction_id=proposal.transaction_id,
        channel_id="consentry",
        proposed_transaction=proposed.proposal,
        endorsing_organizations=proposal.endorsing_organizations,
    )


def fields_of(action: Action) -> dict[str, Any]:
    """The fields of an action, to make an altered one of."""
    return {name: getattr(action, name) for name in action.__dataclass_fields__}
