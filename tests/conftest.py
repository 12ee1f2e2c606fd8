"""Options and fixtures that all tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from support.optional_tools import OPTIONAL_TOOLS

# No test may depend on how busy the machine is.
settings.register_profile("consentry", deadline=None)
settings.load_profile("consentry")

_ROOT = Path(__file__).parent
_used: set[str] = set()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test's directory says what kind it is."""
    for item in items:
        kind = item.path.relative_to(_ROOT).parts[0]
        if kind in {"unit", "integration", "end_to_end"}:
            item.add_marker(getattr(pytest.mark, kind))


@pytest.fixture
def optional_tool() -> Callable[[str], str]:
    """Where an optional tool is; the test is reported as not run where it is not."""

    def find(name: str) -> str:
        tool = next(tool for tool in OPTIONAL_TOOLS if tool.name == name)
        try:
            place = tool.find()
        except LookupError as reason:
            pytest.skip(f"{name}: {reason}")
        _used.add(name)
        return place

    return find


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say for each optional tool whether its tests ran."""
    terminalreporter.section("optional tools")
    for tool in OPTIONAL_TOOLS:
        try:
            place = tool.find()
        except LookupError as reason:
            terminalreporter.write_line(f"{tool.name}: not run ({tool.shows}): {reason}")
        else:
            state = "run" if tool.name in _used else "found, its tests were not selected"
            terminalreporter.write_line(f"{tool.name}: {state} ({place})")
