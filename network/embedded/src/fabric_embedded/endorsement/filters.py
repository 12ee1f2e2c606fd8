"""Filters before the endorser: expired clients and wrong clocks (`core/handlers/auth/filter`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2

from fabric_embedded.errors import PeerRefusal
from fabric_embedded.expiry import is_expired
from fabric_protocol.errors import ProposalError
from fabric_protocol.proposals import parsed
from fabric_protocol.timestamps import to_nearest_datetime

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
    _check_expiry(proposal.creator, config, instant)
    _check_time(proposal.timestamp, instant)


def check_unread(data: bytes, config: ChannelConfig, instant: datetime) -> None:
    """As `check_filters`, for M(Proposal) that the endorser will refuse to read: filters come before it.

    Raises:
        PeerRefusal: as `check_filters`, and PROPOSAL_MALFORMED.
    """
    proposal = _part(proposal_pb2.Proposal, data, "proposal")
    header = _part(common_pb2.Header, proposal.header, "header")
    creator = _part(common_pb2.SignatureHeader, header.signature_header, "signature header").creator
    _check_expiry(creator, config, instant)
    channel_header = _part(common_pb2.ChannelHeader, header.channel_header, "channel header")
    _check_time(to_nearest_datetime(channel_header.timestamp), instant)


def _part(message_type: Any, data: bytes, name: str) -> Any:
    try:
        return parsed(message_type, data)
    except ProposalError as error:
        raise PeerRefusal(error.code, f"failed parsing {name}: {error.message}", is_filter=True) from error


def _check_expiry(creator: bytes, config: ChannelConfig, instant: datetime) -> None:
    if is_expired(creator, config.msps, instant):
        raise PeerRefusal("CLIENT_EXPIRED", "proposal client identity expired", is_filter=True)


def _check_time(timestamp: datetime, instant: datetime) -> None:
    if abs(instant - timestamp) > TIME_WINDOW:
        raise PeerRefusal(
            "TIMESTAMP_REFUSED",
            f"request unauthorized due to incorrect timestamp {_go_time(timestamp)}, "
            f"peer time {_go_time(instant)}, peer.authentication.timewindow "
            f"{int(TIME_WINDOW.total_seconds()) // 60}m{int(TIME_WINDOW.total_seconds()) % 60}s",
            is_filter=True,
        )


def _go_time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
