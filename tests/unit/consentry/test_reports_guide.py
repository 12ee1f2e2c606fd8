"""The guide to reports names every report, and its schedule is one."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main

from consentry.cli.report import app
from consentry.reports.scheduled import read_schedule
from consentry.reports.scheduled.composing import SUBJECTS

GUIDE = (Path(__file__).parents[3] / "docs" / "reports.md").read_text(encoding="utf-8")
NO_REPORTS = {"details", "schema", "schedule"}


def test_it_names_every_report() -> None:
    commands = set(typer.main.get_command(app).commands) - NO_REPORTS  # type: ignore[attr-defined]
    assert set(re.findall(r"^\| `consentry report ([a-z-]+)`", GUIDE, re.MULTILINE)) == commands
    assert set(SUBJECTS) <= commands


def test_its_schedule_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "reports.yaml"
    path.write_text(re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[0])
    schedule = read_schedule(path)
    assert [entry.name for entry in schedule.reports] == ["processing", "requests", "biopsies"]
    assert schedule.mail is not None
