"""What every answer carries, and what no request may: an ASGI middleware in front of all pages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)
MAXIMUM_BODY = 1024 * 1024
_LONGEST_TARGET = 4096
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = (
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("strict-transport-security", "max-age=31536000"),
)


class SecurityHeaders:
    """Adds the headers; refuses other hosts, long addresses and large bodies before anything reads them.

    Args:
        app: what is behind it.
        host: host and port that browsers ask for; another one is a rebinding or a forged link.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS:
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, _limited(receive), send_with_headers)
        except Exception as error:
            # What an error says may hold what was asked for: its kind is logged, and nothing else.
            _log.error("a page failed: %s", type(error).__name__)
            if not has_begun:
                failed = PlainTextResponse("PAGE_FAILED: tell the operator\n", 500)
                await failed(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = scope["headers"]
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if hosts != [self._host]:
            return PlainTextResponse("HOST_UNKNOWN: this is not the address of these pages\n", 421)
        if len(scope["query_string"]) + len(scope["path"]) > _LONGEST_TARGET:
            return PlainTextResponse("ADDRESS_TOO_LONG: the address is too long\n", 414)
        for name, value in headers:
            if name == b"content-length" and (not value.isdigit() or int(value) > MAXIMUM_BODY):
                return PlainTextResponse("REQUEST_TOO_LARGE: the request is too large\n", 413)
            if name == b"transfer-encoding":
                return PlainTextResponse("LENGTH_NEEDED: browsers say how long a form is\n", 411)
        return None


def _limited(receive: Receive) -> Receive:
    """Bodies without a length are refused above; one that is longer than it said ends here."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > MAXIMUM_BODY:
                return {"type": "http.disconnect"}
        return message

    return limited
