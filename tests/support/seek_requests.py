"""Signed requests for blocks, as Deliver takes them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from support.sample_organizations import Member

from fabric_protocol.signatures import sign


def seek_request(start: Any = None, stop: Any = None, *, member: Member, channel: str, **fields: Any) -> Any:
    """A request of a member; from the first to the newest block if not told otherwise."""
    seek = ab_pb2.SeekInfo(start=start or {"oldest": {}}, stop=stop or {"newest": {}}, **fields)
    channel_header = common_pb2.ChannelHeader(channel_id=channel, type=common_pb2.DELIVER_SEEK_INFO)
    channel_header.timestamp.FromNanoseconds(time.time_ns())
    header = common_pb2.Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=common_pb2.SignatureHeader(creator=member.serialized).SerializeToString(),
    )
    payload = common_pb2.Payload(header=header, data=seek.SerializeToString()).SerializeToString()
    return common_pb2.Envelope(payload=payload, signature=sign(member.key, payload))


async def asked(*requests: Any) -> AsyncIterator[Any]:
    """Requests as a stream."""
    for item in requests:
        yield item
