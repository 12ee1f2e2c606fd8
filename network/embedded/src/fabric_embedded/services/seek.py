"""Which blocks a Deliver request asks for. Pure.

Source: fabric-behaviour §8 (`common/deliver/deliver.go`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from google.protobuf.message import DecodeError

_FOR_EVER = 2**64 - 1


class SeekRefusal(Exception):
    """A request that is answered with a status (`common.Status`) instead of blocks."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class SeekRequest:
    """A parsed Deliver request.

    Parameters:
        channel_id: from the channel header.
        creator: M(SerializedIdentity) of whoever signed.
        seek: `SeekInfo`.
    """

    channel_id: str
    creator: bytes
    seek: Any


@dataclass(frozen=True)
class SeekRange:
    """Blocks `start` to `stop`, both included.

    Parameters:
        wait: whether to wait for blocks that do not exist yet, or to answer NOT_FOUND.
        headers_only: whether a block's data stays away.
    """

    start: int
    stop: int
    wait: bool
    headers_only: bool


def read_seek(envelope: Any, instant: float, window_seconds: float) -> SeekRequest:
    """Parse a request's envelope; its signature is for the caller to check.

    Parameters:
        envelope: `Envelope` as received.
        instant: the node's time, seconds since 1970.
        window_seconds: how far the request's time may be from it.

    Raises:
        SeekRefusal: BAD_REQUEST.
    """
    try:
        payload = common_pb2.Payload.FromString(envelope.payload)
        channel_header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
        signature_header = common_pb2.SignatureHeader.FromString(payload.header.signature_header)
        seek = ab_pb2.SeekInfo.FromString(payload.data)
    except DecodeError as error:
        raise SeekRefusal(common_pb2.BAD_REQUEST) from error
    if not payload.HasField("header") or not channel_header.HasField("timestamp"):
        raise SeekRefusal(common_pb2.BAD_REQUEST)
    time = channel_header.timestamp.seconds + channel_header.timestamp.nanos / 1e9
    if abs(instant - time) > window_seconds:
        raise SeekRefusal(common_pb2.BAD_REQUEST)
    return SeekRequest(channel_header.channel_id, signature_header.creator, seek)


def resolve_range(seek: Any, height: int) -> SeekRange:
    """Turn `SeekInfo` into block numbers.

    Parameters:
        seek: what was asked.
        height: number of blocks now.

    Raises:
        SeekRefusal: BAD_REQUEST for a missing position or a stop before the start, NOT_FOUND for a start
            beyond the height or without a kind.
    """
    if not (seek.HasField("start") and seek.HasField("stop")):
        raise SeekRefusal(common_pb2.BAD_REQUEST)
    first = {
        None: height + 1,
        "oldest": 0,
        "newest": height - 1,
        "next_commit": height,
        "specified": seek.start.specified.number,
    }
    begin = first[seek.start.WhichOneof("Type")]
    if begin > height:
        raise SeekRefusal(common_pb2.NOT_FOUND)
    stop = seek.stop.WhichOneof("Type")
    # To Fabric every other kind of stop is block 0.
    last = {"oldest": begin, "newest": height - 1, "specified": seek.stop.specified.number}.get(stop, 0)
    if last < begin:
        if stop == "specified":
            raise SeekRefusal(common_pb2.BAD_REQUEST)
        # Blocks come until one has the number of the stop, which is past already.
        last = _FOR_EVER
    return SeekRange(
        begin,
        last,
        wait=seek.behavior == ab_pb2.SeekInfo.BLOCK_UNTIL_READY,
        headers_only=seek.content_type == ab_pb2.SeekInfo.HEADER_WITH_SIG,
    )
