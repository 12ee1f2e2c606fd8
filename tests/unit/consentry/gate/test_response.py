"""A stream that ends while a piece waits to be sent: what is recorded as given out is what came."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from consentry.gate.response import DeliveryResponse

HEAD, PIECE, LAST = b"head", b"piece", b"last word"


class Delivery:
    """Has one piece after the other, and knows which count as given out."""

    def __init__(self) -> None:
        self.noted = 0

    def begin(self) -> bytes:
        return HEAD

    def next(self) -> Any:
        return SimpleNamespace(data=PIECE)

    def note(self, _piece: Any) -> None:
        self.noted += 1

    def last_bytes(self, _record: Any, _on_ledger: bool) -> bytes:
        return LAST


class Recipient:
    """Takes two pieces, then nothing until some seconds after the permit is revoked; fails then if it is
    told to.
    """

    def __init__(self, seconds: float, failure: Exception | None = None) -> None:
        self.parts: list[bytes] = []
        self._seconds = seconds
        self._failure = failure
        self._is_waiting, self._is_revoked = False, asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        # As uvicorn does: what is sent waits until there is room for it, then it is written whole.
        if self.parts.count(PIECE) == 2 and message["type"] == "http.response.body":
            self._is_waiting = True
            while not self._is_revoked.is_set():  # noqa: ASYNC110 - a thread sets it
                await asyncio.sleep(0.01)
            await asyncio.sleep(self._seconds)
            if self._failure is not None:
                raise self._failure
        self.parts.append(message.get("body", b""))

    def over(self, _delivery: Any) -> str | None:
        """The permit is revoked while the third piece waits."""
        if not self._is_waiting:
            return None
        self._is_revoked.set()
        return "permit-overtaken"


def answered(recipient: Recipient) -> tuple[Delivery, list[str]]:
    """An answer whose permit is revoked while the third piece waits; the ends that were recorded."""
    delivery, ends = Delivery(), list[str]()

    def finish(_delivery: Delivery, end: str) -> tuple[Any, bool]:
        ends.append(end)
        return None, True

    async def told() -> None:
        gate: Any = SimpleNamespace(over=recipient.over, finish=finish, is_current=lambda _delivery: True)
        with ThreadPoolExecutor(2) as threads:
            response = DeliveryResponse(gate, delivery, asyncio.Event(), threads)  # type: ignore[arg-type]
            await response({}, recipient.receive, recipient.send)

    asyncio.run(told())
    return delivery, ends


def test_a_piece_that_waits_as_the_end_comes_leaves_before_the_last_word() -> None:
    recipient = Recipient(0.3)
    delivery, ends = answered(recipient)
    assert ends == ["permit-overtaken"]
    assert recipient.parts.count(PIECE) == delivery.noted == 3
    assert recipient.parts[-1] == LAST


@pytest.mark.parametrize("recipient", [Recipient(30), Recipient(0.3, OSError("gone"))])
def test_a_stream_that_lacks_a_noted_piece_has_no_last_word(recipient: Recipient) -> None:
    delivery, ends = answered(recipient)
    assert ends[0] in ("permit-overtaken", "recipient-gone")
    assert recipient.parts.count(PIECE) == 2 < delivery.noted
    assert LAST not in recipient.parts
