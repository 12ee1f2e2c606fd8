"""Streams that are opened again where they broke off, and that wait for ever only where they are told to."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar

from fabric_gateway.errors import StreamError
from fabric_gateway.failures import StatusFailure
from fabric_gateway.transport import Stream

_Item = TypeVar("_Item")

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0
# After these the same or another gateway may go on; any other status is an answer about the request itself.
_WORTH_REOPENING = frozenset(
    {"ABORTED", "DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED", "STALLED", "STREAM_ENDED"}
    | {"UNAVAILABLE", "UNKNOWN"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPatience:
    """How long a stream is put up with; seconds.

    `reconnect_for`: how long a stream that broke off is opened again, after its last item, before that is an
    error; 0: not at all. `idle_timeout`: how long it may bring nothing before it counts as broken off
    (STALLED); None: for ever, since a quiet channel is no fault.
    """

    reconnect_for: float = 0.0
    idle_timeout: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.reconnect_for) and self.reconnect_for >= 0):
            raise ValueError(f"reconnect_for: got {self.reconnect_for}, expected seconds, 0 or more")
        if self.idle_timeout is not None and not self.idle_timeout > 0:
            raise ValueError(f"idle_timeout: got {self.idle_timeout}, expected seconds above 0, or None")


def _never() -> bool:
    return False


class ItemStream(Generic[_Item]):
    """Items of a stream, in order; iterate once, `close` from any thread (iteration then ends) or use `with`.

    They are the gateway's word: whoever needs proof verifies the blocks.
    """

    def __init__(
        self,
        open_stream: Callable[[], Stream],
        items: Callable[[Any], Iterator[_Item]],
        patience: StreamPatience,
        ended: Callable[[], bool] = _never,
    ) -> None:
        """Open it: `open_stream` opens after the last of `items` of the responses, until `ended`."""
        self._open_stream = open_stream
        self._items = items
        self._patience = patience
        self._ended = ended
        self._closed = threading.Event()
        self._opening = threading.Lock()
        self._stream: Stream | None = None
        self._iteration = self._iterate()
        self._open()

    def __iter__(self) -> Iterator[_Item]:
        """Return the stream itself.

        Raises (on the next item):
            StreamError: it broke off; STREAM_ENDED, STALLED, or the name of a gRPC or Fabric status.
        """
        return self

    def __next__(self) -> _Item:
        return next(self._iteration)

    def close(self) -> None:
        """End the stream."""
        with self._opening:
            self._closed.set()
            if self._stream is not None:
                self._stream.cancel()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        with self._opening:
            if not self._closed.is_set():
                try:
                    self._stream = self._open_stream()
                except StatusFailure as failure:
                    raise failure.as_error(StreamError) from failure

    def _iterate(self) -> Iterator[_Item]:
        pauses = _Pauses(self._patience.reconnect_for)
        try:
            while not self._closed.is_set():
                try:
                    for response in self._responses():
                        pauses.reset()
                        yield from self._items(response)
                        if self._ended():
                            return
                except (StatusFailure, StreamError) as error:
                    failure = error.as_error(StreamError) if isinstance(error, StatusFailure) else error
                    if self._closed.is_set():
                        return
                    if failure.code not in _WORTH_REOPENING or not pauses.take(self._closed):
                        raise failure from error
                    self._reopen(pauses)
        finally:
            self.close()

    def _reopen(self, pauses: _Pauses) -> None:
        while True:
            try:
                return self._open()
            except StreamError as error:
                if error.code not in _WORTH_REOPENING or not pauses.take(self._closed):
                    raise

    def _responses(self) -> Iterator[Any]:
        stream = self._stream
        if stream is None:
            return
        watch = _IdleWatch(stream, self._patience.idle_timeout)
        try:
            for response in stream:
                watch.pause()
                yield response
                watch.resume()
        finally:
            watch.stop()
            stream.cancel()
        if watch.stalled:
            message = f"the gateway sent nothing for {self._patience.idle_timeout:g} s"
            raise StreamError(message, code="STALLED")
        if not self._closed.is_set():
            raise StreamError("the gateway ended the stream", code="STREAM_ENDED")


_Self = TypeVar("_Self", bound=ItemStream[Any])


class _Pauses:
    """Pauses between attempts, each twice as long, all within a limit since the last item."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self.reset()

    def reset(self) -> None:
        self._end: float | None = None
        self._next = _FIRST_PAUSE_SECONDS

    def take(self, closed: threading.Event) -> bool:
        """Wait; False if the time is used up."""
        now = time.monotonic()
        if self._end is None:
            self._end = now + self._limit
        if now + self._next > self._end:
            return False
        closed.wait(self._next)
        self._next = min(2 * self._next, _LONGEST_PAUSE_SECONDS)
        return True


class _IdleWatch:
    """Cancels a stream that brings nothing for too long; time that the reader takes does not count."""

    def __init__(self, stream: Stream, seconds: float | None) -> None:
        self.stalled = False
        self._stream = stream
        self._seconds = seconds or 0.0
        self._since: float | None = time.monotonic()
        self._stopped = threading.Event()
        if seconds is not None:
            threading.Thread(target=self._watch, name="fabric-gateway-idle", daemon=True).start()

    def pause(self) -> None:
        self._since = None

    def resume(self) -> None:
        self._since = time.monotonic()

    def stop(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        wait = self._seconds
        while not self._stopped.wait(wait):
            since = self._since
            idle = 0.0 if since is None else time.monotonic() - since
            if idle >= self._seconds:
                self.stalled = True
                self._stream.cancel()
                return
            wait = self._seconds - idle
