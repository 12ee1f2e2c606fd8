"""The pages as one ASGI application."""

from __future__ import annotations

import asyncio
import logging

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from consentry.errors import ConsentryError, InputRejected, LedgerUnreachable
from consentry.web import guard, sign_in, static_files
from consentry.web.challenges import Challenges
from consentry.web.errors import PageRefused, SignInNeeded
from consentry.web.ledger_view import LedgerView
from consentry.web.pages import ROUTERS
from consentry.web.pages.live import Streams
from consentry.web.rate_limit import RateLimit
from consentry.web.rendering import page
from consentry.web.report_jobs import ReportJobs
from consentry.web.security_headers import SecurityHeaders
from consentry.web.sessions import COOKIE, Sessions
from consentry.web.settings import WebSettings
from consentry.web.signing.service import add_signing

# All officers of a hospital may come from one address.
CHALLENGES_A_MINUTE = 240
_SENTENCES = frozenset(
    {
        "ACTION_DIFFERS",
        "ACTION_ENDED",
        "ACTION_UNDER_WAY",
        "ACTION_UNKNOWN",
        "ANSWER_INVALID",
        "INDEX_EMPTY",
        "NOT_CUSTODIAN",
        "REPORT_NOT_KEPT",
        "SUBJECT_NOT_KEPT",
        "TOO_MANY_REPORTS",
        "CALLER_UNKNOWN",
        "CERTIFICATE_MISSING",
        "CHALLENGE_EXPIRED",
        "FIELD_INVALID",
        "FILE_INVALID",
        "FORM_FORGED",
        "NOT_FOUND",
        "OTHER_ORGANIZATION",
        "ROLE_REQUIRED",
        "SUBJECT_UNKNOWN",
        "TOO_MANY_ACTIONS",
        "TOO_MANY_REQUESTS",
    }
)
_log = logging.getLogger(__name__)


def create_application(settings: WebSettings) -> FastAPI:
    """Return the pages of one organization."""
    application = FastAPI(
        title="Consentry",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(guard.identify), Depends(guard.refuse_forgeries)],
    )
    now = lambda: settings.clock().timestamp()  # noqa: E731
    state = application.state
    state.settings = settings
    state.sessions = Sessions(now)
    state.challenges = Challenges(
        settings.origin, settings.channel, settings.msp_id, settings.members, settings.keep_sign_in, now
    )
    state.stopping = asyncio.Event()
    state.streams = Streams()
    state.challenge_limit = RateLimit(CHALLENGES_A_MINUTE, 60.0, now)
    state.view = LedgerView(settings.engine, settings.reads)
    if settings.actions is not None:
        add_signing(application, settings, settings.actions)
    state.report_jobs = ReportJobs(now)
    application.include_router(sign_in.router)
    application.include_router(static_files.router)
    for router in ROUTERS:
        application.include_router(router)
    application.add_exception_handler(SignInNeeded, _to_sign_in)
    application.add_exception_handler(ConsentryError, _refused)
    application.add_exception_handler(RequestValidationError, _malformed)
    application.add_exception_handler(HTTPException, _http_refused)
    application.add_middleware(SecurityHeaders, host=settings.origin.removeprefix("https://"))
    return application


def error_page(request: Request, status: int, code: str) -> Response:
    """The page that says why there is no other: the catalogue's sentence for a code, or that of its kind."""
    key = f"errors.{code}" if code in _SENTENCES else f"errors.status_{status}"
    return page(request, "error.html", title_key="errors.title", status=status, code=code, sentence=key)


def _to_sign_in(request: Request, error: Exception) -> Response:
    """Where nobody is signed in one can do so; what changes something is not done afterwards by itself."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"hx-refresh": "true"})
    if request.method != "GET":
        return error_page(request, 401, "SIGN_IN_NEEDED")
    from_elsewhere = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    if from_elsewhere and COOKIE not in request.cookies:
        # Browsers keep a strict cookie back when a link elsewhere was followed; asked by our own page they
        # send it.
        return page(request, "continue.html", title_key="continue.title")
    try:
        return sign_in.sign_in_page(request, is_ended=True)
    except PageRefused as refused:
        return _refused(request, refused)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ConsentryError)  # noqa: S101 - registered for these
    if isinstance(error, PageRefused):
        return error_page(request, error.status, error.code)
    if isinstance(error, InputRejected):
        return error_page(request, 400, error.code)
    _log.warning("a page could not be shown: %s", error.code)
    is_later = isinstance(error, LedgerUnreachable) or error.code == "INDEX_EMPTY"
    return error_page(request, 503 if is_later else 500, error.code)


def _malformed(request: Request, error: Exception) -> Response:
    """What was sent is not repeated: it may be a script, or a person's name."""
    return error_page(request, 400, "FIELD_INVALID")


def _http_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these
    status = error.status_code if error.status_code in (404, 405) else 400
    return error_page(request, status, "NOT_FOUND" if status == 404 else "REQUEST_REFUSED")
