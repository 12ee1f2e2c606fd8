"""The first page: what needs attention."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from consentry.web.access import READERS, Officer, require
from consentry.web.attention import MOST, attention
from consentry.web.channel_facts import CertificateFact
from consentry.web.ledger_view import CurrentView, last_block_of, time_of_block
from consentry.web.officer import certificate_end
from consentry.web.rendering import page
from consentry.web.settings import WebSettings
from consentry_records.instants import format_instant

router = APIRouter()
SHOWN = 5


@router.get("/")
def overview(
    request: Request, view: CurrentView, officer: Annotated[Officer, Depends(require(*READERS))]
) -> HTMLResponse:
    """What needs attention."""
    settings: WebSettings = request.app.state.settings
    now = settings.clock()
    with view.snapshot() as connection:
        found = attention(connection, settings.msp_id, now)
        last_block = last_block_of(connection)
        block_time = time_of_block(connection, last_block)
    own = CertificateFact(certificate_end(officer), officer.msp_id, "own")
    return page(
        request,
        "overview.html",
        title_key="overview.title",
        found=found,
        own_certificate=own,
        last_block=last_block,
        block_time=block_time,
        shown=SHOWN,
        most=MOST,
        now=format_instant(now),
    )
