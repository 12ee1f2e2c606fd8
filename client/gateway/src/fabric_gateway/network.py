"""A channel as its clients see it: contracts, events, blocks."""

from __future__ import annotations

from collections.abc import Iterator

from fabric_gateway.blocks import deliver_blocks, deliver_newest
from fabric_gateway.connection import Connection
from fabric_gateway.contract import Contract
from fabric_gateway.events import EventStream, open_events


class Network:
    """A channel; made by `Gateway.network`."""

    def __init__(self, connection: Connection, name: str) -> None:
        if not name:
            raise ValueError("network name: got an empty string, expected a channel's name")
        self._connection = connection
        self.name = name

    def contract(self, chaincode: str) -> Contract:
        """Return the chaincode of that name, whether or not it exists."""
        return Contract(self._connection, self.name, chaincode)

    def chaincode_events(
        self, chaincode: str, *, start_block: int | None = None, after_transaction_id: str | None = None
    ) -> EventStream:
        """Follow a chaincode's events of valid transactions, in ledger order.

        Starts with the next block, or with `start_block`, or after the transaction `after_transaction_id`;
        give that one only if the transaction set an event: otherwise Fabric stays silent for ever
        (Fabric's gateway drops events until one of that transaction has passed).
        """
        return open_events(self._connection, self.name, chaincode, start_block, after_transaction_id)

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the channel's blocks from `start` to `stop` (inclusive) as the bytes that the peer sent.

        Without `stop` the iterator waits for new blocks for ever. Nothing is verified here. Closing the
        iterator ends the stream.

        Raises:
            StreamError: the peer refused or the stream broke off before `stop`.
        """
        return deliver_blocks(self._connection, self.name, start, stop)

    def newest_block(self) -> bytes:
        """Return the peer's newest block as the bytes sent; its number says how far `blocks` can go now.

        Raises:
            StreamError: the peer refused or the stream broke off.
        """
        return deliver_newest(self._connection, self.name)
