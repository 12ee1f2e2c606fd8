"""A run goes on without a connection, for a while, and whoever comes back waits for the same one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from consentry.gate.compute.attending import Attendance
from consentry.gate.compute.response import ComputeResponse
from consentry.gate.stopping import Stopped

DATA = b"{}"


class Run:
    """A run that lasts until it is let go or stopped."""

    gone_through, row_count, key = 3, 8, bytes(32)

    def __init__(self, failure: Exception | None = None) -> None:
        self.attended: Any = None
        self.outputs: dict[str, bytes] = {}
        self.runs = 0
        self.ready = threading.Event()
        self._failure = failure
        self._stopped: str | None = None

    def run(self) -> str:
        self.runs += 1
        assert self.ready.wait(20)
        if self._failure is not None:
            raise self._failure
        if self._stopped is not None:
            raise Stopped(self._stopped)
        self.outputs = {"metrics": DATA}
        return "completed"

    def stop(self, end: str) -> None:
        self._stopped = self._stopped or end
        self.ready.set()


class Ended:
    """What a gate makes of an end."""

    def __init__(self, end: str) -> None:
        self.end = end

    def to_dict(self) -> dict[str, str]:
        return {"end": self.end}


class Connection:
    """One request's answer; it breaks off when it is told to."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.broken = asyncio.Event()
        self.begun = asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await self.broken.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.parts.append(message.get("body", b""))
        if message.get("body"):
            self.begun.set()

    @property
    def is_whole(self) -> bool:
        return b"".join(self.parts).endswith(DATA)


def attending(
    story: Callable[[Attendance, asyncio.Event], Awaitable[None]], wait_seconds: float = 30.0
) -> list[str]:
    """The ends that a gate recorded in a story."""
    ends: list[str] = []

    def finish(run: Run, end: str) -> tuple[Any, bool]:
        ends.append(end)
        return Ended(end), True

    async def told() -> None:
        gate: Any = SimpleNamespace(over=lambda _run: None, finish=finish, wait_seconds=wait_seconds)
        stopping = asyncio.Event()
        with ThreadPoolExecutor(4) as threads:
            attendance = Attendance(gate, stopping, threads)
            await story(attendance, stopping)
            await attendance.ended()

    asyncio.run(told())
    return ends


async def asked(attendance: Attendance, run: Any) -> tuple[Connection, asyncio.Task[None]]:
    """A connection whose answer has begun."""
    connection = Connection()
    response = ComputeResponse(attendance.of(run))
    task = asyncio.create_task(response({}, connection.receive, connection.send))
    await asyncio.wait_for(connection.begun.wait(), 60)
    return connection, task


def test_who_comes_back_gets_what_the_same_run_gives() -> None:
    run = Run()

    async def story(attendance: Attendance, _stopping: asyncio.Event) -> None:
        first, task = await asked(attendance, run)
        first.broken.set()
        await asyncio.wait_for(task, 60)
        assert not first.is_whole
        second, task = await asked(attendance, run)
        run.ready.set()
        await asyncio.wait_for(task, 60)
        assert second.is_whole
        third, task = await asked(attendance, run)
        await asyncio.wait_for(task, 60)
        assert third.is_whole

    assert attending(story) == ["completed"]
    assert run.runs == 1


def test_two_who_wait_get_the_same() -> None:
    run = Run()

    async def story(attendance: Attendance, _stopping: asyncio.Event) -> None:
        both = [await asked(attendance, run) for _ in range(2)]
        run.ready.set()
        await asyncio.gather(*(task for _, task in both))
        assert all(connection.is_whole for connection, _ in both)

    assert attending(story) == ["completed"]
    assert run.runs == 1


def test_a_run_that_nobody_comes_back_for_ends() -> None:
    async def story(attendance: Attendance, _stopping: asyncio.Event) -> None:
        connection, task = await asked(attendance, Run())
        await asyncio.sleep(1.2)  # longer than it would go on alone
        assert not task.done()
        connection.broken.set()
        await task

    assert attending(story, wait_seconds=0.3) == ["recipient-gone"]


def test_the_gates_end_ends_it_though_nobody_is_there() -> None:
    async def story(attendance: Attendance, stopping: asyncio.Event) -> None:
        connection, task = await asked(attendance, Run())
        connection.broken.set()
        await task
        stopping.set()

    assert attending(story) == ["gate-stopped"]


@pytest.mark.parametrize(
    ("failure", "end"),
    [
        (OSError("no memory"), "failed"),
        (ValueError(), "failed"),
        (Stopped("limit-exceeded"), "limit-exceeded"),
    ],
)
def test_a_failure_of_the_machine_is_no_connection_that_broke(failure: Exception, end: str) -> None:
    async def story(attendance: Attendance, _stopping: asyncio.Event) -> None:
        run = Run(failure)
        run.ready.set()
        await attendance.of(run).task  # type: ignore[arg-type]

    assert attending(story) == [end]
