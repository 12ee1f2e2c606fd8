"""What the pages are served with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine

from consentry.web.action_settings import ActionSettings
from consentry.web.officer import Officer
from consentry.web.proving import Prover
from fabric_gateway import Clock
from fabric_protocol.msp import MspManager


class ReadLog(Protocol):
    """Puts what an officer was shown on record."""

    def __call__(
        self, officer: Officer, question: str, *, concerned: list[str], row_count: int, last_block: int
    ) -> object:
        """Record one read; what it raises keeps the answer from the officer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """One organization's pages.

    Attributes:
        origin: where browsers reach them, e.g. ``https://trail.northgate.example``: scheme, host and port.
        msp_id: MSP id of the organization; only its members may sign in.
        kind: what it is on the ledger, ``hospital`` or ``regulator``.
        channel: the channel that it is about.
        engine: database of the trail index.
        members: gives the channel's MSPs now.
        reads: puts what is shown of persons on the ledger.
        prover: makes and checks proof files through the own peer; None where there is no peer.
        actions: what officers' actions need; None where the pages are for reading alone.
        clock: this machine's.
    """

    origin: str
    msp_id: str
    kind: str
    channel: str
    engine: Engine
    members: Callable[[], MspManager]
    reads: ReadLog
    prover: Prover | None
    clock: Clock
    actions: ActionSettings | None = None
