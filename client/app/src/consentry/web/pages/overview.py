"""The first page: what needs attention."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from consentry.web.access import READERS, Officer, require
from consentry.web.ledger_view import CurrentView
from consentry.web.rendering import page

router = APIRouter()


@router.get("/")
def overview(
    request: Request, view: CurrentView, officer: Annotated[Officer, Depends(require(*READERS))]
) -> HTMLResponse:
    """What needs attention."""
    return page(request, "overview.html", title_key="overview.title", last_block=view.last_block())
