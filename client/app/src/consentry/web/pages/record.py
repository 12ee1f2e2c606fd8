"""One record: its fields, every write of it, what it points to, and its proof, made when asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection, select

from consentry.errors import ConsentryError, InputRejected, LedgerUnreachable
from consentry.index import ChangeRow, FindingRow, Trail
from consentry.index.record_kinds import RECORD_KINDS
from consentry.index.schema import findings, links
from consentry.web.access import READERS, Officer, require
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView, header_hash
from consentry.web.proving import Proved
from consentry.web.rendering import page
from consentry.web.settings import WebSettings

router = APIRouter()
Reader = Annotated[Officer, Depends(require(*READERS))]
_ID = re.compile(r"(?:[A-Za-z0-9.:-]{1,200})(?:/[A-Za-z0-9.-]{1,64}){0,2}")
_MOST_LINKS = 50


@dataclass(frozen=True, slots=True)
class ProofStatus:
    """What came of proving a record: the proof, or the code of why there is none."""

    proved: Proved | None
    fault: str = ""
    is_unreachable: bool = False


@router.get("/records/{kind}/{record_id:path}")
def record(
    request: Request, view: CurrentView, officer: Reader, kind: str, record_id: str, proof: str = ""
) -> HTMLResponse:
    """A record as it stands; with ``proof=now`` its proof, too, for browsers without scripts."""
    changes = _changes(view.trail_for(officer), kind, record_id)
    row = view.trail.record(kind, record_id)
    if row is None:
        raise PageRefused(404, "NOT_FOUND", "there is no such record")
    with view.snapshot() as connection:
        outgoing, incoming = _links(connection, kind, record_id)
        found = _findings(connection, kind, record_id)
        header = header_hash(connection, changes[-1].block)
    return page(
        request,
        "record.html",
        title_key="one_record.title",
        row=row,
        changes=changes,
        outgoing=outgoing,
        incoming=incoming,
        most=_MOST_LINKS,
        findings=found,
        header_hash=header,
        proof_status=_prove(request, changes[-1]) if proof == "now" else None,
    )


@router.get("/proof-status/{kind}/{record_id:path}")
def proof_status(
    request: Request, view: CurrentView, officer: Reader, kind: str, record_id: str
) -> HTMLResponse:
    """The part of a record's page that says whether it is proved now: nothing of the record is in it, and the
    page that it is a part of is on record as read.
    """
    changes = _changes(view.trail, kind, record_id)
    return page(
        request,
        "record_proof.html",
        title_key="one_record.title",
        row=changes[-1],
        proof_status=_prove(request, changes[-1]),
    )


@router.get("/proof-file/{kind}/{record_id:path}")
def proof_file(request: Request, view: CurrentView, officer: Reader, kind: str, record_id: str) -> Response:
    """The proof of a record's last write as a file, checked before it is given."""
    change = _changes(view.trail_for(officer), kind, record_id)[-1]
    settings: WebSettings = request.app.state.settings
    if settings.prover is None:
        raise LedgerUnreachable("LEDGER_UNREACHABLE", "there is no peer to ask")
    name = re.sub(r"[^A-Za-z0-9.-]", "-", f"{kind}-{record_id}")
    headers = {"content-disposition": f'attachment; filename="{name}.proof"'}
    data = settings.prover.prove(change).data
    return Response(data, media_type="application/octet-stream", headers=headers)


def _changes(trail: Trail, kind: str, record_id: str) -> list[ChangeRow]:
    """Every write of a record; raises PageRefused NOT_FOUND."""
    if kind not in RECORD_KINDS or not (kind == "settings" or _ID.fullmatch(record_id)):
        raise PageRefused(404, "NOT_FOUND", "there is no such record")
    changes = trail.history(kind, record_id)
    if not changes:
        raise PageRefused(404, "NOT_FOUND", "there is no such record")
    return changes


def _prove(request: Request, change: ChangeRow) -> ProofStatus:
    settings: WebSettings = request.app.state.settings
    if settings.prover is None:
        return ProofStatus(None, "LEDGER_UNREACHABLE", is_unreachable=True)
    try:
        return ProofStatus(settings.prover.prove(change))
    except InputRejected as error:
        return ProofStatus(None, str(error.fields.get("reason", error.code)))
    except ConsentryError as error:
        return ProofStatus(None, error.code, is_unreachable=True)


def _links(
    connection: Connection, kind: str, record_id: str
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Kinds and ids of what a record points to, and of what points to it; at most 50 and one more each."""
    table = links.c
    to = select(table.to_kind, table.to_id).where(table.from_kind == kind, table.from_id == record_id)
    back = select(table.from_kind, table.from_id).where(table.to_kind == kind, table.to_id == record_id)
    limit = _MOST_LINKS + 1
    outgoing = [(row.to_kind, row.to_id) for row in connection.execute(to.limit(limit))]
    incoming = [(row.from_kind, row.from_id) for row in connection.execute(back.limit(limit))]
    return outgoing, incoming


def _findings(connection: Connection, kind: str, record_id: str) -> list[FindingRow]:
    table = findings.c
    query = select(findings).where(table.kind == kind, table.record_id == record_id)
    return [
        FindingRow(row.block, row.kind, row.record_id, row.code, row.sentence)
        for row in connection.execute(query.order_by(table.block, table.position))
    ]
