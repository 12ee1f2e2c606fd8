"""Health of the network: what the index knows of the channel, and what the nodes answer now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from consentry.index.checkpoint import require_checkpoint
from consentry.index.rows import find_findings
from consentry.web.access import READERS, Officer, require
from consentry.web.channel_facts import channel_facts
from consentry.web.ledger_view import CurrentView, time_of_block
from consentry.web.network_state import NetworkState
from consentry.web.rendering import page
from consentry.web.settings import WebSettings
from consentry_records.instants import format_instant

router = APIRouter()
Reader = Annotated[Officer, Depends(require(*READERS))]
_MOST_FINDINGS = 50


@router.get("/network")
def network(request: Request, view: CurrentView, officer: Reader, nodes: str = "") -> HTMLResponse:
    """The channel; with ``nodes=now`` its nodes, too, for browsers without scripts."""
    settings: WebSettings = request.app.state.settings
    with view.snapshot() as connection:
        checkpoint = require_checkpoint(connection)
        last_block = checkpoint.position.next_block - 1
        found = find_findings(connection)
        codes = view.codes(connection)
        facts = channel_facts(checkpoint)
        block_time = time_of_block(connection, last_block)
    return page(
        request,
        "network.html",
        title_key="network.title",
        last_block=last_block,
        block_time=block_time,
        checkpoint=checkpoint,
        codes=codes,
        facts=facts,
        findings=found[-_MOST_FINDINGS:],
        finding_count=len(found),
        now=format_instant(settings.clock()),
        state=_state(request) if nodes == "now" else None,
    )


@router.get("/network/nodes")
def nodes(request: Request, view: CurrentView, officer: Reader) -> HTMLResponse:
    """The part of the page that says what the nodes answer."""
    return page(
        request,
        "network_nodes.html",
        title_key="network.title",
        state=_state(request),
        last_block=view.last_block(),
    )


@router.get("/network/lag")
def lag(request: Request, view: CurrentView, officer: Reader) -> HTMLResponse:
    """The part of the overview that says how far the index is behind the own peer."""
    settings: WebSettings = request.app.state.settings
    last_block = view.last_block()
    own = [peer.height for peer in _state(request).peers if peer.organization == settings.msp_id]
    heights = [height for height in own if height is not None]
    behind = max(max(heights) - 1 - last_block, 0) if heights else None
    return page(request, "network_lag.html", title_key="network.title", lag=behind)


def _state(request: Request) -> NetworkState:
    settings: WebSettings = request.app.state.settings
    if settings.probe is None:
        return NetworkState(settings.clock(), (), (), "")
    return settings.probe()
