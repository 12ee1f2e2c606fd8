"""What discovery tells of a channel: its configuration, its peers, and who can endorse what.

Source: fabric-behaviour §9; `discovery/support/config/support.go`, `discovery/endorsement/endorsement.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from fabric_protos.discovery import protocol_pb2
from fabric_protos.msp import msp_config_pb2

from fabric_embedded.discovery.gossip_messages import AdvertisedPeer
from fabric_protocol.collections import read_collections
from fabric_protocol.definitions import (
    IMPLICIT_COLLECTION_PREFIX,
    LIFECYCLE_NAMESPACE,
    metadata_key,
    read_definition,
)
from fabric_protocol.errors import PolicyError
from fabric_protocol.interest import InterestCall
from fabric_protocol.planning import EndorsementRequirements, endorsement_requirements

if TYPE_CHECKING:
    from fabric_embedded.engine import Engine

# Every peer since Fabric 2.0 lists it, so that clients find endorsers of its own transactions.
_LIFECYCLE_VERSION = "1"


class NoDescriptor(Exception):
    """No peers can endorse this, or what it names does not exist; the text is for the log."""


@dataclass(frozen=True)
class ChannelView:
    """The channel as it is now.

    Parameters:
        engine: whose channel.
        peers: every organization's peer, by MSP id.
        sequence: number of the statements that the peers make.
        msp_id: of the organization whose peer looks.
    """

    engine: Engine
    peers: Mapping[str, AdvertisedPeer]
    sequence: int
    msp_id: str

    def config(self) -> Any:
        """`ConfigResult`: the organizations' MSPs, and where their ordering nodes are."""
        result = protocol_pb2.ConfigResult()
        groups = self.engine.config.group.groups
        for part in ("Orderer", "Application"):
            for group in groups[part].groups.values():
                outer = msp_config_pb2.MSPConfig.FromString(group.values["MSP"].value)
                content = msp_config_pb2.FabricMSPConfig.FromString(outer.config)
                result.msps[content.name].CopyFrom(content)
                if part == "Orderer":
                    # Present even for an organization without an ordering node.
                    result.orderers[content.name].SetInParent()
        for msp_id, endpoints in self.engine.config.orderer_endpoints.items():
            for endpoint in endpoints:
                host, _, port = endpoint.rpartition(":")
                result.orderers[msp_id].endpoint.add(host=host.strip("[]"), port=int(port))
        return result

    def members(self, names: Sequence[str] | None = None) -> Any:
        """`PeerMembershipResult` with the state of these organizations' peers; None: without any state."""
        result = protocol_pb2.PeerMembershipResult()
        for msp_id, peer in self.peers.items():
            listed = result.peers_by_org[msp_id]
            if names is None:
                listed.peers.add(identity=peer.identity.serialized, membership_info=self._alive(msp_id))
            elif msp_id in names:
                listed.peers.append(self._stateful(msp_id))
        return result

    def authorized(self, interest: Any) -> list[str]:
        """MSP ids of the organizations whose peers have all of an interest's chaincodes and may see its data.

        Raises:
            NoDescriptor: a chaincode or collection does not exist, with Fabric's text.
        """
        if not interest.chaincodes:
            return sorted(self.peers)
        self._check_known(interest)
        touched = [
            InterestCall(call.name, name, no_private_reads=call.no_private_reads)
            for call in interest.chaincodes
            for name in call.collection_names
        ]
        return self._ready(interest, self._requirements(touched))

    def endorsers(self, interest: Any) -> Any:
        """`EndorsementDescriptor`: the smallest sets of organizations that satisfy an interest's policies.

        Raises:
            NoDescriptor: no peers can endorse it.
        """
        self._check_known(interest)
        needed = self._requirements(_calls(interest))
        ready = self._ready(interest, needed)
        layouts = list(self._layouts(ready, needed))
        if not layouts:
            raise NoDescriptor("no peer combination can satisfy the endorsement policy")
        groups = {msp_id: f"G{number}" for number, msp_id in enumerate(ready)}
        result = protocol_pb2.EndorsementDescriptor(chaincode=interest.chaincodes[0].name)
        for layout in layouts:
            quantities = {groups[msp_id]: 1 for msp_id in layout}
            result.layouts.add(quantities_by_group=quantities)
        for msp_id in sorted({msp_id for layout in layouts for msp_id in layout}):
            result.endorsers_by_groups[groups[msp_id]].peers.append(self._stateful(msp_id))
        return result

    def _layouts(self, ready: Sequence[str], needed: EndorsementRequirements) -> Iterator[tuple[str, ...]]:
        found: list[frozenset[str]] = []
        for size in range(1, len(ready) + 1):
            for chosen in combinations(ready, size):
                if any(smaller <= frozenset(chosen) for smaller in found):
                    continue
                identities = [self.peers[msp_id].identity for msp_id in chosen]
                if all(policy.evaluate_identities(identities) for policy in needed.policies):
                    found.append(frozenset(chosen))
                    yield chosen

    def _check_known(self, interest: Any) -> None:
        state = self.engine.ledger.state
        for call in interest.chaincodes:
            if call.name == LIFECYCLE_NAMESPACE:
                continue
            definition = read_definition(state, call.name)
            if definition is None:
                channel_id = self.engine.channel_id
                raise NoDescriptor(f"No metadata was found for chaincode {call.name} in channel {channel_id}")
            known = {collection.name for collection in read_collections(definition.collections)}
            for name in () if call.no_private_reads else call.collection_names:
                if name not in known and not name.startswith(IMPLICIT_COLLECTION_PREFIX):
                    raise NoDescriptor(
                        f"collection {name} doesn't exist in collection config for chaincode {call.name}"
                    )

    def _requirements(self, touched: Iterable[InterestCall]) -> EndorsementRequirements:
        try:
            return endorsement_requirements(
                touched,
                config=self.engine.config,
                state=self.engine.ledger.state,
                candidates={msp_id: peer.identity for msp_id, peer in self.peers.items()},
            )
        except PolicyError as error:
            raise NoDescriptor(error.message) from error

    def _ready(self, interest: Any, needed: EndorsementRequirements) -> list[str]:
        names = [call.name for call in interest.chaincodes]
        return [
            msp_id
            for msp_id in sorted(self.peers)
            if msp_id in needed.eligible and all(self.engine.peers[msp_id].serves(name) for name in names)
        ]

    def _alive(self, msp_id: str) -> Any:
        return self.peers[msp_id].alive(self.sequence, to_itself=msp_id == self.msp_id)

    def _stateful(self, msp_id: str) -> Any:
        peer, height = self.peers[msp_id], self.engine.ledger.height
        chaincodes = {
            name: version for name, version in self._defined() if self.engine.peers[msp_id].serves(name)
        }
        chaincodes[LIFECYCLE_NAMESPACE] = _LIFECYCLE_VERSION
        return protocol_pb2.Peer(
            identity=peer.identity.serialized,
            membership_info=self._alive(msp_id),
            state_info=peer.state(self.engine.channel_id, height, chaincodes, self.sequence),
        )

    def _defined(self) -> Iterator[tuple[str, str]]:
        state, start = self.engine.ledger.state, metadata_key("")
        end = start[:-1] + chr(ord(start[-1]) + 1)
        for key in [key for key, _ in state.scan(LIFECYCLE_NAMESPACE, start, end)]:
            definition = read_definition(state, key.removeprefix(start))
            if definition is not None:
                # Fabric tells the sequence, for a definition may change and keep its version.
                yield definition.name, str(definition.sequence)


def _calls(interest: Any) -> Iterator[InterestCall]:
    """The policies of an interest, all of which must hold (`discovery/support/chaincode/support.go`).

    A chaincode that is named with collections comes under their policies, in which its own stands for a
    collection without one; to disregard the namespace's policy leaves out the first of them.
    """
    for call in interest.chaincodes:
        keys = tuple(policy.SerializeToString(deterministic=True) for policy in call.key_policies)
        named = list(call.collection_names) or [""]
        if call.disregard_namespace_policy:
            if len(named) == 1 and not keys:
                raise NoDescriptor("requested to disregard a policy without naming another one")
            named = named[1:]
        if keys:
            yield InterestCall(call.name, key_policies=keys, disregard_namespace_policy=True)
        for name in named:
            yield InterestCall(call.name, name, no_private_reads=call.no_private_reads)
