"""The decision service beside which epochs are closed: an index is opened when one may be due, not before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from consentry.cli import epochs
from consentry.cli.decide import _close_epochs
from consentry.index import IndexFault

SOON = timedelta(milliseconds=4)


class Closer:
    def __init__(self) -> None:
        self.ran: list[timedelta] = []

    def run(self, stop: threading.Event, every: timedelta) -> None:
        self.ran.append(every)
        stop.set()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Closer]:
    found: list[Closer] = []

    @contextmanager
    def closer_of(_context: object, _ledger: object) -> Iterator[Closer]:
        found.append(Closer())
        yield found[-1]

    monkeypatch.setattr(epochs, "closer_of", closer_of)
    return found


def close(stop: threading.Event, every: timedelta) -> None:
    _close_epochs(cast(Any, None), cast(Any, None), every, stop)


def test_a_service_that_ends_soon_opens_no_index(opened: list[Closer]) -> None:
    stop = threading.Event()
    stop.set()
    close(stop, timedelta(hours=1))
    assert opened == []


def test_epochs_are_closed_once_one_may_be_due(opened: list[Closer]) -> None:
    close(threading.Event(), SOON)
    assert [closer.ran for closer in opened] == [[SOON]]


def test_an_index_that_cannot_be_opened_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_context: object, _ledger: object) -> None:
        raise IndexFault("INDEX_UNREACHABLE", "the disk is full")

    monkeypatch.setattr(epochs, "closer_of", refuse)
    close(threading.Event(), SOON)
    assert "no epochs are closed: INDEX_UNREACHABLE: the disk is full" in capsys.readouterr().err
