"""Long work shows how far it is and how fast, where somebody watches, and nowhere else."""

from __future__ import annotations

import time

import pytest

from consentry.cli import progress


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")


def work() -> None:
    with progress.counted("importing", 40) as update:
        for done in range(1, 41):
            time.sleep(0.01)
            update(done, 40)


def test_how_far_and_how_fast_is_shown_on_a_terminal(
    terminal: None, capsys: pytest.CaptureFixture[str]
) -> None:
    work()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "importing" in shown.err
    assert "40/40" in shown.err
    assert "/s" in shown.err


def test_bytes_are_shown_with_their_rate(terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.transferred("fetching") as update:
        for done in range(1, 31):
            time.sleep(0.01)
            update(done * 100_000, 3_000_000)
    shown = capsys.readouterr().err
    assert "3.0/3.0 MB" in shown
    assert "MB/s" in shown


def test_nothing_is_shown_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    work()
    assert capsys.readouterr() == ("", "")


def test_quiet_shows_nothing(
    terminal: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "is_quiet", lambda: True)
    work()
    assert capsys.readouterr().err.strip() == ""
