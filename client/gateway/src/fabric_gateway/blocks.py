"""A channel's blocks from a peer's Deliver service, as the bytes that it sent."""

from __future__ import annotations

import os
from collections.abc import Iterator

from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import events_pb2
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from fabric_gateway.connection import Connection
from fabric_gateway.errors import StreamError
from fabric_gateway.transport import StatusFailure
from fabric_protocol.proposals import transaction_id

_NONCE_BYTES = 24
_FOREVER = 2**64 - 1
# DeliverResponse.block is field 2, length-delimited (peer/events.proto): tag (2 << 3) | 2.
_BLOCK_TAG = 0x12


def deliver_blocks(connection: Connection, channel: str, start: int, stop: int | None) -> Iterator[bytes]:
    """Yield blocks as `Network.blocks` describes."""
    if start < 0 or (stop is not None and stop < start):
        raise ValueError(f"blocks: got {start} to {stop}, expected 0 ≤ start ≤ stop")
    return _deliver(connection, channel, start, stop)


def deliver_newest(connection: Connection, channel: str) -> bytes:
    """Return the block that `Network.newest_block` describes."""
    newest = ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())
    stream = connection.transport.deliver(_seek_envelope(connection, channel, newest, newest))
    try:
        for response in stream:
            return _block_bytes(response)
    except StatusFailure as failure:
        raise failure.as_error(StreamError) from failure
    finally:
        stream.cancel()
    raise StreamError("the peer ended the stream without its newest block", code="STREAM_ENDED")


def _deliver(connection: Connection, channel: str, start: int, stop: int | None) -> Iterator[bytes]:
    begin, end = _position(start), _position(_FOREVER if stop is None else stop)
    stream = connection.transport.deliver(_seek_envelope(connection, channel, begin, end))
    expected = start
    try:
        for response in stream:
            block = _block_bytes(response)
            yield block
            if expected == stop:
                return
            expected += 1
    except StatusFailure as failure:
        raise failure.as_error(StreamError) from failure
    finally:
        stream.cancel()
    raise StreamError(f"the peer ended the stream before block {expected}", code="STREAM_ENDED")


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


def _block_bytes(response: bytes) -> bytes:
    """Cut the block out of a DeliverResponse without re-encoding it: a verifier needs the bytes as sent."""
    if response and response[0] == _BLOCK_TAG:
        length = shift = 0
        for position in range(1, min(len(response), 11)):
            length |= (response[position] & 0x7F) << shift
            shift += 7
            if response[position] < 0x80:
                block = response[position + 1 :]
                if len(block) == length:
                    return block
                break
    raise _refusal(response)


def _refusal(response: bytes) -> StreamError:
    try:
        parsed = events_pb2.DeliverResponse.FromString(response)
    except DecodeError:
        return StreamError("got bytes that are no DeliverResponse, expected a block", code="INVALID_RESPONSE")
    if parsed.WhichOneof("Type") != "status":
        return StreamError("got an answer without a block, expected one block", code="INVALID_RESPONSE")
    name = (
        common_pb2.Status.Name(parsed.status)
        if parsed.status in common_pb2.Status.values()
        else str(parsed.status)
    )
    return StreamError(f"the peer answered {name}, expected blocks", code=name)
