"""Changes of a channel's configuration that several organizations sign, each where its own keys are.

A proposal is a file that goes from hand to hand: made by one, looked at and signed by each, sent by anyone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fabric_operator.errors import NetworkError
from fabric_operator.reconfiguration import (
    OrderingNode,
    propose_change,
    read_configuration,
    submit_update,
)
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.config_review import (
    Review,
    new_proposal,
    read_proposal,
    review_proposal,
    sign_proposal,
)
from fabric_protocol.config_signing import ConfigSigner
from fabric_protocol.errors import ProtocolError

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Proposals:
    """One organization's administrator, with the ordering nodes that he believes.

    Parameters:
        nodes: asked in turn for the configuration in force; his own organization's first.
        channel: its id.
        administrator: who reads, signs and sends.
    """

    nodes: Sequence[OrderingNode]
    channel: str
    administrator: ConfigSigner

    def propose(self, change: Callable[[Any], Any]) -> bytes:
        """A proposal that makes a change, signed by nobody yet.

        Parameters:
            change: makes the wanted tree (ConfigGroup) of the one in force.

        Raises:
            NetworkError: ORDERER_UNREACHABLE; or why the change cannot be made, e.g. CONFIG_UNCHANGED.
        """
        update = propose_change(self.nodes, self.channel, self.administrator, change)
        return new_proposal(self.channel, update)

    def current(self) -> ChannelConfig:
        """The configuration in force.

        Raises:
            NetworkError: ORDERER_UNREACHABLE.
        """
        block = read_configuration(self.nodes, self.channel, self.administrator)
        return ChannelConfig.from_block(block)

    def review(self, proposal: bytes) -> Review:
        """What a proposal changes and who has to sign it still.

        Raises:
            NetworkError: ORDERER_UNREACHABLE; CONFIG_UPDATE_INVALID, also for one of another channel;
                CONFIG_VERSION_CONFLICT, one made from another configuration than the one in force.
        """
        return self._judged(lambda current: review_proposal(current, proposal))

    def sign(self, proposal: bytes) -> bytes:
        """A proposal with this administrator's signature added.

        Raises:
            NetworkError: as `review`; PROPOSAL_ALTERED, PROPOSAL_SIGNED, SIGNATURE_WORTHLESS.
        """
        return self._judged(lambda current: sign_proposal(current, proposal, self.administrator))

    def submit(self, proposal: bytes) -> int:
        """Send a proposal that enough have signed, and wait until it is in force.

        Returns:
            Number of the block that brought the configuration.

        Raises:
            NetworkError: as `review`; PROPOSAL_UNSIGNED, with who is missing: nothing was sent;
                CONFIG_CHANGE_REFUSED; CONFIG_CHANGE_UNSEEN, it was sent and is not in force yet.
        """
        review = self.review(proposal)
        if not review.is_signed_by_enough:
            raise NetworkError("PROPOSAL_UNSIGNED", f"not sent: {'; '.join(missing_words(review))}")
        content = read_proposal(proposal)
        return submit_update(
            self.nodes, self.channel, content.config_update, content.signatures, self.administrator
        )

    def _judged(self, judge: Callable[[ChannelConfig], _Answer]) -> _Answer:
        current = self.current()
        try:
            return judge(current)
        except ProtocolError as error:
            raise NetworkError(error.code, error.message) from error


def missing_words(review: Review) -> list[str]:
    """For each policy that is not satisfied yet, what it asks for and whom it counts."""
    lines = []
    for demand in review.demands:
        if not demand.satisfied:
            counted = f"; not signed by {', '.join(demand.without)}" if demand.without else ""
            lines.append(f"{demand.policy} asks for {demand.asks_for}{counted}")
    return lines
