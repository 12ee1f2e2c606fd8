"""Health and metrics of the engine over plain HTTP on this machine, as Fabric's operations service has them.

`GET /healthz` answers 200 with {"status": "OK"}, or 503 with what is missing, by component. `GET /metrics`
answers in Prometheus's text format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fabric_embedded.metrics import CONTENT_TYPE, exposition


def operations_application(failed_checks: Callable[[], Mapping[str, str]]) -> Starlette:
    """The operations endpoint.

    Parameters:
        failed_checks: reasons by component; empty when all is well.
    """

    async def health(_request: Request) -> Response:
        failed = failed_checks()
        if not failed:
            return JSONResponse({"status": "OK"})
        checks = [{"component": component, "reason": reason} for component, reason in sorted(failed.items())]
        return JSONResponse({"status": "Service Unavailable", "failed_checks": checks}, 503)

    async def metrics(_request: Request) -> Response:
        return Response(exposition(), media_type=CONTENT_TYPE)

    return Starlette(routes=[Route("/healthz", health), Route("/metrics", metrics)])
