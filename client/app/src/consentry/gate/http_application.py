"""The gate's HTTP interface: one signed request, answered with a stream of rows or with why there is none."""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from consentry.access import reasons_in_words
from consentry.errors import ConsentryError, InputRejected, LedgerRefused
from consentry.gate.compute.attending import Attendance
from consentry.gate.compute.calls import Given
from consentry.gate.compute.response import ComputeResponse
from consentry.gate.compute.wire import MAXIMUM_CALL, read_call
from consentry.gate.permits import DeniedOnLedger
from consentry.gate.response import DeliveryResponse
from consentry.gate.service import Gate
from consentry.gate.supervision import called
from consentry.request_signatures import RequestRefused, SignedRequest
from fabric_protocol.identities import Identity

MAXIMUM_BODY = 1024 * 1024
_THREADS = 64
_NOT_THERE = frozenset({"ATTEMPT_NOT_FOUND", "VERSION_NOT_HELD"})
_log = logging.getLogger(__name__)


def application(gate: Gate, stopping: asyncio.Event) -> Starlette:
    """Return the ASGI application; deliveries end once `stopping` is set.

    `state.attendance` are the runs of functions, which outlive connections.
    """

    # Calls of the ledger block; a question that gets no answer must not keep others waiting.
    threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="consentry-gate")

    attendance = Attendance(gate, stopping, threads)

    async def asked(request: Request, most: int = MAXIMUM_BODY) -> tuple[bytes, Identity]:
        """The request's body, and who made it."""
        body = await _body(request, most)
        signed = SignedRequest(request.method, request.url.path, _headers(request), body)
        return body, await called(threads, lambda: gate.caller(signed))

    async def rows(request: Request) -> Any:
        try:
            body, caller = await asked(request)
            token, attempt_id = _token(body), request.path_params["attempt_id"]
            delivery = await called(threads, lambda: gate.deliver(attempt_id, token, caller))
        except ConsentryError as error:
            return _refusal(error)
        return DeliveryResponse(gate, delivery, stopping, threads)

    async def aggregates(request: Request) -> JSONResponse:
        try:
            _, caller = await asked(request)
            attempt_id = request.path_params["attempt_id"]
            return JSONResponse(await called(threads, lambda: gate.aggregates(attempt_id, caller)))
        except ConsentryError as error:
            return _refusal(error)

    async def computation(request: Request) -> Any:
        try:
            body, caller = await asked(request, MAXIMUM_CALL)
            attempt_id = request.path_params["attempt_id"]
            found = await called(threads, lambda: gate.compute(attempt_id, read_call(body), caller))
        except ConsentryError as error:
            return _refusal(error)
        return ComputeResponse(found if isinstance(found, Given) else attendance.of(found))

    async def health(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    served = Starlette(
        routes=[
            Route("/v1/attempts/{attempt_id}/rows", rows, methods=["POST"]),
            Route("/v1/attempts/{attempt_id}/aggregates", aggregates, methods=["POST"]),
            Route("/v1/attempts/{attempt_id}/computation", computation, methods=["POST"]),
            Route("/healthz", health, methods=["GET"]),
        ]
    )
    served.state.attendance = attendance
    return served


async def _body(request: Request, most: int) -> bytes:
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > most:
            raise RequestRefused(413, "REQUEST_TOO_LARGE", f"a request has at most {most} bytes")
    return bytes(data)


def _headers(request: Request) -> dict[str, str]:
    """Headers by name; one that comes twice is as good as absent."""
    names = [name.decode("latin-1").lower() for name, _ in request.headers.raw]
    return {name: value for name, value in request.headers.items() if names.count(name) == 1}


def _token(body: bytes) -> str | None:
    """The token to go on with; None from the start."""
    try:
        document = json.loads(body)
        token = document.pop("token")
        fits = not document and (token is None or type(token) is str)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fits = False
    if not fits:
        raise RequestRefused(400, "REQUEST_INVALID", 'expected {"token": text or null}')
    found: str | None = token
    return found


def _refusal(error: ConsentryError) -> JSONResponse:
    """The answer to a request that is not served: code and sentence, and a denial as the ledger has it."""
    document: dict[str, Any] = {"code": error.code, "message": error.message}
    if isinstance(error, DeniedOnLedger):
        words = list(reasons_in_words(error.decision))
        return JSONResponse({**document, "decision": error.decision.to_dict(), "reasons": words}, 403)
    _log.info("a request was refused: %s", error.code)
    if isinstance(error, RequestRefused):
        return JSONResponse(document, error.status)
    if error.code in _NOT_THERE:
        return JSONResponse(document, 404)
    if isinstance(error, LedgerRefused | InputRejected):
        return JSONResponse(document, 403)
    # What peers or files said is the operator's to read.
    vague = {"code": error.code, "message": "the gate cannot serve this now; nothing was given out"}
    return JSONResponse(vague, 503)
