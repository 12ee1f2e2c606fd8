"""Administrators who install, approve and commit chaincode on an engine in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fabric_protos.peer import proposal_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2
from support.engine_material import CHANNEL, Consortium
from support.sample_organizations import Member

from fabric_embedded.engine import Engine
from fabric_embedded.ledger import TransactionStatus
from fabric_protocol.endorsements import assemble_transaction, signed_envelope
from fabric_protocol.policies import application_policy
from fabric_protocol.proposals import new_proposal
from fabric_protocol.signatures import sign

POLICY = application_policy("OutOf(2, 'AlphaMSP.peer', 'BetaMSP.peer')")


@dataclass(frozen=True)
class Administration:
    """Calls of `_lifecycle` on one engine."""

    engine: Engine
    consortium: Consortium

    async def call(
        self, function: str, arguments: Any, msp_id: str = "AlphaMSP", *, channel_id: str = CHANNEL
    ) -> Any:
        """The response of an organization's peer to its own administrator."""
        _, answer = await self._propose(function, arguments, msp_id, [msp_id], channel_id)
        return answer[0].response

    async def result(self, function: str, msp_id: str = "AlphaMSP", **arguments: Any) -> Any:
        """The result message of a query."""
        message = getattr(lifecycle_pb2, f"{function}Args")(**arguments)
        response = await self.call(function, message, msp_id)
        assert response.status == 200, response
        return getattr(lifecycle_pb2, f"{function}Result").FromString(response.payload)

    async def install(self, data: bytes, msp_id: str) -> str:
        """Install a package at an organization's peer, without a channel; its id."""
        arguments = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=data)
        response = await self.call("InstallChaincode", arguments, msp_id, channel_id="")
        assert response.status == 200, response
        return str(lifecycle_pb2.InstallChaincodeResult.FromString(response.payload).package_id)

    async def approve(self, msp_id: str, package_id: str = "", **fields: Any) -> TransactionStatus:
        """Approve a definition for an organization."""
        arguments = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(**wanted(**fields))
        if package_id:
            arguments.source.local_package.package_id = package_id
        return await self._submit("ApproveChaincodeDefinitionForMyOrg", arguments, msp_id, [msp_id])

    async def commit(self, **fields: Any) -> TransactionStatus:
        """Commit a definition that both organizations approved."""
        arguments = lifecycle_pb2.CommitChaincodeDefinitionArgs(**wanted(**fields))
        endorsers = list(self.consortium.organizations)
        return await self._submit("CommitChaincodeDefinition", arguments, endorsers[0], endorsers)

    async def define(self, packages: dict[str, str], **fields: Any) -> None:
        """Approve for every organization with its package, then commit."""
        for msp_id, package_id in packages.items():
            assert (await self.approve(msp_id, package_id, **fields)).code == 0
        assert (await self.commit(**fields)).code == 0

    async def _submit(
        self, function: str, arguments: Any, msp_id: str, endorsers: list[str]
    ) -> TransactionStatus:
        proposal, answers = await self._propose(function, arguments, msp_id, endorsers, CHANNEL)
        assert [answer.response.status for answer in answers] == [200] * len(answers), answers
        endorsements = [answer.endorsement for answer in answers]
        payload = assemble_transaction(proposal.data, answers[0].payload, endorsements)
        envelope = signed_envelope(payload, sign(self._member(msp_id).key, payload))
        status, info = await self.engine.broadcast(envelope)
        assert (status, info) == (200, "")
        return await self.engine.ledger.wait_for_transaction(proposal.transaction_id)

    async def _propose(
        self, function: str, arguments: Any, msp_id: str, endorsers: list[str], channel_id: str
    ) -> tuple[Any, list[Any]]:
        member = self._member(msp_id)
        data = arguments if isinstance(arguments, bytes) else arguments.SerializeToString()
        proposal = new_proposal(
            channel_id=channel_id,
            chaincode="_lifecycle",
            arguments=[function.encode(), data],
            creator=member.serialized,
        )
        signature = sign(member.key, proposal.data)
        signed = proposal_pb2.SignedProposal(proposal_bytes=proposal.data, signature=signature)
        return proposal, [await self.engine.peers[name].process_proposal(signed) for name in endorsers]

    def _member(self, msp_id: str) -> Member:
        return self.consortium.administrators[msp_id]


def wanted(**fields: Any) -> dict[str, Any]:
    """A definition of a second chaincode."""
    return {"name": "other", "version": "1", "sequence": 1, "validation_parameter": POLICY, **fields}
