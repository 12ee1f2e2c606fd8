"""The two methods that the conversation with a peer needs of a connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Stream(Protocol):
    """A bidirectional stream of ``ChaincodeMessage``; gRPC in a service, queues in tests.

    ``receive`` and ``send`` are each called by one task at a time.
    """

    async def receive(self) -> Any | None:
        """Next message of the peer, ``None`` once it has closed the stream.

        Raises:
            ConversationError: the peer sent bytes that are no message.
        """
        ...

    async def send(self, messages: Sequence[Any]) -> None:
        """Send messages to the peer, in order.

        Raises:
            ConversationError: the stream has ended.
        """
        ...
