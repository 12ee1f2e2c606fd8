"""The clock of a running process is set off, and right again afterwards; its monotonic clock goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from support.faults.clocks import clock_off

pytestmark = pytest.mark.optional_tool("clocks")
_PROGRAM = """
import sys, time, datetime
for _ in sys.stdin:
    print(time.time(), datetime.datetime.now().timestamp(), time.monotonic(), flush=True)
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, "-c", _PROGRAM]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def _ask(process: subprocess.Popen[str]) -> tuple[float, float, float]:
    """How far a process's two ways to ask for the time of day, and its monotonic clock, are from ours."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    told = [float(word) for word in process.stdout.readline().split()]
    return told[0] - time.time(), told[1] - time.time(), told[2] - time.monotonic()


@pytest.mark.parametrize("offset", [75, -75])
def test_a_clock_is_off_for_a_while(process: subprocess.Popen[str], offset: int) -> None:
    assert _ask(process) == pytest.approx((0, 0, 0), abs=5)
    with clock_off(process.pid, offset):
        assert _ask(process) == pytest.approx((offset, offset, 0), abs=5)
    assert _ask(process) == pytest.approx((0, 0, 0), abs=5)


def test_a_process_that_ends_meanwhile_is_no_failure(process: subprocess.Popen[str]) -> None:
    with clock_off(process.pid, 75):
        process.kill()
        process.wait()
