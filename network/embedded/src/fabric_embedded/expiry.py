"""Expiry of identities: no MSP looks at it, so that every entrance does (fabric-behaviour §1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric_protocol.errors import IdentityError
from fabric_protocol.identities import parse_identity

if TYPE_CHECKING:
    from datetime import datetime

    from fabric_protocol.msp import MspManager


def is_expired(serialized: bytes, msps: MspManager, instant: datetime) -> bool:
    """Whether an identity's certificate has run out.

    Parameters:
        serialized: M(SerializedIdentity).
        msps: of the channel, which keep the identities that they have read.
        instant: the node's own time, aware.

    Returns:
        False for an identity that cannot be read: others refuse it, with a better reason.
    """
    try:
        return _certificate_end(serialized, msps) < instant
    except IdentityError:
        return False


def _certificate_end(serialized: bytes, msps: MspManager) -> datetime:
    try:
        return msps.deserialize(serialized).end
    except IdentityError:
        # Expiry comes before trust: a stranger's expired certificate is refused as expired.
        return parse_identity(serialized).certificate.not_valid_after_utc
