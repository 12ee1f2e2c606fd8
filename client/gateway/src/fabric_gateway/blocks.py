"""A channel's blocks from a peer's Deliver service: whole as sent, filtered, or with private data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import events_pb2
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from fabric_gateway.checkpoints import Checkpointer
from fabric_gateway.connection import Connection
from fabric_gateway.errors import StreamError
from fabric_gateway.failures import StatusFailure
from fabric_gateway.streams import ItemStream, StreamPatience
from fabric_gateway.transport import Stream, Transport
from fabric_protocol.errors import EncodingError
from fabric_protocol.private_rwset import PrivateWriteSet, decode_private_rwset
from fabric_protocol.proposals import transaction_id
from fabric_protocol.validation_codes import code_name

_Item = TypeVar("_Item")

_NONCE_BYTES = 24
_FOREVER = 2**64 - 1
# Fields of DeliverResponse and BlockAndPrivateData (peer/events.proto).
_BLOCK, _BLOCK_AND_PRIVATE_DATA, _INNER_BLOCK = 2, 4, 1
_LENGTH_DELIMITED = 2


@dataclass(frozen=True, slots=True)
class FilteredTransaction:
    """A transaction of a filtered block: id, Fabric's names of type and validation code, names of events."""

    transaction_id: str
    type: str
    validation_code: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FilteredBlock:
    """A block without payloads, for whoever may see transaction ids and their validity only."""

    channel: str
    number: int
    transactions: tuple[FilteredTransaction, ...]


@dataclass(frozen=True, slots=True)
class BlockWithPrivateData:
    """A block as the bytes sent, and the private writes, by transaction index, that the peer holds of it and
    the caller's organization may read.
    """

    number: int
    block: bytes
    private_writes: Mapping[int, PrivateWriteSet]


class BlockStream(ItemStream[_Item]):
    """Blocks in order of their numbers, without gaps; see `ItemStream`."""


@dataclass(frozen=True, slots=True)
class _Form(Generic[_Item]):
    """One of Deliver's three methods: how it is called, and how a response is read: (number, item)."""

    call: Callable[[Transport, common_pb2.Envelope], Stream]
    read: Callable[[bytes], tuple[int, _Item]]


def deliver_blocks(
    connection: Connection,
    channel: str,
    form: _Form[_Item],
    start: int,
    stop: int | None,
    checkpointer: Checkpointer | None,
    patience: StreamPatience,
) -> BlockStream[_Item]:
    """Open the stream that `Network.blocks` describes."""
    if start < 0 or (stop is not None and stop < start):
        raise ValueError(f"blocks: got {start} to {stop}, expected 0 ≤ start ≤ stop")
    kept = checkpointer.position if checkpointer is not None else None
    reader = _BlockReader(connection, channel, form, start if kept is None else kept.block_number, stop)
    return BlockStream(reader.open, reader.read, patience, reader.ended)


def deliver_newest(connection: Connection, channel: str) -> bytes:
    """Return the block that `Network.newest_block` describes."""
    newest = ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())
    stream = connection.transport.deliver(_seek_envelope(connection, channel, newest, newest))
    try:
        for response in stream:
            return _whole(response)[1]
    except StatusFailure as failure:
        raise failure.as_error(StreamError) from failure
    finally:
        stream.cancel()
    raise StreamError("the peer ended the stream without its newest block", code="STREAM_ENDED")


class _BlockReader(Generic[_Item]):
    """Reads responses and knows with which block the stream has to go on."""

    def __init__(
        self, connection: Connection, channel: str, form: _Form[_Item], start: int, stop: int | None
    ) -> None:
        self._connection = connection
        self._channel = channel
        self._form = form
        self._next = start
        self._stop = stop

    def open(self) -> Stream:
        begin, end = _position(self._next), _position(_FOREVER if self._stop is None else self._stop)
        envelope = _seek_envelope(self._connection, self._channel, begin, end)
        return self._form.call(self._connection.transport, envelope)

    def read(self, response: bytes) -> Iterator[_Item]:
        """Yield the block of a response.

        Raises:
            StreamError: INVALID_RESPONSE, it has none, or another than the next; or Fabric's status.
        """
        number, item = self._form.read(response)
        if number != self._next:
            raise StreamError(f"got block {number}, expected block {self._next}", code="INVALID_RESPONSE")
        self._next += 1
        yield item

    def ended(self) -> bool:
        return self._stop is not None and self._next > self._stop


def _position(number: int) -> ab_pb2.SeekPosition:
    return ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=number))


def _seek_envelope(
    connection: Connection, channel: str, start: ab_pb2.SeekPosition, stop: ab_pb2.SeekPosition
) -> common_pb2.Envelope:
    nonce = os.urandom(_NONCE_BYTES)
    timestamp = Timestamp()
    timestamp.FromDatetime(connection.clock())
    channel_header = common_pb2.ChannelHeader(
        type=common_pb2.DELIVER_SEEK_INFO,
        channel_id=channel,
        tx_id=transaction_id(nonce, connection.identity),
        timestamp=timestamp,
    )
    signature_header = common_pb2.SignatureHeader(creator=connection.identity, nonce=nonce)
    seek = ab_pb2.SeekInfo(start=start, stop=stop, behavior=ab_pb2.SeekInfo.BLOCK_UNTIL_READY)
    payload = common_pb2.Payload(
        header=common_pb2.Header(
            channel_header=channel_header.SerializeToString(deterministic=True),
            signature_header=signature_header.SerializeToString(deterministic=True),
        ),
        data=seek.SerializeToString(deterministic=True),
    ).SerializeToString(deterministic=True)
    return common_pb2.Envelope(payload=payload, signature=connection.sign(payload))


def _whole(response: bytes) -> tuple[int, bytes]:
    block = _cut(response, _BLOCK)
    if block is None:
        raise _refusal(response)
    return block_number(block), block


def _filtered(response: bytes) -> tuple[int, FilteredBlock]:
    parsed = _parsed(response)
    if parsed is None or parsed.WhichOneof("Type") != "filtered_block":
        raise _refusal(response)
    block = parsed.filtered_block
    transactions = tuple(_filtered_transaction(item) for item in block.filtered_transactions)
    return block.number, FilteredBlock(block.channel_id, block.number, transactions)


def _filtered_transaction(item: Any) -> FilteredTransaction:
    names = {value: name for name, value in common_pb2.HeaderType.items()}
    return FilteredTransaction(
        item.txid,
        names.get(item.type, str(item.type)),
        code_name(item.tx_validation_code),
        tuple(
            action.chaincode_event.event_name
            for action in item.transaction_actions.chaincode_actions
            if action.HasField("chaincode_event")
        ),
    )


def _with_private_data(response: bytes) -> tuple[int, BlockWithPrivateData]:
    parsed, inner = _parsed(response), _cut(response, _BLOCK_AND_PRIVATE_DATA)
    block = _cut(inner, _INNER_BLOCK) if inner is not None else None
    if parsed is None or block is None:
        raise _refusal(response)
    number = block_number(block)
    try:
        writes = {
            index: decode_private_rwset(rwset.SerializeToString(deterministic=True))
            for index, rwset in parsed.block_and_private_data.private_data_map.items()
        }
    except EncodingError as error:
        raise StreamError(f"block {number}: {error}", code="INVALID_RESPONSE") from error
    return number, BlockWithPrivateData(number, block, writes)


WHOLE: _Form[bytes] = _Form(lambda transport, envelope: transport.deliver(envelope), _whole)
FILTERED: _Form[FilteredBlock] = _Form(
    lambda transport, envelope: transport.deliver_filtered(envelope), _filtered
)
WITH_PRIVATE_DATA: _Form[BlockWithPrivateData] = _Form(
    lambda transport, envelope: transport.deliver_with_private_data(envelope), _with_private_data
)


def block_number(block: bytes) -> int:
    """Return a block's number; raises StreamError, INVALID_RESPONSE."""
    try:
        parsed = common_pb2.Block.FromString(block)
    except DecodeError as error:
        raise StreamError("got bytes that are no block", code="INVALID_RESPONSE") from error
    return int(parsed.header.number)


def _cut(message: bytes, field: int) -> bytes | None:
    """Cut the only field of a message out without re-encoding it: a verifier needs the bytes as sent.

    None where the first field is another one, or does not fill the message (block and private data: where it
    is not there).
    """
    if not message or message[0] != field << 3 | _LENGTH_DELIMITED:
        return None
    length = shift = 0
    for position in range(1, min(len(message), 11)):
        length |= (message[position] & 0x7F) << shift
        shift += 7
        if message[position] < 0x80:
            content = message[position + 1 : position + 1 + length]
            is_alone = position + 1 + length == len(message)
            return content if len(content) == length and (is_alone or field == _INNER_BLOCK) else None
    return None


def _parsed(response: bytes) -> Any:
    try:
        return events_pb2.DeliverResponse.FromString(response)
    except DecodeError:
        return None


def _refusal(response: bytes) -> StreamError:
    parsed = _parsed(response)
    if parsed is None:
        return StreamError("got bytes that are no DeliverResponse, expected a block", code="INVALID_RESPONSE")
    if parsed.WhichOneof("Type") != "status":
        return StreamError("got an answer without such a block, expected one", code="INVALID_RESPONSE")
    name = (
        common_pb2.Status.Name(parsed.status)
        if parsed.status in common_pb2.Status.values()
        else str(parsed.status)
    )
    return StreamError(f"the peer answered {name}, expected blocks", code=name)
