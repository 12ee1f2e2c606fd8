"""Health, metrics and version of the engine over plain HTTP, as Fabric's operations service has them.

`GET /healthz` answers 200 with {"status": "OK", "time": …}, or 503 with what is missing, by component;
`GET /metrics` in Prometheus's text format; `GET /version` what runs here, and as which Fabric it behaves.
`GET /logspec` answers {"spec": …}, and `PUT /logspec` with the same changes what is logged (`log_levels`).

Source: Fabric `core/operations`, fabric-lib-go `healthz`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from fabric_embedded.logs import log_levels, set_log_levels
from fabric_embedded.metrics import CONTENT_TYPE, exposition

FABRIC_VERSION = "v3.1.5"
"""The version of Fabric whose answers the engine gives."""

_LARGEST_BODY_BYTES = 65_536
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def operations_application(failed_checks: Callable[[], Mapping[str, str]]) -> Starlette:
    """The operations endpoint.

    Parameters:
        failed_checks: reasons by component; empty when all is well.
    """

    async def health(request: Request) -> Response:
        if request.method != "GET":
            return Response(status_code=405)
        failed = failed_checks()
        time = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        if not failed:
            return JSONResponse({"status": "OK", "time": time})
        checks = [{"component": component, "reason": reason} for component, reason in sorted(failed.items())]
        return JSONResponse({"status": "Service Unavailable", "time": time, "failed_checks": checks}, 503)

    async def metrics(_request: Request) -> Response:
        return Response(exposition(), media_type=CONTENT_TYPE)

    application = Starlette(
        routes=[
            Route("/healthz", health, methods=_METHODS),
            Route("/metrics", metrics, methods=_METHODS),
            Route("/version", _version, methods=_METHODS),
            Route("/logspec", _log_specification, methods=_METHODS),
        ],
        exception_handlers={HTTPException: _no_page},
    )
    # As in Fabric, another path is another path, with or without a slash at its end.
    application.router.redirect_slashes = False
    return application


async def _version(request: Request) -> Response:
    if request.method != "GET":
        return JSONResponse({"Error": f"invalid request method: {request.method}"}, 400)
    engine = f"fabric-embedded {version('fabric-embedded')}"
    return JSONResponse({"CommitSHA": engine, "Version": FABRIC_VERSION})


async def _log_specification(request: Request) -> Response:
    if request.method == "GET":
        return JSONResponse({"spec": log_levels.specification()})
    if request.method != "PUT":
        return JSONResponse({"error": f"invalid request method: {request.method}"}, 400)
    try:
        set_log_levels(_wanted_specification(await _bounded_body(request)))
    except ValueError as error:
        return JSONResponse({"error": str(error)}, 400)
    return Response(status_code=204)


async def _bounded_body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BODY_BYTES:
            raise ValueError(f"expected at most {_LARGEST_BODY_BYTES} bytes")
    return body


def _wanted_specification(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ValueError("expected a JSON object") from error
    wanted = document.get("spec", "") if isinstance(document, dict) else None
    if not isinstance(wanted, str):
        raise ValueError('expected a JSON object with text under "spec"')
    return wanted


async def _no_page(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("404 page not found\n", 404)
