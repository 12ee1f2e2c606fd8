"""A custodian's decision service: decides on every attempt at its data, once, whatever is killed when.

Whoever decides for himself can suppress his denials, for a client sees a result before it submits. So
attempts are committed first, and this service, running at the custodian, submits the decision on each
(DESIGN §6).
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Collection
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import FrameType

from consentry.decision_checkpoint import DecisionCheckpoint
from consentry.errors import ConsentryError, LedgerRefused
from consentry.ledger import Ledger
from consentry.waiting_attempts import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, WaitingAttempts
from consentry_records.access import DecisionBatch
from consentry_records.errors import LedgerError
from consentry_records.events import ACCESS_ATTEMPTED, read_event
from fabric_gateway import ChaincodeEvent, EventStream, StreamError

_DONE = "ATTEMPT_ALREADY_DECIDED"
# The service itself is wrong, not the attempt: going on would leave every attempt without a decision.
_FATAL = frozenset(
    {"ROLE_REQUIRED", "NOT_CUSTODIAN", "ORGANIZATION_UNKNOWN", "FUNCTION_NOT_FOUND", "ACTOR_INVALID"}
)
# No decision can ever be made on these.
_HOPELESS = frozenset({"ATTEMPT_NOT_FOUND", "VERSION_NOT_FOUND"})
_IDLE_SECONDS = 0.2
_IN_FLIGHT = 64
_LONGEST_END_SECONDS = 3.0

_log = logging.getLogger(__name__)

_Outcome = tuple[tuple[str, ...], Future[Collection[str]]]
"""Attempts that were decided on together, and which of them are settled."""


class DecisionService:
    """Follows attempts at its custodian's data and submits the decision on each.

    Exactly once: an attempt stays in the checkpoint until its decision is committed, and the ledger refuses
    a second one, which counts as done. A decision voided by a conflict (the custodian's epoch moved) is
    made again. When the ledger cannot be reached it waits, longer each time up to 5 s, and goes on where it
    was.
    """

    def __init__(self, ledger: Ledger, checkpoint: Path) -> None:
        """Use a connected ledger of a service identity; `checkpoint` is the file that keeps the position.

        Raises:
            ConfigurationError: CHECKPOINT_INVALID.
        """
        self._ledger = ledger
        self._custodian = ledger.identity.msp_id
        self._checkpoint = DecisionCheckpoint(checkpoint, ledger.profile.channel)
        self._attempts: queue.SimpleQueue[str | _Outcome] = queue.SimpleQueue()
        self._under_way: dict[Future[Collection[str]], tuple[str, ...]] = {}
        self._stream: EventStream | None = None
        self._stream_lock = threading.Lock()
        self._failure: BaseException | None = None

    def run(self, stop: threading.Event) -> None:
        """Decide until `stop` is set; decisions under way are finished first, where that takes no longer than
        three seconds.

        What a ledger that does not answer is still asked for then ends when the caller closes its connection;
        its attempts stay in the checkpoint.

        Raises:
            LedgerRefused: this identity may not decide for its organization (ROLE_REQUIRED, NOT_CUSTODIAN,
                …).
        """
        for attempt_id in self._checkpoint.open_attempts():
            self._attempts.put(attempt_id)
        follower = threading.Thread(target=self._follow, args=(stop,), name="consentry-follow", daemon=True)
        follower.start()
        try:
            self._decide_all(stop)
        finally:
            stop.set()
            self._close_stream()
            follower.join(timeout=LONGEST_PAUSE_SECONDS)
        if self._failure is not None:
            raise self._failure

    def _follow(self, stop: threading.Event) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not stop.is_set():
            started = time.monotonic()
            try:
                self._follow_stream(stop)
                message = "the stream ended"
            except StreamError as error:
                message = error.code
            except Exception as error:
                self._failure = error
                stop.set()
                return
            if time.monotonic() - started > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            if not stop.is_set():
                _log.info("events broke off (%s), following again in %.1f s", message, pause)
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _follow_stream(self, stop: threading.Event) -> None:
        with self._ledger.events(start_block=self._checkpoint.block) as stream:
            with self._stream_lock:
                self._stream = stream
            # A stop between the check in the loop above and here would have found no stream to close.
            if stop.is_set():
                return
            for event in stream:
                attempt_id = self._own_attempt(event)
                if attempt_id is not None and self._checkpoint.note(event.block_number, attempt_id):
                    self._attempts.put(attempt_id)

    def _close_stream(self) -> None:
        with self._stream_lock:
            if self._stream is not None:
                self._stream.close()

    def _own_attempt(self, event: ChaincodeEvent) -> str | None:
        if event.name != ACCESS_ATTEMPTED:
            return None
        try:
            fields = read_event(event.name, event.payload)
        except LedgerError:
            _log.warning("transaction %s has a malformed event %s", event.transaction_id, event.name)
            return None
        return str(fields["attempt_id"]) if fields["custodian"] == self._custodian else None

    def _decide_all(self, stop: threading.Event) -> None:
        """Decide on what is new in one transaction at a time, and meanwhile again on what failed.

        A block takes as long for many decisions as for one, and those of one transaction take no limited use
        of a grant from one another.
        """
        waiting = WaitingAttempts()
        pool = ThreadPoolExecutor(max_workers=_IN_FLIGHT, thread_name_prefix="consentry-decide")
        try:
            while not stop.is_set():
                while (attempt_id := waiting.take_due()) is not None:
                    self._start((attempt_id,), pool)
                if together := waiting.take_new():
                    self._start(together, pool)
                self._take_all(waiting, waiting.until_due(_IDLE_SECONDS))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            ended, _ = wait(self._under_way, timeout=_LONGEST_END_SECONDS)
        for outcome in ended:
            self._note(waiting, self._under_way[outcome], outcome)

    def _take_all(self, waiting: WaitingAttempts, timeout: float) -> None:
        """Take the attempts and outcomes that are there; wait for the first one."""
        try:
            item = self._attempts.get(timeout=timeout) if timeout else self._attempts.get_nowait()
            while True:
                if isinstance(item, str):
                    waiting.add(item)
                else:
                    self._note(waiting, *item)
                item = self._attempts.get_nowait()
        except queue.Empty:
            return

    def _note(
        self, waiting: WaitingAttempts, attempt_ids: tuple[str, ...], outcome: Future[Collection[str]]
    ) -> None:
        waiting.finish(attempt_ids)
        self._under_way.pop(outcome, None)
        if outcome.cancelled():
            return
        settled = outcome.result()
        for attempt_id in attempt_ids:
            if attempt_id in settled:
                self._checkpoint.settle(attempt_id)
                waiting.forget(attempt_id)
            else:
                waiting.postpone(attempt_id)

    def _start(self, attempt_ids: tuple[str, ...], pool: Executor) -> None:
        future = pool.submit(self._decide_together, attempt_ids)
        self._under_way[future] = attempt_ids
        future.add_done_callback(lambda outcome: self._attempts.put((attempt_ids, outcome)))

    def _decide_together(self, attempt_ids: tuple[str, ...]) -> Collection[str]:
        """Submit the decisions on attempts; return the attempts about which nothing more is to be done."""
        if len(attempt_ids) == 1:
            return attempt_ids if self._decide(attempt_ids[0]) else ()
        try:
            batch = DecisionBatch(attempts=attempt_ids)
            self._ledger.transactions.submit("access:decide_batch", batch)
        except ConsentryError as error:
            _log.info("%d decisions are made again one by one: %s", len(attempt_ids), error.code)
            return ()
        return attempt_ids

    def _decide(self, attempt_id: str) -> bool:
        """Submit the decision on an attempt; returns whether nothing more is to be done about it."""
        try:
            self._ledger.transactions.submit("access:decide", attempt_id)
        except LedgerRefused as error:
            level = logging.INFO if error.code == _DONE else logging.WARNING
            _log.log(level, "decision on %s refused: %s", attempt_id, error.code)
            return self._is_settled(attempt_id)
        except ConsentryError as error:
            # Voided by a conflict, unreachable or unknown: the ledger refuses a second decision, so it is
            # safe to make it again.
            _log.info("decision on %s is made again: %s", attempt_id, error.code)
            return False
        return True

    def _is_settled(self, attempt_id: str) -> bool:
        """Whether nothing is to be decided any more, by the word of the own organization's peer alone.

        A refusal may come from another organization's peer, which may lag behind this one, or lie.
        """
        try:
            self._ledger.transactions.evaluate("access:decide", attempt_id, endorsers=(self._custodian,))
        except LedgerRefused as own:
            if own.code in _FATAL:
                raise
            return own.code == _DONE or own.code in _HOPELESS
        except ConsentryError as error:
            _log.info("decision on %s is made again: %s", attempt_id, error.code)
        return False


def serve(ledger: Ledger, checkpoint: Path) -> None:
    """Run a decision service as this process's main job until SIGTERM or SIGINT.

    Raises:
        LedgerRefused: this identity may not decide for its organization.
        ConfigurationError: CHECKPOINT_INVALID.
    """
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        DecisionService(ledger, checkpoint).run(stop)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
