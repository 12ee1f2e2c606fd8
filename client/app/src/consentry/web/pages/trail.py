"""The trail: accesses and transactions by filters that are links, page by page, and as files."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from consentry.index import AccessFilter, PageRequest
from consentry.reports import csv, json, pdf
from consentry.reports.access_log import filtered_access_report
from consentry.web.access import READERS, Officer, require
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView, LedgerView
from consentry.web.queries import AccessQuery, TransactionQuery, refuse_doubled
from consentry.web.rendering import page, words
from consentry.web.settings import WebSettings
from consentry_records.identifiers import ACTOR_PATTERN
from consentry_records.instants import format_instant
from consentry_records.reasons import CATALOGUE
from consentry_records.vocabulary import PURPOSES

router = APIRouter(dependencies=[Depends(refuse_doubled)])
PAGE_SIZE = 50
_MOST_EXPORTED = {"csv": 20_000, "json": 20_000, "pdf": 1_000}
_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json", "pdf": "application/pdf"}
Reader = Annotated[Officer, Depends(require(*READERS))]


@router.get("/trail")
def accesses(
    request: Request, view: CurrentView, officer: Reader, query: Annotated[AccessQuery, Query()]
) -> HTMLResponse:
    """Attempts at access with their decisions, newest first."""
    found = view.trail_for(officer).accesses(
        query.wanted(), PageRequest(PAGE_SIZE, query.after, newest_first=True)
    )
    return page(
        request,
        "trail.html",
        title_key="trail.title",
        query=query,
        found=found,
        older=None if found.next is None else query.link("/trail", after=found.next),
        exports=[(kind, query.link(f"/trail/export/{kind}"), _MOST_EXPORTED[kind]) for kind in _TYPES],
        **_choices(request),
    )


@router.post("/trail/person")
def accesses_of_person(
    request: Request, view: CurrentView, officer: Reader, requester: Annotated[str, Form(max_length=64)]
) -> HTMLResponse:
    """What one person tried, by enrolment id: never in an address."""
    if not ACTOR_PATTERN.fullmatch(requester):
        raise PageRefused(400, "FIELD_INVALID", "requester: expected an enrolment id")
    wanted = AccessFilter(requester=requester)
    found = view.trail_for(officer).accesses(wanted, PageRequest(1000, newest_first=True))
    return page(request, "trail_person.html", title_key="trail.person_title", found=found)


@router.get("/trail/transactions")
def transactions(
    request: Request, view: CurrentView, officer: Reader, query: Annotated[TransactionQuery, Query()]
) -> HTMLResponse:
    """Transactions, without effect ones too, newest first."""
    found = view.trail_for(officer).transactions(
        query.wanted(), PageRequest(PAGE_SIZE, query.after, newest_first=True)
    )
    with view.snapshot() as connection:
        codes = view.codes(connection)
    return page(
        request,
        "transactions.html",
        title_key="transactions.title",
        query=query,
        found=found,
        codes=codes,
        older=None if found.next is None else query.link("/trail/transactions", after=found.next),
        **_choices(request),
    )


@router.get("/trail/export/{kind}")
def export(
    request: Request,
    view: CurrentView,
    officer: Reader,
    kind: str,
    query: Annotated[AccessQuery, Query()],
) -> Response:
    """The filtered accesses as a file; it says how far it goes."""
    if kind not in _TYPES:
        raise PageRefused(404, "NOT_FOUND", "there is no such format")
    data = _exported(request, view, officer, kind, query)
    headers = {"content-disposition": f'attachment; filename="accesses.{kind}"'}
    return Response(data, media_type=_TYPES[kind], headers=headers)


def _exported(request: Request, view: LedgerView, officer: Officer, kind: str, query: AccessQuery) -> bytes:
    settings: WebSettings = request.app.state.settings
    report = filtered_access_report(
        view.trail,
        query.wanted(),
        facts=[(name, str(value)) for name, value in query.model_dump(exclude_none=True).items()],
        most=_MOST_EXPORTED[kind],
        generated_at=format_instant(settings.clock()),
    )
    made: bytes
    match kind:
        case "csv":
            made = csv.render(report)["accesses.csv"].encode()
        case "json":
            made = json.render(report).encode()
        case _:
            made = pdf.render(report)
    view.record_report(officer, report, made)
    return made


def _choices(request: Request) -> dict[str, Any]:
    settings: WebSettings = request.app.state.settings
    text = words(request)
    return {
        "organizations": settings.members().msp_ids,
        "purposes": sorted(((code, text(f"purposes.{code}")) for code in PURPOSES), key=lambda item: item[1]),
        "reasons": sorted(CATALOGUE),
    }
