"""The members of the channel now: its MSPs with their revocation lists, read again every two seconds."""

from __future__ import annotations

import threading
import time

from consentry.attach.channel import read_configuration
from fabric_gateway import Network
from fabric_protocol.msp import MspManager

_SECONDS = 2.0


class ChannelMembers:
    """Callable that gives the channel's MSPs, never older than two seconds; usable by many threads."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._msps: MspManager | None = None

    def __call__(self) -> MspManager:
        """Return the MSPs.

        Raises:
            ConfigurationError: CHANNEL_UNREADABLE.
        """
        with self._lock:
            if self._msps is None or time.monotonic() - self._read_at > _SECONDS:
                self._msps = read_configuration(self._network).msps
                self._read_at = time.monotonic()
            return self._msps
