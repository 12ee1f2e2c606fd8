"""How a page reads the index: one snapshot, refusals that browsers understand, reads put on record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Query, Request
from sqlalchemy import Connection

from consentry.index import IndexFault
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import LedgerView, last_block_of
from consentry.web.officer import Officer
from consentry.web.settings import WebSettings
from consentry_records.instants import format_instant

_HEX = "[0-9a-f]{32}"

ConsentId = Annotated[str, Path(pattern=f"^consent-{_HEX}$")]
GrantId = Annotated[str, Path(pattern=f"^grant-{_HEX}$")]
RequestId = Annotated[str, Path(pattern=f"^request-{_HEX}$")]
RightsRequestId = Annotated[str, Path(pattern=f"^rightsrequest-{_HEX}$")]
DatasetId = Annotated[str, Path(pattern=f"^dataset-{_HEX}$")]
ModelId = Annotated[str, Path(pattern=f"^model-{_HEX}$")]
ModelVersionId = Annotated[str, Path(pattern=f"^modelversion-{_HEX}$")]
AfterRecord = Annotated[str | None, Query(pattern=f"^[a-z]{{1,20}}-{_HEX}$")]
"""Id of the record after which a page of records begins."""

AfterPlace = Annotated[str | None, Query(pattern=r"^[0-9]{1,18}\.[0-9]{1,9}$")]
"""Block and position after which a page of accesses begins."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The index at one instant: its connection, the last block it holds, and the instant by our clock."""

    connection: Connection
    last_block: int
    at: str


@contextmanager
def reading(request: Request, view: LedgerView) -> Iterator[Snapshot]:
    """Read the index.

    Raises:
        PageRefused: 404 for what is not indexed, 503 for an index that is empty.
    """
    settings: WebSettings = request.app.state.settings
    try:
        with view.snapshot() as connection:
            yield Snapshot(connection, last_block_of(connection), format_instant(settings.clock()))
    except IndexFault as fault:
        status = 404 if fault.code.endswith("_NOT_INDEXED") else 503
        raise PageRefused(status, fault.code, fault.message) from fault


def put_on_record(
    request: Request,
    officer: Officer,
    question: str,
    concerned: Sequence[str],
    *,
    row_count: int,
    last_block: int,
) -> None:
    """Put what an officer is going to be shown on the ledger; arguments as for `TrailReads.record`."""
    settings: WebSettings = request.app.state.settings
    settings.reads(officer, question, concerned=list(concerned), row_count=row_count, last_block=last_block)
