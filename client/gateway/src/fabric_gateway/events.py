"""Chaincode events as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2

from fabric_gateway.blocks import block_number, deliver_newest
from fabric_gateway.checkpoints import Checkpointer, Position
from fabric_gateway.connection import Connection
from fabric_gateway.errors import StreamError
from fabric_gateway.streams import ItemStream, StreamPatience
from fabric_gateway.transport import Stream


@dataclass(frozen=True, slots=True)
class ChaincodeEvent:
    """An event that a valid transaction set, and the block that carries it."""

    block_number: int
    transaction_id: str
    chaincode: str
    name: str
    payload: bytes

    @property
    def position(self) -> Position:
        """What to save in a `Checkpointer` once this event is processed."""
        return Position(self.block_number, self.transaction_id)


class EventStream(ItemStream[ChaincodeEvent]):
    """A chaincode's events in ledger order; see `ItemStream`."""


def open_events(
    connection: Connection,
    channel: str,
    chaincode: str,
    start: Position | None,
    checkpointer: Checkpointer | None,
    patience: StreamPatience,
) -> EventStream:
    """Open the stream that `Network.chaincode_events` describes."""
    kept = checkpointer.position if checkpointer is not None else None
    position = kept or start
    if position is None and patience.reconnect_for:
        # Where "the next block" is, only the first opening of the stream knows.
        position = Position(block_number(deliver_newest(connection, channel)) + 1)
    reader = _EventReader(connection, channel, chaincode, position)
    return EventStream(reader.open, reader.read, patience)


class _EventReader:
    """Reads responses and knows after which event the stream has to go on."""

    def __init__(
        self, connection: Connection, channel: str, chaincode: str, position: Position | None
    ) -> None:
        if position is not None and position.block_number < 0:
            raise ValueError(f"start_block: got {position.block_number}, expected a block number")
        self._connection = connection
        self._channel = channel
        self._chaincode = chaincode
        self._position = position

    def open(self) -> Stream:
        request = gateway_pb2.ChaincodeEventsRequest(
            channel_id=self._channel,
            chaincode_id=self._chaincode,
            identity=self._connection.identity,
            start_position=_seek(self._position),
            after_transaction_id=self._position.transaction_id if self._position is not None else "",
        ).SerializeToString(deterministic=True)
        signed = gateway_pb2.SignedChaincodeEventsRequest(
            request=request, signature=self._connection.sign(request)
        )
        return self._connection.transport.chaincode_events(signed)

    def read(self, response: Any) -> Iterator[ChaincodeEvent]:
        """Yield a block's events.

        Raises:
            StreamError: INVALID_RESPONSE, they are of another chaincode, or of a block before the last one.
        """
        number = response.block_number
        if self._position is not None and number < self._position.block_number:
            raise StreamError(
                f"got events of block {number} after those of block {self._position.block_number}",
                code="INVALID_RESPONSE",
            )
        for event in response.events:
            if event.chaincode_id != self._chaincode:
                raise StreamError(
                    f"got an event of chaincode {event.chaincode_id!r}, expected {self._chaincode!r}",
                    code="INVALID_RESPONSE",
                )
            item = ChaincodeEvent(number, event.tx_id, event.chaincode_id, event.event_name, event.payload)
            self._position = item.position
            yield item


def _seek(position: Position | None) -> Any:
    if position is None:
        return None
    return ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=position.block_number))
