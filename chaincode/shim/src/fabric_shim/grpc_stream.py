"""A gRPC call as ``Stream``: messages cross it as bytes, several in one write.

grpclib reads and writes one message at a time, of any length. Chaincode has many transactions on one stream,
whose messages come in bursts: one write a burst is a system call, a TLS record and an HTTP/2 frame instead of
many. So its HTTP/2 stream is used directly, and gRPC's five bytes before each message are put here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import grpclib.protocol
from grpclib.config import Configuration
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import DataFrame

from fabric_shim.errors import ConversationError
from fabric_shim.messages import MOST_MESSAGE_BYTES, parse_message

_PREFIX_BYTES: Final = 5
_FRAME_BYTES: Final = 2**20
"""HTTP/2 frames that are taken: at the usual 16 KiB a batch of a megabyte is taken apart into sixty."""

# Pings find a connection that died without a word. Peers close one that pings oftener than once a minute.
CONFIGURATION: Final = Configuration(
    _keepalive_time=70.0,
    _keepalive_timeout=20.0,
    _http2_max_pings_without_data=0,
    _http2_min_sent_ping_interval_without_data=60.0,
)


def _size(frame: DataFrame) -> str:
    return f"<{len(frame.data)} bytes>"


# h2 writes out every frame that it receives, logged or not: 18 ms for one of a megabyte. Nor do payloads
# belong into a log.
DataFrame._body_repr = _size  # type: ignore[assignment]


class GrpcStream:
    """One call, of a client or of a server, whose headers have been sent.

    Args:
        stream: the call's HTTP/2 stream.
    """

    def __init__(self, stream: grpclib.protocol.Stream) -> None:
        self._stream = stream

    async def receive(self) -> Any | None:
        """Next message of the peer, ``None`` once it has closed the stream.

        Raises:
            ConversationError: the peer sent what is no message, or is too large for one.
        """
        try:
            prefix = await self._stream.recv_data(_PREFIX_BYTES)
            if not prefix:
                return None
            length = int.from_bytes(prefix[1:], "big")
            if prefix[0] or length > MOST_MESSAGE_BYTES:
                raise ConversationError(
                    f"got a message of {length} bytes, {'compressed' if prefix[0] else 'too many'}"
                )
            return parse_message(await self._stream.recv_data(length))
        except AssertionError:
            # What grpclib raises where it had expected more.
            raise ConversationError("the stream ended inside a message") from None

    async def send(self, messages: Sequence[Any]) -> None:
        """Send messages to the peer, in order.

        Raises:
            ConversationError: the stream has ended.
        """
        parts: list[bytes] = []
        for message in messages:
            data = message.SerializeToString()
            parts += (b"\0" + len(data).to_bytes(4, "big"), data)
        try:
            await self._stream.send_data(b"".join(parts))
        except ProtocolError:
            raise ConversationError("the stream ended while messages were sent") from None

    def close(self) -> None:
        """Close the connection, after what is written already."""
        self._stream.connection.close()


def take_large_frames(stream: grpclib.protocol.Stream) -> None:
    """Tell the other side of a call's connection that it may send frames of a megabyte."""
    stream._h2_connection.update_settings({SettingCodes.MAX_FRAME_SIZE: _FRAME_BYTES})
    stream.connection.flush()
