"""The gate's HTTP interface: one signed request, answered with a stream of rows or with why there is none."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from consentry.access import reasons_in_words
from consentry.errors import ConsentryError, InputRejected, LedgerRefused
from consentry.gate.delivering import Delivery, Stopped
from consentry.gate.permits import DeniedOnLedger
from consentry.gate.service import Gate
from consentry.request_signatures import RequestRefused, SignedRequest

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "application/vnd.apache.arrow.stream"
MAXIMUM_BODY = 1024 * 1024
_WATCH_SECONDS = 0.5
_ANSWER_SECONDS = 2.0
_LAST_WORD_SECONDS = 1.0
_THREADS = 64
_NOT_THERE = frozenset({"ATTEMPT_NOT_FOUND", "VERSION_NOT_HELD"})
_OWN_FAULTS = frozenset({"STORE_DAMAGED", "STORAGE_FAILED", "KEYRING_DAMAGED", "VERSION_NOT_HELD"})
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


def application(gate: Gate, stopping: asyncio.Event) -> Starlette:
    """Return the ASGI application; deliveries end once `stopping` is set."""

    # Calls of the ledger block; a question that gets no answer must not keep others waiting.
    threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="consentry-gate")

    async def rows(request: Request) -> Any:
        try:
            body = await _body(request)
            signed = SignedRequest(request.method, request.url.path, _headers(request), body)
            caller = await _called(threads, lambda: gate.caller(signed))
            token, attempt_id = _token(body), request.path_params["attempt_id"]
            delivery = await _called(threads, lambda: gate.deliver(attempt_id, token, caller))
        except ConsentryError as error:
            return _refusal(error)
        return _DeliveryResponse(gate, delivery, stopping, threads)

    async def aggregates(request: Request) -> JSONResponse:
        try:
            body = await _body(request)
            signed = SignedRequest(request.method, request.url.path, _headers(request), body)
            caller = await _called(threads, lambda: gate.caller(signed))
            attempt_id = request.path_params["attempt_id"]
            return JSONResponse(await _called(threads, lambda: gate.aggregates(attempt_id, caller)))
        except ConsentryError as error:
            return _refusal(error)

    async def health(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[
            Route("/v1/attempts/{attempt_id}/rows", rows, methods=["POST"]),
            Route("/v1/attempts/{attempt_id}/aggregates", aggregates, methods=["POST"]),
            Route("/healthz", health, methods=["GET"]),
        ]
    )


class _DeliveryResponse:
    """Streams a delivery, watches whether it may go on, and has its end recorded whatever happens."""

    def __init__(
        self, gate: Gate, delivery: Delivery, stopping: asyncio.Event, threads: ThreadPoolExecutor
    ) -> None:
        self._gate = gate
        self._threads = threads
        self._delivery = delivery
        self._stopping = stopping
        self._is_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", MEDIA_TYPE.encode())]
        work = [
            asyncio.create_task(self._send_blocks(send, headers)),
            asyncio.create_task(self._watch()),
            asyncio.create_task(_disconnected(receive)),
            asyncio.create_task(self._stopped()),
        ]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            end = _end_of(next(task for task in work if task in done))
        except asyncio.CancelledError:
            end = "gate-stopped"
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        record, on_ledger = await _called(self._threads, lambda: self._gate.finish(self._delivery, end))
        if self._is_begun and end != "recipient-gone":
            last = self._delivery.last_bytes(record, on_ledger)
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(_send(send, last, more=False), _LAST_WORD_SECONDS)

    async def _send_blocks(self, send: Send, headers: list[tuple[bytes, bytes]]) -> str:
        self._is_begun = True
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _send(send, self._delivery.begin())
        while True:
            block = await _called(self._threads, self._delivery.next)
            if block is None:
                return "completed"
            if not self._gate.is_current(self._delivery):
                return "resumed"
            self._delivery.note(block)
            await _send(send, block.data)

    async def _watch(self) -> str:
        """Ask twice a second whether the delivery may go on; no answer within two seconds ends it too."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            loop = asyncio.get_running_loop()
            asked = loop.run_in_executor(self._threads, self._gate.over, self._delivery)
            done, _ = await asyncio.wait([asked], timeout=_ANSWER_SECONDS)
            if not done:
                return "ledger-unreachable"
            if (over := asked.result()) is not None:
                return over

    async def _stopped(self) -> str:
        await self._stopping.wait()
        return "gate-stopped"


def _end_of(task: asyncio.Task[str]) -> str:
    """The code of how a delivery ended by the task that ended first."""
    try:
        return task.result()
    except Stopped as stop:
        return stop.end
    except (OSError, ClientDisconnect):
        return "recipient-gone"
    except ConsentryError as error:
        _log.warning("a delivery ended: %s", error.code)
        return "failed" if error.code in _OWN_FAULTS else "ledger-unreachable"
    except Exception as error:
        _log.error("a delivery failed: %s", type(error).__name__)
        return "failed"


async def _called(threads: ThreadPoolExecutor, call: Callable[[], _Result]) -> _Result:
    """Run a call in a thread; cancelled, wait for its end first, for it works with what is used next."""
    future = asyncio.get_running_loop().run_in_executor(threads, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        if not future.cancelled():
            future.exception()
        raise


async def _disconnected(receive: Receive) -> str:
    while (await receive())["type"] != "http.disconnect":
        pass
    return "recipient-gone"


async def _send(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def _body(request: Request) -> bytes:
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > MAXIMUM_BODY:
            raise RequestRefused(413, "REQUEST_TOO_LARGE", f"a request has at most {MAXIMUM_BODY} bytes")
    return data


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
