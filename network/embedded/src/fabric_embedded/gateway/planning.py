"""Which organizations must endorse, worked out from what a simulation touched. Pure: no peer is asked.

Source: fabric-behaviour §3.3; Fabric `internal/pkg/gateway/registry.go`, `discovery/endorsement`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fabric_embedded.errors import EmbeddedError
from fabric_protocol.definitions import read_definition
from fabric_protocol.errors import PolicyError
from fabric_protocol.interest import InterestCall
from fabric_protocol.planning import endorsement_requirements, plan_endorsers

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.identities import Identity
    from fabric_protocol.state import StateReader

_NO_COMBINATION = "no combination of peers can be derived which satisfy the endorsement policy: "
_MOST_KNOWN = 256


class NoPlan(EmbeddedError):
    """No set of organizations can endorse this; the message is Fabric's."""


def no_metadata(chaincode: str, channel_id: str) -> NoPlan:
    """The chaincode has no definition on the channel, or there is no such channel."""
    text = f"No metadata was found for chaincode {chaincode} in channel {channel_id}"
    return NoPlan("NO_COMBINATION", _NO_COMBINATION + text)


@dataclass
class KnownPlans:
    """The last plans: while configuration and definitions stay as they are, so does every answer."""

    _plans: OrderedDict[Hashable, tuple[str, ...]] = field(default_factory=OrderedDict)

    def find(self, question: Hashable) -> tuple[str, ...] | None:
        """The plan that answered the same question before."""
        return self._plans.get(question)

    def keep(self, question: Hashable, plan: tuple[str, ...]) -> None:
        """Keep a plan, in place of the oldest when there are many."""
        self._plans[question] = plan
        if len(self._plans) > _MOST_KNOWN:
            self._plans.popitem(last=False)


@dataclass(frozen=True)
class EndorsementPlanner:
    """Plans endorsements for one channel at one moment.

    Parameters:
        config: the channel's configuration in force.
        state: committed state, for chaincode definitions.
        lifecycle_height: changes whenever those definitions may have changed.
        members: every organization's peer identity, by MSP id.
        known: plans of earlier moments.
    """

    config: ChannelConfig
    state: StateReader
    lifecycle_height: int
    members: Mapping[str, Identity]
    known: KnownPlans

    def plan(
        self, interest: Iterable[InterestCall], available: Iterable[str], first: str | None
    ) -> tuple[str, ...]:
        """Choose the organizations that are to endorse.

        Parameters:
            interest: what the first simulation touched.
            available: MSP ids of the organizations whose peers can be asked now.
            first: MSP id of the organization that has endorsed already.

        Returns:
            MSP ids of the fewest organizations that satisfy every policy, `first` leading if it counts.

        Raises:
            NoPlan: no combination satisfies the policies, or not with the peers available.
        """
        interest, available = tuple(interest), frozenset(available)
        question = (self.config.sequence, self.lifecycle_height, interest, available, first)
        plan = self.known.find(question)
        if plan is None:
            plan = self._work_out(interest, available, first)
            self.known.keep(question, plan)
        return plan

    def _work_out(
        self, interest: tuple[InterestCall, ...], available: frozenset[str], first: str | None
    ) -> tuple[str, ...]:
        try:
            needed = endorsement_requirements(
                interest, config=self.config, state=self.state, candidates=self.members
            )
        except PolicyError as error:
            for call in interest:
                if read_definition(self.state, call.name) is None:
                    raise no_metadata(call.name, self.config.channel_id) from error
            raise NoPlan("NO_COMBINATION", _NO_COMBINATION + error.message) from error
        eligible = {msp_id: self.members[msp_id] for msp_id in needed.eligible}
        reachable = {msp_id: identity for msp_id, identity in eligible.items() if msp_id in available}
        plan = plan_endorsers(needed.policies, reachable, first)
        if plan is not None:
            return plan
        if plan_endorsers(needed.policies, eligible, first) is None:
            raise NoPlan(
                "NO_COMBINATION", _NO_COMBINATION + "no peer combination can satisfy the endorsement policy"
            )
        missing = ", ".join(sorted(set(eligible) - set(reachable)))
        raise NoPlan(
            "PEERS_UNAVAILABLE",
            "failed to select a set of endorsers that satisfy the endorsement policy due to unavailability "
            f"of peers: [{missing}]",
        )


def read_interest(message: Any, chaincode: str, *, has_transient: bool) -> tuple[InterestCall, ...]:
    """The interest of a first endorsement as the Gateway hands it on to planning.

    Parameters:
        message: `ChaincodeInterest`.
        chaincode: what was called, for an empty interest.
        has_transient: whether the proposal carries transient data; then only members of the collections that
            it touches may be asked, whether or not their data was read.
    """
    calls = tuple(
        InterestCall(
            call.name,
            collection,
            no_private_reads=call.no_private_reads and not has_transient,
            key_policies=tuple(policy.SerializeToString(deterministic=True) for policy in call.key_policies),
            disregard_namespace_policy=call.disregard_namespace_policy,
        )
        for call in message.chaincodes
        for collection in (call.collection_names or [""])
    )
    return calls or (InterestCall(chaincode),)
