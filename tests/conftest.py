"""Options and fixtures that all tests share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from support.optional_tools import OPTIONAL_TOOLS, find_optional_tool
from support.scheduling import ORDER, ByNetwork

# No test may depend on how busy the machine is, and none pass here and fail there: each run draws the same
# examples. New ones are looked for by `make test TESTS="--hypothesis-profile=explore tests/unit"`.
settings.register_profile(
    "consentry", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("explore", settings.get_profile("consentry"), derandomize=False)
settings.load_profile("consentry")

_ROOT = Path(__file__).parent
_KINDS = {
    "unit": "unit",
    "integration": "integration",
    "conformance": "integration",
    "end_to_end": "end_to_end",
    "interop": "integration",
}
_TOOL = "optional_tool"
_ran: set[str] = set()
_not_run: dict[str, str] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Say what the mark means: markers are strict. Give xdist's workers a program file to be known by."""
    program = sys.modules["__main__"]
    if getattr(program, "__file__", None) is None:
        program.__file__ = pytest.__file__
    config.addinivalue_line("markers", f"{_TOOL}(name): runs where this tool of the table is found")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test's directory says what kind it is, and when its turn comes."""
    for item in items:
        kind = _KINDS.get(_directory(item))
        if kind is not None:
            item.add_marker(getattr(pytest.mark, kind))
    items.sort(key=lambda item: ORDER.index(_directory(item)) if _directory(item) in ORDER else len(ORDER))


def _directory(item: pytest.Item) -> str:
    return item.path.relative_to(_ROOT).parts[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files that share a network go to one worker, where files are to stay together at all."""
    return ByNetwork(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for the tools that a test's marks name, before its fixtures are made."""
    for mark in item.iter_markers(_TOOL):
        _require(item, mark.args[0])


@pytest.fixture
def optional_tool(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Where an optional tool is; the test is reported as not run where it is not."""
    return lambda name: _require(request.node, name)


def _require(item: pytest.Item, name: str) -> str:
    item.user_properties.append((_TOOL, name))
    try:
        return find_optional_tool(name)
    except LookupError as reason:
        pytest.skip(f"{name}: {reason}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A tool counts as run when a test that needs it came to its end, not when it was merely found."""
    for name in [str(value) for key, value in report.user_properties if key == _TOOL]:
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            _not_run[name] = reason.removeprefix("Skipped: ").removeprefix(f"{name}: ")
        elif report.when == "call":
            _ran.add(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say for each optional tool whether its tests ran."""
    terminalreporter.section("optional tools")
    for tool in OPTIONAL_TOOLS:
        try:
            place = tool.find()
        except LookupError as reason:
            terminalreporter.write_line(f"{tool.name}: not run ({tool.shows}): {reason}")
            continue
        if tool.name in _ran:
            terminalreporter.write_line(f"{tool.name}: run ({place})")
        elif tool.name in _not_run:
            terminalreporter.write_line(f"{tool.name}: not run ({tool.shows}): {_not_run[tool.name]}")
        else:
            terminalreporter.write_line(f"{tool.name}: found, its tests were not selected ({place})")
