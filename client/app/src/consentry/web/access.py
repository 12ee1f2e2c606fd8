"""Who may see a page: deny by default; roles and kinds are those of the contracts' own table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Depends, Request

from consentry.web.errors import PageRefused, SignInNeeded
from consentry.web.officer import Officer
from consentry.web.sessions import Session
from consentry.web.settings import WebSettings
from consentry_records.permissions import PERMISSIONS
from consentry_records.roles import AUDITOR, DPO, ETHICS, REGULATOR, ROLES, STEWARD

__all__ = [
    "READERS",
    "CurrentOfficer",
    "CurrentSession",
    "Officer",
    "current_officer",
    "current_session",
    "may_call",
    "require",
    "require_function",
]

# What only looks at the request is asynchronous: a thread for each would take longer than it does.
READERS = (STEWARD, DPO, AUDITOR, REGULATOR, ETHICS)
"""Roles that answer for others' accesses: they may read the trail."""


async def current_session(request: Request) -> Session:
    """The browser's session; raises SignInNeeded."""
    session = cast("Session | None", getattr(request.state, "session", None))
    if session is None:
        raise SignInNeeded
    return session


CurrentSession = Annotated[Session, Depends(current_session)]


async def current_officer(session: CurrentSession) -> Officer:
    """Who is signed in; raises SignInNeeded."""
    if session.officer is None:
        raise SignInNeeded
    return session.officer


CurrentOfficer = Annotated[Officer, Depends(current_officer)]


def require(*roles: str) -> Callable[..., Awaitable[Officer]]:
    """A dependency that lets officers through who have one of some roles.

    Raises:
        ValueError: no role, or one that the ledger does not know.
    """
    if not roles or not set(roles) <= set(ROLES):
        raise ValueError(f"expected roles of the ledger, got {roles}")

    async def checked(officer: CurrentOfficer) -> Officer:
        if not set(roles) & set(officer.roles):
            raise PageRefused(403, "ROLE_REQUIRED", f"this page needs one of the roles {', '.join(roles)}")
        return officer

    return checked


def require_function(function: str) -> Callable[..., Awaitable[Officer]]:
    """A dependency that lets officers through who may call a function of the contracts.

    Raises:
        KeyError: there is no such function.
    """
    PERMISSIONS[function]

    async def checked(request: Request, officer: CurrentOfficer) -> Officer:
        settings: WebSettings = request.app.state.settings
        if not may_call(officer, settings.kind, function):
            raise PageRefused(403, "ROLE_REQUIRED", f"{function} needs a role that the certificate lacks")
        return officer

    return checked


def may_call(officer: Officer, kind: str, function: str) -> bool:
    """Whether an officer of an organization of a kind may call a function of the contracts."""
    permission = PERMISSIONS[function]
    has_role = not permission.roles or bool(set(permission.roles) & set(officer.roles))
    return has_role and permission.kind in (None, kind)
