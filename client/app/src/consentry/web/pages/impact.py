"""What if this consent is withdrawn? Shown before anybody does it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from consentry.index.rows import get_record
from consentry.web.access import Officer, require
from consentry.web.custody import own_manifest
from consentry.web.ledger_view import CurrentView
from consentry.web.lineage_figure import lineage_figure
from consentry.web.offering import may_act
from consentry.web.reading import put_on_record, reading
from consentry.web.rendering import page, words
from consentry.web.settings import WebSettings
from consentry.web.views.impact import view_impact
from consentry_records.consent import EXPIRED, GIVEN
from consentry_records.roles import AUDITOR, DPO, REGULATOR, STEWARD

router = APIRouter()

ROLES = (STEWARD, DPO, AUDITOR, REGULATOR)
"""Who may see what rests on a person's consent."""

Wanted = Annotated[str | None, Query(pattern="^(?:consent-[0-9a-f]{32})?$")]


@router.get("/impact")
def impact(
    request: Request,
    view: CurrentView,
    officer: Annotated[Officer, Depends(require(*ROLES))],
    consent: Wanted = None,
) -> HTMLResponse:
    """Ask for a consent, or show what rests on it; that is put on record, for it is about a person."""
    if not consent:
        return page(request, "impact.html", title_key="impact.title", found=None)
    with reading(request, view) as snapshot:
        row = get_record(snapshot.connection, "consent", consent)
        manifest = own_manifest(request, row.owner if row is not None else "")
        found = view_impact(snapshot.connection, consent, manifest, snapshot.at)
    put_on_record(
        request,
        officer,
        "impact",
        [consent, found.subject],
        row_count=found.row_count,
        last_block=snapshot.last_block,
    )
    settings: WebSettings = request.app.state.settings
    is_own = found.custodian == settings.msp_id and found.consent.state in (GIVEN, EXPIRED)
    return page(
        request,
        "impact.html",
        title_key="impact.title",
        found=found,
        figure=lineage_figure(found.around.lineage, (), snapshot.at, words(request)),
        may_withdraw=is_own and may_act(request, officer, "consents:withdraw"),
    )
