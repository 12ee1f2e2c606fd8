"""From a page's form to an action that waits for its officer's signature."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, cast

from fastapi import Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from consentry.errors import InputRejected
from consentry.web.access import Officer, may_call
from consentry.web.action_settings import ActionSettings
from consentry.web.actions import Call
from consentry.web.errors import PageRefused
from consentry.web.settings import WebSettings
from consentry.web.signing.desk import Desk
from consentry_records.instants import format_instant
from consentry_records.record import Record

When = Annotated[str, Field(pattern=r"^(?:\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)?$")]
"""A time as browsers send it (UTC); empty for now."""


class ActionForm(BaseModel):
    """What every form of an action holds; a field that it does not have is refused.

    `form` is random and new with each page: a form that is sent twice is one action.
    """

    model_config = ConfigDict(extra="forbid")

    csrf_token: str = Field(max_length=100)
    form: str = Field(pattern="^[0-9a-f]{32}$")


def new_form() -> str:
    """A value for a form's field `form`."""
    return secrets.token_hex(16)


def call_of(function: str, argument: str | Record) -> Call:
    """A public call of one argument."""
    data = argument.encode() if isinstance(argument, str) else argument.to_bytes()
    return Call((function.encode(), data))


def may_act(request: Request, officer: Officer, *functions: str) -> bool:
    """Whether an officer may have all of some functions called here; never where pages are for reading."""
    settings: WebSettings = request.app.state.settings
    return settings.actions is not None and all(
        may_call(officer, settings.kind, function) for function in functions
    )


def acting(request: Request) -> ActionSettings:
    """What actions need; raises PageRefused NOT_FOUND where pages are for reading alone."""
    settings: WebSettings = request.app.state.settings
    if settings.actions is None:
        raise PageRefused(404, "NOT_FOUND", "these pages are for reading alone")
    return settings.actions


def offer(
    request: Request, officer: Officer, calls: Sequence[Call], form: ActionForm, came_from: str
) -> RedirectResponse:
    """Offer calls to the officer; answer with the way to the page that shows them.

    Args:
        request: what is answered.
        officer: who sent the form, and alone can sign.
        calls: what is to be done.
        form: what was sent.
        came_from: path of the page to go back to.

    Raises:
        PageRefused: NOT_FOUND; ROLE_REQUIRED.
        ActionRefused: ACTION_UNKNOWN, TOO_MANY_ACTIONS.
    """
    acting(request)
    if not may_act(request, officer, *(call.function for call in calls)):
        raise PageRefused(403, "ROLE_REQUIRED", "the certificate lacks a role that this needs")
    desk = cast(Desk, request.app.state.desk)
    pending = desk.offer(officer.serialized, calls, form=form.form, came_from=came_from)
    return RedirectResponse(f"/actions/{pending.key}", 303)


def instant_of(request: Request, text: str) -> str:
    """A browser's time (UTC) as an instant; now where none was given.

    Raises:
        InputRejected: TIME_INVALID.
    """
    settings: WebSettings = request.app.state.settings
    try:
        given = datetime.fromisoformat(f"{text}+00:00") if text else settings.clock()
        return format_instant(given)
    except ValueError as error:
        raise InputRejected("TIME_INVALID", "the time is none that the ledger knows") from error
