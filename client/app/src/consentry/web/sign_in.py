"""Signing in and out: a challenge signed by the wallet's key, or a client certificate."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from consentry.web import texts
from consentry.web.access import CurrentSession
from consentry.web.challenges import SECONDS, Challenges
from consentry.web.client_certificates import certified_officer
from consentry.web.errors import PageRefused
from consentry.web.guard import clear_session, set_session, wanted_page
from consentry.web.officer import Officer
from consentry.web.rate_limit import RateLimit
from consentry.web.rendering import LANGUAGE_COOKIE, page
from consentry.web.sessions import Session, Sessions

router = APIRouter()


@router.get("/sign-in")
def show_sign_in(request: Request) -> Response:
    """The page with a new challenge."""
    return sign_in_page(request)


def sign_in_page(request: Request, *, refused: PageRefused | None = None, is_ended: bool = False) -> Response:
    """A new challenge, and why there is need for one."""
    limit: RateLimit = request.app.state.challenge_limit
    limit.check(request.client.host if request.client is not None else "")
    sessions: Sessions = request.app.state.sessions
    session = cast("Session | None", getattr(request.state, "session", None))
    if session is not None and session.officer is not None:
        return RedirectResponse("/", 303)
    value = None
    if session is None:
        value, session = sessions.begin()
        request.state.session = session
    if is_ended:
        session.wanted = wanted_page(request)
    challenges: Challenges = request.app.state.challenges
    challenge = challenges.make(session.key)
    response = page(
        request,
        "sign_in.html",
        title_key="sign_in.title",
        status=refused.status if refused is not None else 200,
        challenge=challenge,
        seconds=SECONDS,
        refused=refused,
        has_certificate=certified_officer(request) is not None,
    )
    if value is not None:
        set_session(response, value)
    return response


@router.post("/sign-in")
def sign_in(request: Request, session: CurrentSession, answer: Annotated[str, Form()]) -> Response:
    """Check the answer to the session's challenge."""
    challenges: Challenges = request.app.state.challenges
    try:
        officer = challenges.answered(session.key, answer)
    except PageRefused as error:
        return sign_in_page(request, refused=error)
    return _signed_in(request, session, officer)


@router.post("/sign-in/certificate")
def sign_in_by_certificate(request: Request, session: CurrentSession) -> Response:
    """Sign in by the certificate that the browser proved to have when it connected."""
    officer = certified_officer(request)
    if officer is None:
        raise PageRefused(401, "CERTIFICATE_MISSING", "the browser showed no certificate of a member")
    return _signed_in(request, session, officer)


@router.post("/sign-out")
def sign_out(request: Request, session: CurrentSession) -> Response:
    """End the session."""
    sessions: Sessions = request.app.state.sessions
    sessions.end(session)
    response = RedirectResponse("/sign-in", 303)
    clear_session(response)
    return response


@router.post("/language")
def choose_language(language: Annotated[str, Form()]) -> Response:
    """Keep the language that a person chose."""
    if language not in texts.LANGUAGES:
        raise PageRefused(400, "FIELD_INVALID", f"language: expected one of {', '.join(texts.LANGUAGES)}")
    response = RedirectResponse("/", 303)
    response.set_cookie(LANGUAGE_COOKIE, language, secure=True, httponly=True, samesite="strict", path="/")
    return response


def _signed_in(request: Request, session: Session, officer: Officer) -> Response:
    sessions: Sessions = request.app.state.sessions
    value, _ = sessions.sign_in(session, officer)
    response = RedirectResponse(session.wanted, 303)
    set_session(response, value)
    return response
