"""What the signed proposal says that came with a transaction, parsed only as far as a contract asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2
from google.protobuf.message import DecodeError

from fabric_shim.caller import Caller, read_caller
from fabric_shim.errors import ContractError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND: Final = 253402300799
"""9999-12-31T23:59:59Z, the last second of ``google.protobuf.Timestamp``."""


class SignedProposal:
    """A proposal whose signature the peer has checked.

    Args:
        message: the protobuf ``SignedProposal``.

    Raises:
        ContractError: ``PROPOSAL_INVALID``, the headers cannot be read or hold no time.
    """

    def __init__(self, message: Any) -> None:
        self._message = message
        try:
            self._proposal = proposal_pb2.Proposal.FromString(message.proposal_bytes)
            self._header = common_pb2.Header.FromString(self._proposal.header)
            self._channel_header = common_pb2.ChannelHeader.FromString(self._header.channel_header)
        except DecodeError:
            raise _invalid() from None
        timestamp = self._channel_header.timestamp
        if not 0 < timestamp.seconds <= _LAST_SECOND or not 0 <= timestamp.nanos < 10**9:
            raise _invalid()

    @property
    def proposal_seconds(self) -> float:
        """Seconds since 1970 by the proposer's clock, for the time guard."""
        timestamp = self._channel_header.timestamp
        return float(timestamp.seconds + timestamp.nanos / 1e9)

    @cached_property
    def proposal_time(self) -> datetime:
        """The same as an aware UTC ``datetime``; nanoseconds are cut to microseconds."""
        timestamp = self._channel_header.timestamp
        return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)

    @cached_property
    def _signature_header(self) -> Any:
        try:
            return common_pb2.SignatureHeader.FromString(self._header.signature_header)
        except DecodeError:
            raise _invalid() from None

    @property
    def caller(self) -> Caller:
        """Who made the proposal."""
        return read_caller(self._signature_header.creator)

    @cached_property
    def transient(self) -> Mapping[str, bytes]:
        """The transient map, read-only."""
        try:
            payload = proposal_pb2.ChaincodeProposalPayload.FromString(self._proposal.payload)
        except DecodeError:
            raise _invalid() from None
        return MappingProxyType(dict(payload.TransientMap))

    @property
    def binding(self) -> bytes:
        """SHA-256 of nonce, creator and epoch (8 bytes, least first), as the official shims compute it."""
        header = self._signature_header
        epoch = self._channel_header.epoch.to_bytes(8, "little")
        return hashlib.sha256(header.nonce + header.creator + epoch).digest()

    @property
    def serialized(self) -> bytes:
        """``M(SignedProposal)``."""
        return bytes(self._message.SerializeToString())


def _invalid() -> ContractError:
    return ContractError("PROPOSAL_INVALID", "the transaction came without a proposal that can be read")
