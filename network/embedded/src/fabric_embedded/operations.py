"""Health of the engine over plain HTTP on this machine, in the form of Fabric's operations service.

`GET /healthz` answers 200 with {"status": "OK"}, or 503 with what is missing, by component.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_TIMEOUT_SECONDS = 2.0
ENGINE_COMPONENT = "engine"


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

    return Starlette(routes=[Route("/healthz", health)])


def chaincode_component(organization: str) -> str:
    """Name of the check that an organization's peer has its chaincode service."""
    return f"chaincode/{organization}"


def read_health(host: str, port: int) -> dict[str, str]:
    """Ask an engine for its health; reasons by component, empty when all is well."""
    url = f"http://{host}:{port}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
            answer.read()
            return {}
    except urllib.error.HTTPError as error:
        with error:
            checks = json.loads(error.read())["failed_checks"]
        return {check["component"]: check["reason"] for check in checks}
    except OSError:
        return {ENGINE_COMPONENT: "does not answer yet"}
