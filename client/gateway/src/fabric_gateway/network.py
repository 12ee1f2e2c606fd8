"""A channel as its clients see it: contracts, events, blocks."""

from __future__ import annotations

from fabric_gateway.blocks import (
    FILTERED,
    WHOLE,
    WITH_PRIVATE_DATA,
    BlockStream,
    BlockWithPrivateData,
    FilteredBlock,
    deliver_blocks,
    deliver_newest,
)
from fabric_gateway.checkpoints import Checkpointer, Position
from fabric_gateway.connection import Connection
from fabric_gateway.contract import Contract
from fabric_gateway.events import EventStream, open_events
from fabric_gateway.streams import StreamPatience

_IMPATIENT = StreamPatience()


class Network:
    """A channel; made by `Gateway.network`.

    Its streams wait for new blocks for ever unless they have a `stop`. With a `checkpointer` they go on
    after the position that it keeps, if it keeps one, instead of at `start`; whoever processes an item saves
    its position. `patience` says whether a broken stream is opened again, and how long it may be silent.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        if not name:
            raise ValueError("network name: got an empty string, expected a channel's name")
        self._connection = connection
        self.name = name

    def contract(self, chaincode: str) -> Contract:
        """Return the chaincode of that name, whether or not it exists."""
        return Contract(self._connection, self.name, chaincode)

    def chaincode_events(
        self,
        chaincode: str,
        *,
        start_block: int | None = None,
        after_transaction_id: str | None = None,
        checkpointer: Checkpointer | None = None,
        patience: StreamPatience = _IMPATIENT,
    ) -> EventStream:
        """Follow a chaincode's events of valid transactions, in ledger order.

        Starts with the next block, or with `start_block`, or after the transaction `after_transaction_id` of
        that block; give that one only if the transaction set an event: otherwise Fabric stays silent for ever
        (Fabric's gateway drops events until one of that transaction has passed).

        Raises:
            ValueError: a negative block number, or `after_transaction_id` without `start_block`.
            StreamError: refused, or broken off: then on the next item.
        """
        start = None
        if start_block is not None:
            start = Position(start_block, after_transaction_id or "")
        elif after_transaction_id is not None:
            raise ValueError("after_transaction_id: got one without start_block, expected its block's number")
        return open_events(self._connection, self.name, chaincode, start, checkpointer, patience)

    def blocks(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        checkpointer: Checkpointer | None = None,
        patience: StreamPatience = _IMPATIENT,
    ) -> BlockStream[bytes]:
        """Follow the channel's blocks from `start` to `stop` (inclusive) as the bytes that the peer sent.

        Their numbers are checked and nothing else is. Save `Position(number + 1)` once one is processed;
        `decode_block` makes readable values of it.

        Raises:
            ValueError: a range that is none.
            StreamError (on the next item): the peer refused, or the stream broke off before `stop`.
        """
        return deliver_blocks(self._connection, self.name, WHOLE, start, stop, checkpointer, patience)

    def filtered_blocks(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        checkpointer: Checkpointer | None = None,
        patience: StreamPatience = _IMPATIENT,
    ) -> BlockStream[FilteredBlock]:
        """Follow the channel's blocks without payloads: transaction ids, validation codes, names of events.

        Parameters and errors as of `blocks`.
        """
        return deliver_blocks(self._connection, self.name, FILTERED, start, stop, checkpointer, patience)

    def blocks_with_private_data(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        checkpointer: Checkpointer | None = None,
        patience: StreamPatience = _IMPATIENT,
    ) -> BlockStream[BlockWithPrivateData]:
        """Follow the channel's blocks with the private data that the peer holds and the caller may read.

        Parameters and errors as of `blocks`.
        """
        return deliver_blocks(
            self._connection, self.name, WITH_PRIVATE_DATA, start, stop, checkpointer, patience
        )

    def newest_block(self) -> bytes:
        """Return the peer's newest block as the bytes sent; its number says how far `blocks` can go now.

        Raises:
            StreamError: the peer refused or the stream broke off.
        """
        return deliver_newest(self._connection, self.name)
