"""Putting the topology's chaincode definition in force: install, approve by each organization, commit.

Source: fabric-behaviour §12.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.peer.lifecycle import lifecycle_pb2

from fabric_native.errors import AdministrationError
from fabric_native.peer_client import PeerClient
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE, Definition
from fabric_protocol.lifecycle_arguments import approval_arguments, commit_arguments, readiness_arguments
from fabric_protocol.proposals import new_proposal

_AGREEMENT_SECONDS = 30
_AGAIN_SECONDS = 0.1
_OTHERS_SECONDS = 600
_OTHERS_AGAIN_SECONDS = 0.5
OTHERS_MISSING = "OTHERS_MISSING"
_APPROVED = ("sequence", "version", "validation_parameter", "collections", "source")


@dataclass(frozen=True)
class Member:
    """An organization that deploys: its peers, the first one for its transactions, and its package."""

    msp_id: str
    peers: Sequence[PeerClient]
    package: bytes
    package_id: str


@dataclass(frozen=True)
class Deployment:
    """Deploys on one channel; what is done already is not done again.

    Parameters:
        channel: its id.
        members: the organizations that deploy from here.
        others: by MSP id one peer of each organization that deploys on a machine of its own; it endorses what
            is committed.
        commits: whether it is for the members to commit; else they wait until others have.
        ordering: who of the others' ordering nodes cannot be reached, for members that need them.
    """

    channel: str
    members: Sequence[Member]
    others: Mapping[str, PeerClient] = field(default_factory=dict)
    commits: bool = True
    ordering: Callable[[], Sequence[str]] = tuple

    def run(self, definition: Definition, progress: Callable[[str], None]) -> bool:
        """Install, approve, commit, as far as that has not happened; False when the definition was in force.

        Raises:
            AdministrationError: a peer or the ordering nodes refused; OTHERS_MISSING.
        """
        with ThreadPoolExecutor(len(self.members)) as pool:
            installed = sum(pool.map(self._install, self.members))
        if installed:
            progress(f"chaincode installed on {installed} peers")
        if self.sequence_in_force(definition.name) >= definition.sequence:
            return False
        wait_for_others("the ordering nodes of", self.ordering, progress)
        approvals = self.approvals(definition)
        waiting = [member for member in self.members if not approvals.get(member.msp_id)]
        with ThreadPoolExecutor(max(1, len(waiting))) as pool:
            list(pool.map(lambda member: self.approve(definition, member), waiting))
        progress(f"chaincode {definition.name} approved by {len(self.members)} organizations")
        self._commit_with_others(definition, progress)
        progress(f"chaincode {definition.name}: sequence {definition.sequence} is in force")
        return True

    def _commit_with_others(self, definition: Definition, progress: Callable[[str], None]) -> None:
        def undecided() -> list[str]:
            # Each of the others' peers has to have all approvals before it endorses that there are.
            seen = [self.approvals(definition, peer) for peer in self._endorsers]
            return sorted({msp_id for found in seen for msp_id, approved in found.items() if not approved})

        def uncommitted() -> list[str]:
            return [] if self.sequence_in_force(definition.name) >= definition.sequence else [definition.name]

        if not self.commits:
            wait_for_others("the others to commit the definition of", uncommitted, progress)
            return
        if self.others:
            wait_for_others("the approval of", undecided, progress)
        self.commit(definition)

    def _install(self, member: Member) -> int:
        return sum(self.install(peer, member) for peer in member.peers)

    def install(self, peer: PeerClient, member: Member) -> bool:
        """Install the member's package on one of its peers; False when it is there."""
        answer = _ask(peer, "", "QueryInstalledChaincodes", lifecycle_pb2.QueryInstalledChaincodesArgs())
        installed = lifecycle_pb2.QueryInstalledChaincodesResult.FromString(answer).installed_chaincodes
        if member.package_id in {item.package_id for item in installed}:
            return False
        arguments = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=member.package)
        _ask(peer, "", "InstallChaincode", arguments)
        return True

    def sequence_in_force(self, name: str) -> int:
        """Sequence of a chaincode's definition on the channel; 0 without one."""
        answer = _ask(
            self.members[0].peers[0],
            self.channel,
            "QueryChaincodeDefinitions",
            lifecycle_pb2.QueryChaincodeDefinitionsArgs(),
        )
        found = lifecycle_pb2.QueryChaincodeDefinitionsResult.FromString(answer).chaincode_definitions
        return max((item.sequence for item in found if item.name == name), default=0)

    def approvals(self, definition: Definition, peer: PeerClient | None = None) -> Mapping[str, bool]:
        """Who has approved this definition, by MSP id, as far as a peer knows."""
        arguments = readiness_arguments(definition)
        answer = _ask(peer or self._endorsers[0], self.channel, "CheckCommitReadiness", arguments)
        return dict(lifecycle_pb2.CheckCommitReadinessResult.FromString(answer).approvals)

    def approve(self, definition: Definition, member: Member) -> None:
        """Approve for one organization; its own peer endorses that."""
        arguments = approval_arguments(definition, member.package_id)
        self._submit("ApproveChaincodeDefinitionForMyOrg", arguments, member.peers[0], member.peers[:1])

    def has_approved(self, definition: Definition, member: Member) -> bool:
        """Whether one organization has approved exactly this, with its package, as its own peer knows."""
        arguments = lifecycle_pb2.QueryApprovedChaincodeDefinitionArgs(
            name=definition.name, sequence=definition.sequence
        )
        try:
            answer = _ask(member.peers[0], self.channel, "QueryApprovedChaincodeDefinition", arguments)
        except AdministrationError as error:
            # So the peer says that there is none.
            if error.code != "PEER_REFUSED":
                raise
            return False
        found = lifecycle_pb2.QueryApprovedChaincodeDefinitionResult.FromString(answer)
        wanted = approval_arguments(definition, member.package_id)
        return all(getattr(found, name) == getattr(wanted, name) for name in _APPROVED)

    def commit(self, definition: Definition, endorsers: Sequence[PeerClient] = ()) -> None:
        """Commit what was approved, endorsed by every organization, or by those that are named."""
        endorsers = endorsers or self._endorsers
        self._submit("CommitChaincodeDefinition", commit_arguments(definition), endorsers[0], endorsers)

    @property
    def _endorsers(self) -> list[PeerClient]:
        """One peer of each organization, the one that sends first."""
        return [*(member.peers[0] for member in self.members), *self.others.values()]

    def _submit(
        self, function: str, arguments: Any, peer: PeerClient, endorsers: Sequence[PeerClient]
    ) -> None:
        deadline = time.monotonic() + _AGREEMENT_SECONDS
        while True:
            proposal = new_proposal(
                channel_id=self.channel,
                chaincode=LIFECYCLE_NAMESPACE,
                arguments=[function.encode(), arguments.SerializeToString(deterministic=True)],
                creator=peer.identity,
            )
            responses = self._endorsed(function, peer.signed(proposal), endorsers)
            if len({answer.payload for answer in responses}) == 1:
                break
            # A peer that has not committed the newest approvals yet reads other versions than the rest.
            if time.monotonic() > deadline:
                raise AdministrationError(
                    "PEERS_DISAGREE",
                    f"the peers endorsed {function} with different results for {_AGREEMENT_SECONDS} s; "
                    "see whether one of them lags with `consentry network status`",
                )
            time.sleep(_AGAIN_SECONDS)
        peer.submit(self.channel, proposal, responses)

    def _endorsed(self, function: str, signed: Any, endorsers: Sequence[PeerClient]) -> list[Any]:
        responses = [endorser.endorse(signed) for endorser in endorsers]
        for endorser, answer in zip(endorsers, responses, strict=True):
            if not answer.HasField("endorsement"):
                raise AdministrationError(
                    "PEER_REFUSED", f"{endorser.name} refused {function}: {answer.response.message}"
                )
        return responses


def wait_for_others(what: str, missing: Callable[[], Sequence[str]], progress: Callable[[str], None]) -> None:
    """Wait until nobody is missing any more, and say who is.

    Parameters:
        what: is waited for, e.g. "the approval of".
        missing: names of those that it does not hold for yet.
        progress: told a sentence whenever it is for others.

    Raises:
        AdministrationError: OTHERS_MISSING.
    """
    told = ""
    deadline = time.monotonic() + _OTHERS_SECONDS
    while names := ", ".join(missing()):
        if names != told:
            told = names
            progress(f"waiting for {what} {names}")
        if time.monotonic() > deadline:
            raise AdministrationError(
                OTHERS_MISSING,
                f"after {_OTHERS_SECONDS} s still waiting for {what} {names}; what runs here goes on: give "
                "the command again once they are up",
            )
        time.sleep(_OTHERS_AGAIN_SECONDS)


def _ask(peer: PeerClient, channel: str, function: str, arguments: Any) -> bytes:
    return peer.ask(
        channel, LIFECYCLE_NAMESPACE, [function.encode(), arguments.SerializeToString(deterministic=True)]
    )
