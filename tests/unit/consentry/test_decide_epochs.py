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


def test_an_index_that_cannot_be_opened_is_said_and_tried_again(
    opened: list[Closer], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opens, refused = epochs.closer_of, []

    def refuse_once(context: Any, ledger: Any) -> Any:
        if not refused:
            refused.append(True)
            raise IndexFault("INDEX_UNREACHABLE", "the disk is full")
        return opens(context, ledger)

    monkeypatch.setattr(epochs, "closer_of", refuse_once)
    close(threading.Event(), SOON)
    said = capsys.readouterr().err
    assert said.count("no epochs are closed, trying again in ") == 1
    assert "INDEX_UNREACHABLE: the disk is full" in said
    assert [closer.ran for closer in opened] == [[SOON]]
