"""Filters before the endorser: expired clients and wrong clocks (`core/handlers/auth/filter`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fabric_embedded.errors import PeerRefusal
from fabric_embedded.expiry import is_expired

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.proposals import Proposal

TIME_WINDOW = timedelta(seconds=60)
"""How far a proposal's clock may be from the peer's (`peer.authentication.timewindow`)."""


def check_filters(proposal: Proposal, config: ChannelConfig, instant: datetime) -> None:
    """Refuse proposals of expired identities, and those whose clock is too far from the peer's.

    Parameters:
        proposal: as read; nothing of it has been checked.
        config: of the channel, whose MSPs read the creator.
        instant: the peer's own time, aware.

    Raises:
        PeerRefusal: CLIENT_EXPIRED, TIMESTAMP_REFUSED.
    """
    if is_expired(proposal.creator, config.msps, instant):
        raise PeerRefusal("CLIENT_EXPIRED", "proposal client identity expired", is_filter=True)
    if abs(instant - proposal.timestamp) > TIME_WINDOW:
        raise PeerRefusal(
            "TIMESTAMP_REFUSED",
            f"request unauthorized due to incorrect timestamp {_go_time(proposal.timestamp)}, "
            f"peer time {_go_time(instant)}, peer.authentication.timewindow "
            f"{int(TIME_WINDOW.total_seconds()) // 60}m{int(TIME_WINDOW.total_seconds()) % 60}s",
            is_filter=True,
        )


def _go_time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
