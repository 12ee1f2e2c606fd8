"""What every request passes before its page: a session of somebody who is a member still, no forged forms."""

from __future__ import annotations

import hmac
from typing import cast
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from consentry.web.errors import PageRefused, SignInNeeded
from consentry.web.officer import own_member
from consentry.web.sessions import COOKIE, Session, Sessions
from consentry.web.settings import WebSettings

PUBLIC = frozenset({"/sign-in", "/sign-in/certificate", "/language", "/healthz", "/static/{digest}/{name}"})
"""Routes that need nobody to be signed in; all others do."""
_SAFE = frozenset({"GET", "HEAD"})


def identify(request: Request) -> None:
    """Find the session; raises SignInNeeded where a page needs an officer and there is none any more."""
    sessions: Sessions = request.app.state.sessions
    value = request.cookies.get(COOKIE, "")
    session = sessions.find(value) if value else None
    request.state.session = session
    if session is not None and session.officer is not None:
        _check_still_member(request, sessions, session)
    is_public = request.scope["route"].path in PUBLIC
    if not is_public and (session is None or session.officer is None):
        raise SignInNeeded


def _check_still_member(request: Request, sessions: Sessions, session: Session) -> None:
    """A certificate that was revoked or ended takes its sessions with it."""
    settings: WebSettings = request.app.state.settings
    officer = session.officer
    assert officer is not None  # noqa: S101 - the caller asked
    try:
        own_member(settings.members(), officer.serialized, settings.clock().timestamp(), settings.msp_id)
    except PageRefused:
        sessions.end(session)
        request.state.session = None
        raise SignInNeeded from None


async def refuse_forgeries(request: Request) -> None:
    """Refuse a form that no page of ours sent; raises PageRefused FORM_FORGED.

    Both must fit: the Origin that the browser states, and the session's token in the form (``csrf_token``)
    or in the header ``X-CSRF-Token``.
    """
    if request.method in _SAFE:
        return
    settings: WebSettings = request.app.state.settings
    session = cast("Session | None", getattr(request.state, "session", None))
    given = request.headers.get("x-csrf-token", "")
    if not given:
        tokens = (await request.form()).getlist("csrf_token")
        given = tokens[0] if len(tokens) == 1 and isinstance(tokens[0], str) else ""
    is_own = _is_from_own_page(request, settings.origin)
    expected = session.csrf_token if session is not None else ""
    if not (is_own and expected and hmac.compare_digest(given.encode(), expected.encode())):
        raise PageRefused(403, "FORM_FORGED", "the form is not one of this session")


def _is_from_own_page(request: Request, own: str) -> bool:
    """Whether the browser says that a page of ours sent this.

    Where pages hide their address (Referrer-Policy) forms have the origin ``null``: Sec-Fetch-Site tells.
    """
    origin = request.headers.get("origin")
    return origin == own or (origin == "null" and request.headers.get("sec-fetch-site") == "same-origin")


def set_session(response: Response, value: str) -> None:
    """Give the browser its session's cookie."""
    response.set_cookie(COOKIE, value, secure=True, httponly=True, samesite="strict", path="/")


def clear_session(response: Response) -> None:
    """Take the cookie from the browser."""
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict", path="/")


def wanted_page(request: Request) -> str:
    """The page that a request asked for, as a path of ours; the first page for anything else."""
    query = f"?{request.url.query}" if request.url.query else ""
    target = f"{request.url.path}{query}"
    parts = urlsplit(target)
    is_own = not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith("//")
    return target if request.method == "GET" and is_own else "/"
