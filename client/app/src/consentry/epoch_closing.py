"""A custodian's service closes epochs: one root over the chains of all its subjects and datasets (ADR 19).

Exactly once through kills at any instant, without a checkpoint of its own: where it stands is what the ledger
has, the contract takes each number once, and the same blocks give the same root.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, select

from consentry.errors import ConsentryError, LedgerRefused, TransactionInvalid
from consentry.index import IndexFault
from consentry.index.checkpoint import read_checkpoint
from consentry.index.epochs import Followed, closed_epochs, compute_epoch, followed
from consentry.index.schema import changes
from consentry.transactions import Transactions
from consentry_records.closed_epoch import NewClosedEpoch

# Another run of the service was faster.
_OVERTAKEN = frozenset({"EPOCH_CLOSED", "EPOCH_NOT_NEXT"})
# The service itself is wrong: going on would change nothing.
_FATAL = frozenset({"ROLE_REQUIRED", "ORGANIZATION_UNKNOWN", "ORGANIZATION_KIND_WRONG", "FUNCTION_NOT_FOUND"})

_log = logging.getLogger(__name__)


class EpochCloser:
    """Closes one custodian's epochs from an index of verified blocks.

    Args:
        transactions: of an identity with the role service.
        custodian: its organization's MSP id.
        engine: the organization's index.
        catch_up: brings it to the newest block of the own peer.
        clock: now, with a time zone.
    """

    def __init__(
        self,
        transactions: Transactions,
        custodian: str,
        engine: Engine,
        catch_up: Callable[[], object],
        clock: Callable[[], datetime],
    ) -> None:
        self._transactions = transactions
        self._custodian = custodian
        self._engine = engine
        self._catch_up = catch_up
        self._clock = clock

    def close(self, age: timedelta = timedelta(0)) -> NewClosedEpoch | None:
        """Close the next epoch at the newest block, if anything was written on the custodian's data since.

        Args:
            age: only if the oldest write since is at least so old.

        Returns:
            The epoch; None if there was nothing to close, or another run closed it.

        Raises:
            IndexFault: EPOCH_WRONG, an epoch on the ledger is not what the blocks give.
            LedgerRefused, LedgerUnreachable, …: it is not closed.
        """
        self._catch_up()
        with self._engine.connect() as connection, connection.begin():
            epoch = self._next(connection, age)
        if epoch is None:
            return None
        try:
            self._transactions.submit("epochs:close", epoch)
        except LedgerRefused as refusal:
            if refusal.code not in _OVERTAKEN:
                raise
            return None
        except TransactionInvalid:
            # Two runs at once: the other one's is there.
            return None
        return epoch

    def run(self, stop: threading.Event, every: timedelta) -> None:
        """Close epochs until `stop` is set, each once its oldest write is as old as `every`.

        It looks four times as often, and not more: each time the new blocks are verified.
        """
        while not stop.is_set():
            try:
                epoch = self.close(every)
            except ConsentryError as error:
                _log.warning("no epoch was closed: %s", error.code)
                if error.code in _FATAL:
                    return
            else:
                if epoch is not None:
                    _log.info("epoch %d closed at block %d", epoch.number, epoch.last_block)
            stop.wait(every.total_seconds() / 4)

    def _next(self, connection: Connection, age: timedelta) -> NewClosedEpoch | None:
        position = read_checkpoint(connection)
        before = followed(connection, self._custodian)
        if position is None or self._is_young(connection, before, age):
            return None
        wrong = closed_epochs(connection, self._custodian, before.number)
        if wrong:
            raise IndexFault(
                "EPOCH_WRONG",
                f"Epoch {wrong[0].record_id} on the ledger is not what the blocks give; "
                "`consentry trail findings` says why.",
            )
        last = position.position.next_block - 1
        made = compute_epoch(connection, self._custodian, last)
        if not made.entry_count:
            return None
        return NewClosedEpoch(
            number=before.number + 1,
            first_block=before.last_block + 1,
            last_block=last,
            header_hash=position.position.header_hash.hex(),
            chain_count=made.chain_count,
            root=f"sha256:{made.root.hex()}",
        )

    def _is_young(self, connection: Connection, before: Followed, age: timedelta) -> bool:
        query = select(func.min(changes.c.recorded_at)).where(changes.c.block > before.last_block)
        oldest = connection.scalar(query)
        return oldest is None or datetime.fromisoformat(oldest) + age > self._clock()
