"""Room for large messages: in turn, refused in time, taken from who does not send."""

from __future__ import annotations

import asyncio

import pytest

from fabric_embedded.http2 import budget as budgets
from fabric_embedded.http2.budget import LARGE_BYTES, Budget, Room, give_back_memory

pytestmark = pytest.mark.unit


class Asking:
    """Somebody who asks for room."""

    def __init__(self, budget: Budget, size: int) -> None:
        self.budget = budget
        self.state = "waiting"
        self.room = Room(size, lambda: self._become("admitted"), lambda: self._become("refused"))
        if budget.ask(self.room):
            self.state = "admitted"

    def _become(self, state: str) -> None:
        self.state = state
        if state == "refused":
            self.budget.give_back(self.room)

    def leave(self) -> None:
        self.budget.give_back(self.room)


async def test_room_is_given_in_turn() -> None:
    budget = Budget(100)
    first, second, third = Asking(budget, 60), Asking(budget, 60), Asking(budget, 10)
    assert [first.state, second.state, third.state] == ["admitted", "waiting", "waiting"]
    first.leave()
    assert [second.state, third.state] == ["admitted", "admitted"]
    first.leave()
    assert Asking(budget, 40).state == "waiting"


async def test_who_waits_may_leave() -> None:
    budget = Budget(100)
    first, second, third = Asking(budget, 60), Asking(budget, 60), Asking(budget, 40)
    second.leave()
    assert third.state == "admitted"
    first.leave()
    assert second.state == "waiting"


async def test_who_waits_too_long_is_refused() -> None:
    budget = Budget(100, patience=0.01)
    first, second, third = Asking(budget, 60), Asking(budget, 60), Asking(budget, 40)
    await asyncio.sleep(0.05)
    assert [first.state, second.state, third.state] == ["admitted", "refused", "admitted"]


async def test_who_holds_room_and_does_not_send_makes_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "_STALLED_SECONDS", 0.0)
    budget = Budget(100, patience=0.02)
    stalled, complete = Asking(budget, 50), Asking(budget, 50)
    complete.room.arrived = 50
    waiting = Asking(budget, 50)
    await asyncio.sleep(0.1)
    assert [stalled.state, complete.state, waiting.state] == ["refused", "admitted", "admitted"]


async def test_memory_of_what_was_large_goes_back_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "_RELEASE_SECONDS", 0.0)
    released: list[bool] = []
    budget = Budget(release=lambda: released.append(True))
    for size in (LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES):
        Asking(budget, size).leave()
    await asyncio.sleep(0.2)
    assert released == [True]


def test_memory_can_be_given_back() -> None:
    give_back_memory()
