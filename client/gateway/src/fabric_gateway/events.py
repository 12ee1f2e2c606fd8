"""Chaincode events as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2

from fabric_gateway.connection import Connection
from fabric_gateway.errors import StreamError
from fabric_gateway.transport import StatusFailure, Stream


@dataclass(frozen=True, slots=True)
class ChaincodeEvent:
    """An event that a valid transaction set, and the block that carries it."""

    block_number: int
    transaction_id: str
    chaincode: str
    name: str
    payload: bytes


class EventStream:
    """Events in ledger order; iterate once, `close` from any thread (iteration then ends) or use `with`.

    They are the gateway's word: whoever needs proof verifies the blocks that carry them.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[ChaincodeEvent]:
        """Yield events as blocks are committed.

        Raises:
            StreamError: the stream broke off.
        """
        try:
            for response in self._stream:
                for event in response.events:
                    number = response.block_number
                    yield ChaincodeEvent(
                        number, event.tx_id, event.chaincode_id, event.event_name, event.payload
                    )
        except StatusFailure as failure:
            raise failure.as_error(StreamError) from failure

    def close(self) -> None:
        """End the stream."""
        self._stream.cancel()

    def __enter__(self) -> EventStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_events(
    connection: Connection,
    channel: str,
    chaincode: str,
    start_block: int | None,
    after_transaction_id: str | None,
) -> EventStream:
    """Open the stream that `Network.chaincode_events` describes."""
    if start_block is not None and start_block < 0:
        raise ValueError(f"start_block: got {start_block}, expected a block number")
    position = None
    if start_block is not None:
        position = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=start_block))
    request = gateway_pb2.ChaincodeEventsRequest(
        channel_id=channel,
        chaincode_id=chaincode,
        identity=connection.identity,
        start_position=position,
        after_transaction_id=after_transaction_id or "",
    ).SerializeToString(deterministic=True)
    signed = gateway_pb2.SignedChaincodeEventsRequest(request=request, signature=connection.sign(request))
    try:
        return EventStream(connection.transport.chaincode_events(signed))
    except StatusFailure as failure:
        raise failure.as_error(StreamError) from failure
