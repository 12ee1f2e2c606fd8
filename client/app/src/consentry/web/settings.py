"""What the pages are served with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from consentry.subjects import SubjectRegister
from consentry.web.action_settings import ActionSettings
from consentry.web.network_state import NetworkState
from consentry.web.officer import Officer
from consentry.web.proving import Prover
from fabric_gateway import Clock
from fabric_protocol.msp import MspManager


class ReadLog(Protocol):
    """Puts what an officer was shown on record."""

    def __call__(
        self,
        officer: Officer,
        question: str,
        *,
        concerned: list[str],
        row_count: int,
        last_block: int,
        report: str | None = None,
        report_bytes: bytes | None = None,
    ) -> object:
        """Record one read; what it raises keeps the answer from the officer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """Files that reports need: the schedule of those made by themselves, and what the organization states."""

    schedule: Path | None = None
    details: Path | None = None


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
        keep_sign_in: keeps what an officer signed to sign in, for whoever doubts what the ledger says he
            or she was shown; it is kept when this returns.
        prover: makes and checks proof files through the own peer; None where there is no peer.
        actions: what officers' actions need; None where the pages are for reading alone.
        probe: asks the network's nodes how they are; None where there is no network.
        clock: this machine's.
        register: gives the own register of subjects; None while the organization keeps none.
        report_files: what the operator gave for reports.
    """

    origin: str
    msp_id: str
    kind: str
    channel: str
    engine: Engine
    members: Callable[[], MspManager]
    reads: ReadLog
    keep_sign_in: Callable[[bytes], object]
    prover: Prover | None
    probe: Callable[[], NetworkState] | None
    clock: Clock
    actions: ActionSettings | None = None
    register: Callable[[], SubjectRegister | None] = lambda: None
    report_files: ReportFiles = ReportFiles()
