"""The ordering node and the commit of what it orders, as one running service of the engine."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from fabric_protos.common import common_pb2

from fabric_embedded.errors import LedgerError
from fabric_embedded.ordering.admission import Refusal, check_envelope, is_config_update
from fabric_embedded.ordering.configuration import make_configuration
from fabric_embedded.ordering.queue import OrderingQueue

if TYPE_CHECKING:
    from fabric_embedded.ordering.committer import CommittedBlock, Committer
    from fabric_embedded.ordering.cutter import Batch
    from fabric_embedded.storage.snapshots import CurrentSnapshot
    from fabric_protocol.channel_config import ChannelConfig

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_LONG_LOG_BYTES = 64 * 2**20
_PATIENCE_SECONDS = 1.0
_EXPIRED_BYTES_LEAVE_EVERY = 100
"""Blocks after which what expired leaves the logs although blocks keep coming (Fabric's `purgeInterval`)."""


class OrderingService:
    """Takes envelopes, cuts blocks, has them committed one after the other. Event loop only.

    Parameters:
        committer: used in a thread of its own from `start` on.
        snapshots: gets the view after each block.
        announce: told of each block once it is synced, and private data with it.
    """

    def __init__(
        self, committer: Committer, snapshots: CurrentSnapshot, announce: Callable[[CommittedBlock], None]
    ) -> None:
        self._committer = committer
        self._snapshots = snapshots
        self._announce = announce
        self._queue = OrderingQueue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="committer")
        self._task: asyncio.Task[None] | None = None
        self._is_purging = False
        self._leaves_bytes = False
        self._fault = ""
        self._closing = asyncio.Event()
        self._config_in_flight: bytes | None = None
        self._is_settled = asyncio.Event()
        self._is_settled.set()

    @property
    def config(self) -> ChannelConfig:
        """The configuration in force."""
        return self._committer.config

    def start(self) -> None:
        """Begin to order."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="ordering")

    async def close(self) -> None:
        """Finish the block at hand; what waits for a block is dropped: nobody was told it is in one."""
        self._closing.set()
        self._is_settled.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown()

    async def broadcast(self, envelope: common_pb2.Envelope) -> tuple[int, str]:
        """Check an envelope and take it for ordering.

        Returns:
            (status, info) as the orderer's Broadcast answers; SUCCESS means accepted, not ordered.
        """
        while True:
            if self._task is None or self._closing.is_set():
                return common_pb2.SERVICE_UNAVAILABLE, "the ordering service is not running"
            if self._fault:
                return common_pb2.SERVICE_UNAVAILABLE, self._fault
            # What comes after a change of the configuration is judged by the new one.
            if not self._is_settled.is_set():
                await self._is_settled.wait()
            elif not self._queue.has_room:
                await self._queue.room()
            else:
                break
        refusal = self._take(envelope)
        return (common_pb2.SUCCESS, "") if refusal is None else (refusal.status, refusal.info)

    def _take(self, envelope: common_pb2.Envelope) -> Refusal | None:
        refusal = check_envelope(envelope, self.config)
        if refusal is not None:
            return refusal
        if is_config_update(envelope):
            return self._configure(envelope)
        # Written anew: one envelope that is not encoded as Fabric encodes it would void its whole block.
        canonical = common_pb2.Envelope(payload=envelope.payload, signature=envelope.signature)
        size = len(envelope.payload) + len(envelope.signature)
        self._queue.add(canonical.SerializeToString(), size, self.config)
        return None

    def _configure(self, update: common_pb2.Envelope) -> Refusal | None:
        made = make_configuration(update, self.config, self._committer.node)
        if isinstance(made, Refusal):
            return made
        self._config_in_flight = made.SerializeToString()
        self._is_settled.clear()
        self._queue.add_alone(self._config_in_flight)
        return None

    def _settle(self, batch: Batch) -> None:
        if batch == [self._config_in_flight]:
            self._config_in_flight = None
        if self._config_in_flight is None:
            self._is_settled.set()
        else:
            self._is_settled.clear()

    async def _run(self) -> None:
        try:
            await self._order()
        except Exception as error:
            # Without this task nothing is committed: whoever submits has to be told, not to wait for ever.
            self._fault = "the ordering service has failed: restart the engine"
            _log.critical("ordering has failed", extra={"error": type(error).__name__})

    async def _order(self) -> None:
        closing = asyncio.create_task(self._closing.wait())
        try:
            while not self._closing.is_set():
                timeout = self.config.batch_timeout.total_seconds()
                next_batch = asyncio.create_task(self._queue.next_batch(timeout))
                while not (next_batch.done() or closing.done()):
                    patience = _RETRY_SECONDS if self._leaves_bytes else None
                    done, _ = await asyncio.wait(
                        {next_batch, closing}, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                    )
                    if not done:
                        await self._truncate_logs()
                if not next_batch.done():
                    next_batch.cancel()
                    return
                await self._commit(next_batch.result())
        finally:
            closing.cancel()

    async def _commit(self, batch: Batch) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                committed = await loop.run_in_executor(self._thread, self._committer.commit, batch)
                break
            except Exception as error:
                # Acknowledged transactions are kept and tried again: a full disk may have room later.
                self._fault = f"the ledger cannot be written: {error}"
                self._is_settled.set()
                _log.exception("a block cannot be committed, trying again")
                if self._closing.is_set():
                    return
                await asyncio.sleep(_RETRY_SECONDS)
        self._fault = ""
        self._settle(batch)
        self._snapshots.replace(committed.snapshot)
        self._is_purging |= committed.purges
        self._leaves_bytes = committed.leaves_bytes
        if self._must_cut(committed.record.number):
            await self._truncate_logs()
        self._announce(committed)

    def _must_cut(self, number: int) -> bool:
        """What was purged has to go at once; what expired, when nothing else is to do or at intervals."""
        is_due = self._leaves_bytes and number % _EXPIRED_BYTES_LEAVE_EVERY == 0
        return self._is_purging or is_due or self._committer.log_bytes() > _LONG_LOG_BYTES

    async def _truncate_logs(self) -> None:
        """Cut the write-ahead logs while new simulations wait a moment and present ones finish."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._committer.checkpoint)
            if await self._snapshots.withdraw(_PATIENCE_SECONDS):
                done = await loop.run_in_executor(self._thread, self._cut)
                self._is_purging &= not done
                self._leaves_bytes &= not done
        except (LedgerError, sqlite3.Error):
            # Nothing is lost by a longer log; the next block tries again, and a full disk may have room then.
            _log.exception("a log cannot be cut")
        finally:
            await self._renew_view()
        if self._leaves_bytes:
            _log.warning("purged bytes are still in a log, as simulations read it: trying again")

    async def _renew_view(self) -> None:
        """Let simulations go on with the newest view; a disk without room for that may have some later."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                view = await loop.run_in_executor(self._thread, self._committer.view)
            except (LedgerError, sqlite3.Error):
                _log.exception("the ledger cannot be opened for simulations, trying again")
                if self._closing.is_set():
                    return
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._snapshots.replace(view)
                return

    def _cut(self) -> bool:
        self._committer.truncate_logs(longer_than=_LONG_LOG_BYTES)
        return self._committer.finish_purges()
