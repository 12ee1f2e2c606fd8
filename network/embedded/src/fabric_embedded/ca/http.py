"""Fabric CA's REST interface over `CaService`, as an ASGI application.

Source: Fabric CA v1.5 `lib/serverendpoint.go`, `lib/server*.go`.
Every path exists with and without `/api/v1`.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fabric_embedded.ca import errors as ca_errors
from fabric_embedded.ca.errors import CaError, authentication_failure, not_supported
from fabric_embedded.ca.requests import EnrollRequest, RegisterRequest, ca_name
from fabric_embedded.ca.service import CaService
from fabric_embedded.ca.store import RegisteredIdentity
from fabric_embedded.ca.token import check_token

_LOG = logging.getLogger(__name__)
_VERSION = "fabric-embedded 0.1.0"
_MAX_BODY_BYTES = 1 << 20
_CREATED, _OK = 201, 200

_Handler = Callable[[CaService, Request, bytes], Awaitable[object]]


def ca_application(service: CaService) -> Starlette:
    """The ASGI application of one organization's CA."""
    table: list[tuple[str, list[str], _Handler, int]] = [
        ("/cainfo", ["GET", "POST"], _cainfo, _OK),
        ("/enroll", ["POST"], _enroll, _CREATED),
        ("/reenroll", ["POST"], _reenroll, _CREATED),
        ("/register", ["POST"], _register, _CREATED),
        ("/identities", ["GET"], _identities, _OK),
        ("/identities/{id:path}", ["GET"], _identity, _OK),
    ]
    missing = ["/revoke", "/gencrl", "/certificates", "/affiliations", "/affiliations/{name:path}"]
    table += [(path, ["GET", "POST", "PUT", "DELETE"], _missing, _OK) for path in missing]
    routes = [
        Route(prefix + path, _endpoint(service, handler, status), methods=methods)
        for path, methods, handler, status in table
        for prefix in ("", "/api/v1")
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _unrouted})


def _endpoint(
    service: CaService, handler: _Handler, success: int
) -> Callable[[Request], Awaitable[Response]]:
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


async def _cainfo(service: CaService, _request: Request, _body: bytes) -> object:
    return _server_info(service)


async def _enroll(service: CaService, request: Request, body: bytes) -> object:
    identity = await service.log_in(*_basic(request))
    return _enrolled(service, service.enroll(identity, EnrollRequest.from_body(body), counted=True))


async def _reenroll(service: CaService, request: Request, body: bytes) -> object:
    identity = _caller(service, request, body)
    return _enrolled(service, service.enroll(identity, EnrollRequest.from_body(body), counted=False))


async def _register(service: CaService, request: Request, body: bytes) -> object:
    registrar = _caller(service, request, body)
    return {"secret": await service.register(registrar, RegisterRequest.from_body(body))}


async def _identities(service: CaService, request: Request, body: bytes) -> object:
    found = service.identities(_caller(service, request, body))
    return {"identities": [_identity_document(identity) for identity in found], "caname": service.name}


async def _identity(service: CaService, request: Request, body: bytes) -> object:
    found = service.identity(_caller(service, request, body), request.path_params["id"])
    return {**_identity_document(found), "caname": service.name}


async def _missing(service: CaService, request: Request, body: bytes) -> object:
    _caller(service, request, body)
    raise not_supported(request.url.path.rpartition("/api/v1")[2])


def _caller(service: CaService, request: Request, body: bytes) -> RegisteredIdentity:
    token = _authorization(request)
    uri = request.scope["raw_path"].decode("ascii")
    if request.scope["query_string"]:
        uri += "?" + request.scope["query_string"].decode("ascii")
    return service.caller(check_token(token, request.method, uri, body))


def _basic(request: Request) -> tuple[str, str]:
    scheme, _, encoded = _authorization(request).partition(" ")
    try:
        identity, separator, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise authentication_failure("no user and password in the authorization header") from error
    if scheme.lower() != "basic" or not separator:
        raise authentication_failure("no user and password in the authorization header")
    return identity, secret


def _authorization(request: Request) -> str:
    value = request.headers.get("authorization", "")
    if not value:
        raise CaError(401, ca_errors.NO_AUTHORIZATION_HEADER, "No authorization header")
    return value


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BODY_BYTES:
            raise ca_errors.bad_body(f"more than {_MAX_BODY_BYTES} bytes")
    return body


def _enrolled(service: CaService, pem: bytes) -> object:
    return {"Cert": base64.b64encode(pem).decode(), "ServerInfo": _server_info(service)}


def _server_info(service: CaService) -> dict[str, str]:
    return {
        "CAName": service.name,
        "CAChain": base64.b64encode(service.authority.pem).decode(),
        "IssuerPublicKey": "",
        "IssuerRevocationPublicKey": "",
        "Version": _VERSION,
    }


def _identity_document(identity: RegisteredIdentity) -> dict[str, object]:
    return {
        "id": identity.id,
        "type": identity.type,
        "affiliation": "",
        "attrs": [attribute.to_dict() for attribute in identity.attributes],
        "max_enrollments": identity.max_enrollments,
    }


def _envelope(result: object, status: int) -> Response:
    return JSONResponse({"result": result, "errors": [], "messages": [], "success": True}, status)


def _refusal(error: CaError) -> Response:
    errors = [{"code": error.remote_code, "message": error.message}]
    return JSONResponse({"result": "", "errors": errors, "messages": [], "success": False}, error.status)


async def _unrouted(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return _refusal(CaError(405, ca_errors.METHOD_NOT_ALLOWED, f"Method {request.method} is not allowed"))
    return _refusal(CaError(status, ca_errors.UNKNOWN, "No such endpoint"))
