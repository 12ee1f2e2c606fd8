"""Putting the topology's chaincode definition in force, by the transactions of administrators."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2

from fabric_embedded.endorsement.chaincodes import approved_package, has_approved
from fabric_embedded.errors import ChaincodeError
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE, Definition, read_definition
from fabric_protocol.endorsements import assemble_transaction, signed_envelope
from fabric_protocol.lifecycle_arguments import approval_arguments, commit_arguments, wanted_definition
from fabric_protocol.proposals import new_proposal
from fabric_protocol.validation_codes import ValidationCode, code_name

if TYPE_CHECKING:
    from fabric_embedded.ledger import TransactionStatus
    from fabric_embedded.peer import Peer
    from fabric_protocol.signatures import Signer
    from fabric_protocol.state import PrivateReader, StateReader
    from fabric_protocol.topology import ChaincodeDefinition

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Administrator:
    """An administrator: serialized identity, key as a signer, package that the organization installed."""

    identity: bytes
    signer: Signer
    package_id: str


class Channel(Protocol):
    """What a deployment needs of the engine."""

    channel_id: str

    @property
    def peers(self) -> Mapping[str, Peer]:
        """Peers by MSP id."""
        ...

    async def broadcast(self, envelope: common_pb2.Envelope) -> tuple[int, str]:
        """Have an envelope ordered."""
        ...


class Deployment:
    """Approves a definition for every organization and commits it, as far as that has not happened.

    Parameters:
        channel: the running engine.
        wait: awaits a transaction's commit.
        administrators: by MSP id.
    """

    def __init__(
        self,
        channel: Channel,
        wait: Callable[[str], Awaitable[TransactionStatus]],
        administrators: Mapping[str, Administrator],
    ) -> None:
        self._channel = channel
        self._wait = wait
        self._administrators = administrators

    async def run(
        self, chaincode: ChaincodeDefinition, state: StateReader, private: Mapping[str, PrivateReader]
    ) -> None:
        """Put the definition in force.

        Parameters:
            chaincode: as the topology has it; a sequence below the ledger's changes nothing.
            state: committed state.
            private: each organization's private data, by MSP id.

        Raises:
            ChaincodeError: DEPLOYMENT_FAILED.
        """
        definition = wanted_definition(chaincode)
        in_force = read_definition(state, definition.name)
        if in_force is not None and in_force.sequence > definition.sequence:
            return
        for msp_id, administrator in self._administrators.items():
            package = approved_package(private[msp_id], msp_id, definition.name, definition.sequence)
            # Another package that an administrator installed and approved is his choice, and stays.
            is_chosen = self._channel.peers[msp_id].is_installed_by_administrator(package)
            is_expected = is_chosen or package == administrator.package_id
            if not is_expected or not has_approved(state, msp_id, definition):
                await self._approve(definition, msp_id, administrator)
        if in_force is None or in_force.sequence < definition.sequence:
            await self._commit(definition)

    async def _approve(self, definition: Definition, msp_id: str, administrator: Administrator) -> None:
        arguments = approval_arguments(definition, administrator.package_id)
        await self._submit("ApproveChaincodeDefinitionForMyOrg", arguments, administrator, [msp_id])
        _log.info("chaincode %s: approved for %s", definition.name, msp_id)

    async def _commit(self, definition: Definition) -> None:
        arguments = commit_arguments(definition)
        administrator = next(iter(self._administrators.values()))
        await self._submit(
            "CommitChaincodeDefinition", arguments, administrator, sorted(self._administrators)
        )
        _log.info("chaincode %s: sequence %d is in force", definition.name, definition.sequence)

    async def _submit(
        self, function: str, arguments: Any, administrator: Administrator, endorsers: Sequence[str]
    ) -> None:
        proposal = new_proposal(
            channel_id=self._channel.channel_id,
            chaincode=LIFECYCLE_NAMESPACE,
            arguments=[function.encode(), arguments.SerializeToString(deterministic=True)],
            creator=administrator.identity,
        )
        signed = proposal_pb2.SignedProposal(
            proposal_bytes=proposal.data, signature=administrator.signer(sha256(proposal.data).digest())
        )
        endorsements, payload = [], b""
        for msp_id in endorsers:
            answer = await self._channel.peers[msp_id].process_proposal(signed)
            if not answer.HasField("endorsement"):
                raise _failed(function, answer.response.message)
            payload = answer.payload
            endorsements.append(answer.endorsement)
        content = assemble_transaction(proposal.data, payload, endorsements)
        envelope = signed_envelope(content, administrator.signer(sha256(content).digest()))
        status, info = await self._channel.broadcast(envelope)
        if status != common_pb2.SUCCESS:
            raise _failed(function, info)
        committed = await self._wait(proposal.transaction_id)
        if committed.code != ValidationCode.VALID:
            raise _failed(function, code_name(committed.code))


def _failed(function: str, reason: str) -> ChaincodeError:
    return ChaincodeError("DEPLOYMENT_FAILED", f"{function} failed: {reason}")
