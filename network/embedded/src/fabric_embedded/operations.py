"""Health, metrics and version of the engine over plain HTTP, as Fabric's operations service has them.

`GET /healthz` answers 200 with {"status": "OK", "time": …}, or 503 with what is missing, by component;
`GET /metrics` in Prometheus's text format; `GET /version` what runs here, and as which Fabric it behaves.
Log levels (`/logspec`) are set at start.

Source: Fabric `core/operations`, fabric-lib-go `healthz`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from fabric_embedded.metrics import CONTENT_TYPE, exposition

FABRIC_VERSION = "v3.1.5"
"""The version of Fabric whose answers the engine gives."""

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


async def _no_page(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("404 page not found\n", 404)
