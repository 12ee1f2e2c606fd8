"""The members of the channel now: its MSPs with their revocation lists, read again every two seconds."""

from __future__ import annotations

import threading
import time

from consentry.errors import ConsentryError
from consentry.running_channel import read_configuration
from fabric_gateway import Network
from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import Identity
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


def current_member(members: MspManager, serialized: bytes, now: float, clock_leeway: float = 0.0) -> Identity:
    """Return the identity of a member whose certificate is its MSP's, not revoked, and valid now.

    `now` is in Unix seconds; a certificate may begin up to `clock_leeway` seconds later.

    Raises:
        ConsentryError: CALLER_UNKNOWN.
    """
    try:
        identity = members.deserialize(serialized)
        members.validate(identity)
    except ProtocolError as error:
        raise ConsentryError(
            "CALLER_UNKNOWN", f"the caller is no member of the channel ({error.code})"
        ) from error
    certificate = identity.certificate
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins.timestamp() - clock_leeway <= now < ends.timestamp():
        raise ConsentryError("CALLER_UNKNOWN", "the caller's certificate is not valid at this time")
    return identity
