"""Live news: the number of the newest block with something new, as server-sent events."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from consentry.errors import ConsentryError
from consentry.web.access import READERS, CurrentSession, require
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView, LedgerView
from consentry.web.sessions import Session, Sessions

router = APIRouter()
_SECONDS = 1.0
_QUIET_SECONDS = 15.0
_MOST_STREAMS = 8


class Streams:
    """How many streams each session holds open: a browser has few, a flood has many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[bytes] = Counter()

    def begin(self, session: Session) -> None:
        """Count a stream; raises PageRefused TOO_MANY_REQUESTS."""
        with self._lock:
            if self._open[session.key] >= _MOST_STREAMS:
                raise PageRefused(429, "TOO_MANY_REQUESTS", "this session has too many pages open")
            self._open[session.key] += 1

    def end(self, session: Session) -> None:
        """Count a stream no more."""
        with self._lock:
            self._open[session.key] -= 1
            self._open += Counter()


@router.get("/events", dependencies=[Depends(require(*READERS))])
async def events(request: Request, view: CurrentView, session: CurrentSession) -> StreamingResponse:
    """Tell of new blocks until the session ends; a stream that only waits prolongs no session."""
    streams: Streams = request.app.state.streams
    streams.begin(session)
    return StreamingResponse(_news(request, view, session, streams), media_type="text/event-stream")


async def _news(request: Request, view: LedgerView, session: Session, streams: Streams) -> AsyncIterator[str]:
    sessions: Sessions = request.app.state.sessions
    stopping: asyncio.Event = request.app.state.stopping
    told, spoken_at = -1, time.monotonic()
    try:
        while sessions.is_live(session) and not stopping.is_set():
            last = await run_in_threadpool(_newest, view)
            if last > told:
                told, spoken_at = last, time.monotonic()
                yield f"event: block\ndata: {last}\n\n"
            elif time.monotonic() - spoken_at > _QUIET_SECONDS:
                spoken_at = time.monotonic()
                yield ": still here\n\n"
            try:
                await asyncio.wait_for(stopping.wait(), _SECONDS)
            except TimeoutError:
                continue
        yield "event: end\ndata: end\n\n"
    finally:
        streams.end(session)


def _newest(view: LedgerView) -> int:
    try:
        return view.newest_news()
    except ConsentryError:
        return -1
