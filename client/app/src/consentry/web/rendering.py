"""Pages out of templates: every value escaped, every word out of the catalogue of texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from consentry.web import texts
from consentry.web.links import record_path, short_id, short_link
from consentry.web.sessions import Session
from consentry.web.static_files import static_url
from consentry.web.values import long_id, moment, number, percent

LANGUAGE_COOKIE = "__Host-consentry-language"


def page(
    request: Request, template: str, *, title_key: str, status: int = 200, **values: Any
) -> HTMLResponse:
    """Render a template as a page.

    In a template ``text(key, **parameters)`` is a text, ``request``, ``officer``, ``csrf_token`` and
    ``navigation`` are there, and a missing value is an error.

    Args:
        request: what is answered.
        template: name of a file in ``templates``.
        title_key: key of the title's text; titles carry no values, for they end in histories.
        status: HTTP's status.
        values: what the template shows.
    """
    from consentry.web.pages import navigation_for

    session: Session | None = getattr(request.state, "session", None)
    officer = session.officer if session is not None else None
    language = language_of(request)
    shared: dict[str, Any] = {
        "request": request,
        "path": request.url.path,
        "language": language,
        "languages": texts.LANGUAGES,
        "text": partial(texts.text, language),
        "title_key": title_key,
        "officer": officer,
        "csrf_token": session.csrf_token if session is not None else "",
        "navigation": navigation_for(officer) if officer is not None else (),
        "organization": request.app.state.settings.msp_id,
        "channel": request.app.state.settings.channel,
        "made_at": moment(_now(request)),
    }
    html = environment().get_template(template).render(shared | values)
    return HTMLResponse(html, status)


def words(request: Request) -> Callable[..., str]:
    """``text(key, **parameters)`` in the language of a request."""
    return partial(texts.text, language_of(request))


def language_of(request: Request) -> str:
    """The language that a person chose, else the one that the browser asks for."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in texts.LANGUAGES:
        return chosen
    return texts.negotiated(request.headers.get("accept-language", ""))


@cache
def environment() -> Environment:
    """The templates' environment."""
    made = Environment(
        loader=PackageLoader("consentry.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["static"] = static_url
    made.globals["record_path"] = record_path
    made.globals["short_id"] = short_id
    made.filters["short_link"] = short_link
    made.filters["number"] = number
    made.globals["zip"] = zip
    made.filters["moment"] = moment
    made.filters["long_id"] = long_id
    made.filters["percent"] = percent
    return made


def _now(request: Request) -> datetime:
    now: datetime = request.app.state.settings.clock()
    return now.astimezone(UTC)
