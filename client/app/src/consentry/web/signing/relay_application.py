"""The server's side for the signer: fetch an action by its code, have its steps passed on, decline it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from consentry.errors import ConsentryError
from consentry.request_signatures import RequestRefused, RequestVerifier, SignedRequest
from consentry.web.actions import ActionRefused
from consentry.web.signing import wire
from consentry.web.signing.desk import Desk
from consentry.web.signing.relay import REQUESTS, Relay, give_up_refused
from fabric_gateway.errors import CommitStatusError
from fabric_gateway.failures import StatusFailure

_log = logging.getLogger(__name__)
_CONFLICT = 409
Answer = Callable[[bytes, bytes], dict[str, Any]]
"""From the caller's serialized identity and the body to the answer."""


def relay_application(
    desk: Desk, relay: Relay, verifier: RequestVerifier, check_rate: Callable[[str], None]
) -> Starlette:
    """Return what the pages' application has under `wire.PREFIX`; no browser is served here.

    Args:
        desk: the actions.
        relay: passes steps on.
        verifier: says who signed a request.
        check_rate: counts a request of an address; raises where there are too many.
    """

    def action(caller: bytes, body: bytes) -> dict[str, Any]:
        (code,) = wire.document(body, "code")
        pending = desk.of_code(caller, _text(code))
        found = desk.fetch(pending)
        return {"action": wire.encoded(found.to_bytes()), "step": pending.step}

    def decline(caller: bytes, body: bytes) -> dict[str, Any]:
        code, is_refused = wire.document(body, "code", "refused")
        pending = desk.of_code(caller, _text(code))
        if is_refused is True:
            give_up_refused(pending)
            return {"ended": True}
        return {"ended": desk.give_up(pending, at_signer=True)}

    def passed_on(step: str) -> Answer:
        def pass_on(caller: bytes, body: bytes) -> dict[str, Any]:
            code, request = wire.document(body, "code", "request")
            pending = desk.of_code(caller, _text(code))
            try:
                return {"response": wire.encoded(relay.relay(pending, step, wire.decoded(request)))}
            except StatusFailure as failure:
                return {"failure": wire.failure_document(failure)}
            except CommitStatusError as error:
                return {"failure": wire.failure_document(StatusFailure(error.code, error.message))}

        return pass_on

    def route(name: str, answer: Answer) -> Route:
        async def endpoint(request: Request) -> JSONResponse:
            return await _answered(request, answer, verifier, check_rate)

        return Route(f"/{name}", endpoint, methods=["POST"])

    answers = {"action": action, "decline": decline, **{step: passed_on(step) for step in REQUESTS}}
    return Starlette(routes=[route(name, answer) for name, answer in answers.items()])


async def _answered(
    request: Request, answer: Answer, verifier: RequestVerifier, check_rate: Callable[[str], None]
) -> JSONResponse:
    try:
        check_rate(request.client.host if request.client is not None else "")
        body = await request.body()
        headers = _headers(request)
        signed = SignedRequest(request.method, request.url.path, headers, body)

        def answered() -> dict[str, Any]:
            return answer(verifier.caller(signed).serialized, body)

        return JSONResponse(await run_in_threadpool(answered))
    except ConsentryError as error:
        _log.info("a signer's request was refused: %s", error.code)
        status = getattr(error, "status", _CONFLICT)
        if isinstance(error, RequestRefused | ActionRefused) or hasattr(error, "status"):
            return JSONResponse({"code": error.code, "message": error.message}, status)
        return JSONResponse({"code": error.code, "message": "the server cannot do this now"}, 503)


def _headers(request: Request) -> dict[str, str]:
    """Headers by name; one that comes twice is as good as absent."""
    names = [name.decode("latin-1").lower() for name, _ in request.headers.raw]
    return {name: value for name, value in request.headers.items() if names.count(name) == 1}


def _text(value: object) -> str:
    if type(value) is not str:
        raise wire.invalid()
    return value
