"""From a proposal to a transaction, as a gateway and the peers that it asks do it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fabric_protos.peer import proposal_response_pb2

from fabric_protocol.endorsements import (
    assemble_transaction,
    endorse,
    event_bytes,
    response_payload,
    signed_envelope,
)
from fabric_protocol.errors import ProtocolError
from fabric_protocol.interest import InterestCall
from fabric_protocol.planning import endorsement_requirements, plan_endorsers
from fabric_protocol.proposals import Proposal, proposal_hash
from fabric_protocol.signatures import key_signer, sign
from fabric_shim import ContractError
from fabric_testing.channel import Channel
from fabric_testing.errors import EndorsementError
from fabric_testing.organizations import Signatory, organization
from fabric_testing.peer import Execution, TestPeer
from fabric_testing.results import EndorsedTransaction


class Endorsing:
    """Runs proposals on peers and makes transactions of their answers.

    Args:
        channel: committed data, for the policies.
        peers: by MSP id.
    """

    def __init__(self, channel: Channel, peers: Mapping[str, TestPeer]) -> None:
        self._channel = channel
        self._peers = peers

    async def execute(self, msp_id: str, proposal: Proposal, signature: bytes) -> Execution:
        """Run a proposal on one peer.

        Raises:
            ContractError: the chaincode refused.
            EndorsementError: ``ENDORSEMENT_FAILED``.
        """
        try:
            execution = await self._peers[msp_id].execute(proposal, signature)
        except ProtocolError as error:
            raise EndorsementError("ENDORSEMENT_FAILED", f"{msp_id} did not endorse: {error}") from error
        if execution.status >= 400:
            raise _refusal(execution, msp_id)
        return execution

    async def transaction(
        self, proposal: Proposal, signature: bytes, caller: Signatory, endorsers: Sequence[str] | None
    ) -> EndorsedTransaction:
        """Have a proposal endorsed and sign the transaction.

        Raises:
            ContractError: the chaincode refused on a peer.
            EndorsementError: no transaction came about.
        """
        first = endorsers[0] if endorsers else self._first(caller)
        execution = await self.execute(first, proposal, signature)
        payload = _payload(proposal, execution)
        chosen = tuple(endorsers) if endorsers else self._plan(execution, first, bool(proposal.transient))
        for msp_id in chosen:
            if (
                msp_id != first
                and _payload(proposal, await self.execute(msp_id, proposal, signature)) != payload
            ):
                raise EndorsementError(
                    "ENDORSEMENTS_DIFFER", f"the peers of {first} and {msp_id} came to different results"
                )
        endorsements = [_endorsement(msp_id, payload) for msp_id in chosen]
        assembled = assemble_transaction(proposal.data, payload, endorsements)
        envelope = signed_envelope(assembled, sign(caller.private_key, assembled))
        return EndorsedTransaction(
            transaction_id=proposal.transaction_id,
            payload=execution.payload,
            event=execution.event,
            envelope=envelope.SerializeToString(deterministic=True),
            endorsers=chosen,
            rwset=execution.results.rwset,
            private=execution.results.private_rwset,
        )

    def _first(self, caller: Signatory) -> str:
        return caller.msp_id if caller.msp_id in self._peers else next(iter(self._peers))

    def _plan(self, execution: Execution, first: str, has_transient: bool) -> tuple[str, ...]:
        candidates = {msp_id: organization(msp_id).peer.identity for msp_id in self._peers}
        # A transaction that touched nothing still comes under its chaincode's policy.
        interest = execution.results.interest or (InterestCall(execution.definition.name),)
        if has_transient:
            # As a gateway does: transient data goes to members of the collections that were touched only.
            interest = tuple(_with_private_reads(call) for call in interest)
        requirements = endorsement_requirements(
            interest, config=self._channel.config, state=self._channel.state, candidates=candidates
        )
        eligible = {msp_id: candidates[msp_id] for msp_id in candidates if msp_id in requirements.eligible}
        plan = plan_endorsers(requirements.policies, eligible, first)
        if plan is None:
            raise EndorsementError(
                "ENDORSERS_MISSING", "no combination of peers satisfies the endorsement policies"
            )
        return plan


def _with_private_reads(call: InterestCall) -> InterestCall:
    return replace(call, no_private_reads=False) if call.collection else call


def _payload(proposal: Proposal, execution: Execution) -> bytes:
    event = b""
    if execution.event is not None:
        event = event_bytes(
            chaincode=proposal.chaincode,
            transaction_id=proposal.transaction_id,
            name=execution.event.name,
            payload=execution.event.payload,
        )
    response = proposal_response_pb2.Response(
        status=execution.status, message=execution.message, payload=execution.payload
    )
    return response_payload(
        proposal_hash=proposal_hash(proposal.data),
        results=execution.results.public,
        event=event,
        response=response,
        chaincode=proposal.chaincode,
        version=execution.definition.version,
    )


def _endorsement(msp_id: str, payload: bytes) -> Any:
    peer = organization(msp_id).peer
    return endorse(payload, key_signer(peer.private_key), peer.serialized)


def _refusal(execution: Execution, msp_id: str) -> Exception:
    try:
        document = json.loads(execution.message)
        return ContractError(
            document["code"], document["message"], document["fields"], status=execution.status
        )
    except (ValueError, KeyError, TypeError):
        return EndorsementError(
            "ENDORSEMENT_FAILED", f"{msp_id} answered with status {execution.status}: {execution.message}"
        )
