"""What every system chaincode is given, and how it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_response_pb2

from fabric_protocol.policies import SignedData

if TYPE_CHECKING:
    from fabric_embedded.endorsement.admission import AdmittedProposal
    from fabric_embedded.storage.snapshots import Snapshot
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.simulation import Simulator


@dataclass(frozen=True)
class SystemCall:
    """One call of a system chaincode.

    Parameters:
        arguments: function first; a calling chaincode's arguments are not the proposal's.
        admitted: the proposal.
        config: the channel's configuration in force.
        snapshot: the ledger.
        simulator: of the transaction; None for a proposal without a channel.
    """

    arguments: tuple[bytes, ...]
    admitted: AdmittedProposal
    config: ChannelConfig
    snapshot: Snapshot
    simulator: Simulator | None

    @property
    def signed_data(self) -> SignedData:
        """The proposal as policies judge it."""
        proposal = self.admitted.proposal
        return SignedData(proposal.data, proposal.creator, self.admitted.signed.signature)

    @property
    def function(self) -> str:
        """Name of the function."""
        return text_of(self.arguments[0])


class SystemChaincode(Protocol):
    """A chaincode that is part of the peer."""

    async def invoke(self, call: SystemCall) -> proposal_response_pb2.Response:
        """Run one function; every failure is an answer."""
        ...


class UnsayableText(Exception):
    """An answer whose text would hold bytes that are no UTF-8: Fabric cannot send it either."""


def text_of(argument: bytes) -> str:
    """An argument as a text of Go: bytes that are no UTF-8 are kept (as lone surrogates)."""
    return argument.decode("utf-8", "surrogateescape")


def succeeded(payload: bytes) -> proposal_response_pb2.Response:
    """Status 200 with a payload."""
    return proposal_response_pb2.Response(status=common_pb2.SUCCESS, payload=payload)


def failed(message: str) -> proposal_response_pb2.Response:
    """Status 500 with Fabric's text.

    Raises:
        UnsayableText: the text quotes an argument that is no text.
    """
    try:
        message.encode()
    except UnicodeEncodeError as error:
        raise UnsayableText from error
    return proposal_response_pb2.Response(status=common_pb2.INTERNAL_SERVER_ERROR, message=message)
