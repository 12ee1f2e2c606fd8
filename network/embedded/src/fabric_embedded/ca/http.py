"""Fabric CA's REST interface over `CaService`, as an ASGI application.

Source: Fabric CA v1.5 `lib/serverendpoint.go`, `lib/server*.go`.
Every path exists with and without `/api/v1`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from fabric_embedded.ca import errors as ca_errors
from fabric_embedded.ca.errors import CaError
from fabric_embedded.ca.handlers import HANDLERS, Handler
from fabric_embedded.ca.requests import ca_name
from fabric_embedded.ca.service import CaService

_LOG = logging.getLogger(__name__)
_MAX_BODY_BYTES = 1 << 20


def ca_application(service: CaService) -> Starlette:
    """The ASGI application of one organization's CA."""
    routes = [
        Route(prefix + path, _endpoint(service, handler, status), methods=[method])
        for method, path, handler, status in HANDLERS
        for prefix in ("", "/api/v1")
    ]
    application = Starlette(routes=routes, exception_handlers={HTTPException: _unrouted})
    application.router.redirect_slashes = False
    return application


def _endpoint(service: CaService, handler: Handler, success: int) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = await _body(request)
            name = ca_name(request.query_params.get("ca", ""), body)
            if name not in ("", service.name):
                raise CaError(404, ca_errors.CA_NOT_FOUND, f"CA '{name}' does not exist", "unknown CA")
            answer = _envelope(await handler(service, request, body), success)
        except CaError as error:
            answer = _refusal(error)
            _LOG.info(
                "ca refused", extra={"ca": service.name, "status": error.status, "reason": error.reason}
            )
        return answer

    return endpoint


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BODY_BYTES:
            raise ca_errors.bad_body(f"more than {_MAX_BODY_BYTES} bytes")
    return body


def _envelope(result: object, status: int) -> Response:
    return JSONResponse({"result": result, "errors": [], "messages": [], "success": True}, status)


def _refusal(error: CaError) -> Response:
    errors = [{"code": error.remote_code, "message": error.message}]
    return JSONResponse({"result": "", "errors": errors, "messages": [], "success": False}, error.status)


async def _unrouted(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return _refusal(CaError(405, ca_errors.METHOD_NOT_ALLOWED, f"Method {request.method} is not allowed"))
    return PlainTextResponse(f"{status} page not found\n", status)
