"""What is under way is watched: it ends when it is done, or its permit, its recipient or the gate is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import ClientDisconnect

from consentry.errors import ConsentryError
from consentry.gate.stopping import Stopped

if TYPE_CHECKING:
    from starlette.types import Receive, Send

_WATCH_SECONDS = 0.5
_ANSWER_SECONDS = 2.0
_OWN_FAULTS = frozenset({"STORE_DAMAGED", "STORAGE_FAILED", "KEYRING_DAMAGED", "VERSION_NOT_HELD"})
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


async def supervised(
    work: Coroutine[Any, Any, str],
    over: Callable[[], str | None],
    gone: Coroutine[Any, Any, str],
    stopping: asyncio.Event,
    threads: ThreadPoolExecutor,
) -> str:
    """Do some work until it, or what it rests on, has ended; return the code of how.

    `over` asks the ledger, in a thread, whether the permit holds no more; it is asked twice a second. `gone`
    ends once nobody is there for whom the work is done.
    """
    tasks = [
        asyncio.create_task(work),
        asyncio.create_task(_watched(over, threads)),
        asyncio.create_task(gone),
        asyncio.create_task(_stopped(stopping)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        end = end_of(next(task for task in tasks if task in done).result)
    except asyncio.CancelledError:
        end = "gate-stopped"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return end


def end_of(result: Callable[[], str]) -> str:
    """Return the code of how something ended by its result or exception."""
    try:
        return result()
    except Stopped as stop:
        return stop.end
    except (OSError, ClientDisconnect):
        return "recipient-gone"
    except ConsentryError as error:
        _log.warning("a delivery ended: %s", error.code)
        return "failed" if error.code in _OWN_FAULTS else "ledger-unreachable"
    except Exception as error:
        _log.error("a delivery failed: %s", type(error).__name__)
        return "failed"


async def disconnected(receive: Receive) -> str:
    """Wait until a connection has broken off or was closed; return the code of that end."""
    while (await receive())["type"] != "http.disconnect":
        pass
    return "recipient-gone"


async def called(threads: ThreadPoolExecutor, call: Callable[[], _Result]) -> _Result:
    """Run a call in a thread; cancelled, wait for its end first, for it works with what is used next."""
    future = asyncio.get_running_loop().run_in_executor(threads, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        if not future.cancelled():
            future.exception()
        raise


async def send_head(send: Send, media_type: str) -> None:
    """Begin an answer."""
    headers = [(b"content-type", media_type.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def send_body(send: Send, data: bytes, *, more: bool = True) -> None:
    """Send a part of an answer."""
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def _watched(over: Callable[[], str | None], threads: ThreadPoolExecutor) -> str:
    """Ask twice a second whether it may go on; no answer within two seconds ends it too."""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        asked = asyncio.get_running_loop().run_in_executor(threads, over)
        done, _ = await asyncio.wait([asked], timeout=_ANSWER_SECONDS)
        if not done:
            return "ledger-unreachable"
        if (found := asked.result()) is not None:
            return found


async def _stopped(stopping: asyncio.Event) -> str:
    await stopping.wait()
    return "gate-stopped"
