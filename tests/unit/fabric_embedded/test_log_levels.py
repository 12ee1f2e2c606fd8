"""Logging specifications as Fabric reads them, in the filter and over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_embedded.log_levels import LogLevels, SpecificationInvalid
from fabric_embedded.logs import log_levels, set_log_levels
from fabric_embedded.operations import operations_application

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def unchanged() -> Iterator[None]:
    """Levels are the process's: what a test changes is put back."""
    before, level = log_levels.specification(), logging.getLogger().level
    yield
    log_levels.activate(before)
    logging.getLogger().setLevel(level)


def says(levels: LogLevels, logger: str, level: int) -> bool:
    return levels.filter(logging.makeLogRecord({"name": logger, "levelno": level}))


@pytest.mark.parametrize(
    ("specification", "normal"),
    [
        ("", "info"),
        ("DEBUG", "debug"),
        ("info:warning", "warn"),
        ("b=debug:a,a.c.=ERROR:fatal", "a.c.=error:a=error:b=debug:fatal"),
        ("notice:a=critical", "a=error:info"),
        ("a=debug:", "a=debug:info"),
        ("payload", "Level(-2)"),
    ],
)
def test_specifications_have_a_normal_form(specification: str, normal: str) -> None:
    levels = LogLevels()
    levels.activate(specification)
    assert levels.specification() == normal


@pytest.mark.parametrize(
    ("specification", "reason"),
    [
        ("loud", "bad segment 'loud'"),
        ("Info", "bad segment 'Info'"),
        ("a=loud", "bad segment 'a=loud'"),
        ("a=", "bad segment 'a='"),
        ("=info", "no logger specified in segment '=info'"),
        ("a=b=info", "bad segment 'a=b=info'"),
        ("a,=info", "bad logger name ''"),
        (".a=info", "bad logger name '.a'"),
        ("a b=info", "bad logger name 'a b'"),
        ("a\n=info", "bad logger name 'a\n'"),
    ],
)
def test_a_specification_that_cannot_be_read_changes_nothing(specification: str, reason: str) -> None:
    levels = LogLevels()
    levels.activate("a=debug:error")
    with pytest.raises(SpecificationInvalid) as refused:
        levels.activate(specification)
    assert str(refused.value) == f"invalid logging specification '{specification}': {reason}"
    assert levels.specification() == "a=debug:error"


def test_the_nearest_logger_decides_and_a_period_means_that_one_alone() -> None:
    levels = LogLevels()
    levels.activate("a=debug:a.b=error:a.c.=fatal:warn")
    assert says(levels, "a", logging.DEBUG)
    assert says(levels, "a.x", logging.DEBUG)
    assert not says(levels, "a.b.x", logging.WARNING)
    assert not says(levels, "a.c", logging.ERROR)
    assert says(levels, "a.c.x", logging.DEBUG)
    assert not says(levels, "other", logging.INFO)
    assert says(levels, "other", logging.WARNING)
    assert levels.lowest == logging.DEBUG


@given(st.text(alphabet="abz.,:=-_ DEBUGinfowarn", max_size=40))
def test_whatever_is_read_is_its_own_normal_form(specification: str) -> None:
    levels = LogLevels()
    try:
        levels.activate(specification)
    except SpecificationInvalid:
        return
    normal = levels.specification()
    levels.activate(normal)
    assert levels.specification() == normal


async def ask(method: str, content: bytes = b"") -> httpx.Response:
    transport = httpx.ASGITransport(app=operations_application(dict))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
        return await client.request(method, "/logspec", content=content)


async def test_levels_are_changed_over_http() -> None:
    set_log_levels("WARNING")
    assert (await ask("GET")).json() == {"spec": "warn"}
    changed = await ask("PUT", b'{"spec": "fabric_embedded.ordering=debug:info"}')
    assert (changed.status_code, changed.content) == (204, b"")
    assert (await ask("GET")).json() == {"spec": "fabric_embedded.ordering=debug:info"}
    assert logging.getLogger().level == logging.DEBUG
    assert says(log_levels, "fabric_embedded.ordering.service", logging.DEBUG)


@pytest.mark.parametrize(
    ("method", "content", "reason"),
    [
        ("POST", b"{}", "invalid request method: POST"),
        ("PUT", b"", "expected a JSON object"),
        ("PUT", b"[]", 'expected a JSON object with text under "spec"'),
        ("PUT", b'{"spec": 1}', 'expected a JSON object with text under "spec"'),
        ("PUT", b'{"spec": "loud"}', "invalid logging specification 'loud': bad segment 'loud'"),
        ("PUT", b" " * 70_000, "expected at most 65536 bytes"),
    ],
)
async def test_other_requests_change_nothing(method: str, content: bytes, reason: str) -> None:
    before = (await ask("GET")).json()
    answer = await ask(method, content)
    assert (answer.status_code, answer.json()) == (400, {"error": reason})
    assert (await ask("GET")).json() == before
