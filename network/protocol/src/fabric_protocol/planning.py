"""Choosing endorsers: the fewest organizations that satisfy every policy a transaction comes under.

Source: Fabric ``discovery/endorsement``, ``internal/pkg/gateway/endorse.go``; choices that Fabric leaves to
chance are by MSP id here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from fabric_protocol.collections import is_member, read_collections
from fabric_protocol.definitions import IMPLICIT_COLLECTION_PREFIX
from fabric_protocol.endorsement_rules import ChannelPolicies
from fabric_protocol.errors import PolicyError
from fabric_protocol.identities import Identity
from fabric_protocol.interest import InterestCall
from fabric_protocol.policies import Policy
from fabric_protocol.state import StateReader

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig


@dataclass(frozen=True)
class EndorsementRequirements:
    """What endorsers of a transaction must satisfy.

    ``policies`` must all hold; ``eligible`` are the MSP ids of the candidates that may see what it reads.
    """

    policies: tuple[Policy, ...]
    eligible: frozenset[str]


def endorsement_requirements(
    interest: Iterable[InterestCall],
    *,
    config: "ChannelConfig",
    state: StateReader,
    candidates: Mapping[str, Identity],
) -> EndorsementRequirements:
    """Find out what endorsers of a transaction must satisfy.

    Parameters:
        interest: what its simulation touched (`SimulationResults.interest`).
        config: configuration in force.
        state: committed state, with the chaincodes' definitions.
        candidates: one peer identity for each organization's MSP id.

    Raises:
        PolicyError: POLICY_NOT_FOUND for a chaincode or collection without a usable policy.
    """
    policies = ChannelPolicies(config, state)
    needed: dict[int, Policy] = {}
    eligible = frozenset(candidates)
    for call in interest:
        for policy in _policies_of(call, policies):
            needed[id(policy)] = policy
        if call.collection and not call.no_private_reads:
            eligible &= _members(call, policies, config, candidates)
    return EndorsementRequirements(tuple(needed.values()), eligible)


def plan_endorsers(
    policies: Sequence[Policy], candidates: Mapping[str, Identity], first: str | None = None
) -> tuple[str, ...] | None:
    """Choose organizations to endorse a transaction.

    Parameters:
        policies: all must hold.
        candidates: one peer identity for each MSP id that may be asked.
        first: MSP id that should be among them, if its endorsement counts for anything.

    Returns:
        MSP ids: the smallest set in which ``first`` is needed, else the smallest of all; among equals the
        first by sorted ids. ``first`` leads, the others are sorted. None if no set satisfies the policies.
    """
    names = sorted(candidates)

    def satisfied(chosen: Sequence[str]) -> bool:
        identities = [candidates[name] for name in chosen]
        return all(policy.evaluate_identities(identities) for policy in policies)

    if first is not None and first in candidates:
        others = [name for name in names if name != first]
        for chosen in _by_size(others):
            if satisfied([first, *chosen]) and not satisfied(chosen):
                return (first, *chosen)
    return next((chosen for chosen in _by_size(names) if chosen and satisfied(chosen)), None)


def _by_size(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def _policies_of(call: InterestCall, policies: ChannelPolicies) -> list[Policy]:
    found = [policies.key(encoded) for encoded in call.key_policies]
    if call.collection:
        found.append(policies.collection(call.name, call.collection))
    elif not call.disregard_namespace_policy:
        found.append(policies.chaincode(call.name))
    usable = [policy for policy in found if policy is not None]
    if len(usable) != len(found):
        where = f"collection {call.collection} of " if call.collection else ""
        raise PolicyError("POLICY_NOT_FOUND", f"There is no usable policy for {where}chaincode {call.name}.")
    return usable


def _members(
    call: InterestCall, policies: ChannelPolicies, config: "ChannelConfig", candidates: Mapping[str, Identity]
) -> frozenset[str]:
    if call.collection.startswith(IMPLICIT_COLLECTION_PREFIX):
        return frozenset({call.collection.removeprefix(IMPLICIT_COLLECTION_PREFIX)})
    definition = policies.definition(call.name)
    collections = read_collections(definition.collections) if definition else ()
    for collection in collections:
        if collection.name == call.collection:
            return frozenset(
                msp_id
                for msp_id, identity in candidates.items()
                if is_member(collection, identity, config.msps)
            )
    return frozenset()
