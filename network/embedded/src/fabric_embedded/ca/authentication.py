"""Who sends a request: HTTP Basic for `enroll`, Fabric CA's token for all others."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request

from fabric_embedded.ca.errors import NO_AUTHORIZATION_HEADER, CaError, authentication_failure
from fabric_embedded.ca.service import Caller, CaService
from fabric_embedded.ca.token import check_token


def token_caller(service: CaService, request: Request, body: bytes) -> Caller:
    """Who signed a request.

    Raises:
        CaError: authentication failure.
    """
    token = _authorization(request)
    uri = request.scope["raw_path"].decode("ascii")
    if request.scope["query_string"]:
        uri += "?" + request.scope["query_string"].decode("ascii")
    return service.caller(check_token(token, request.method, uri, body))


def basic_credentials(request: Request) -> tuple[str, str]:
    """Enrolment id and secret of a request.

    Raises:
        CaError: authentication failure.
    """
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
        raise CaError(401, NO_AUTHORIZATION_HEADER, "No authorization header")
    return value
