"""Collecting endorsements as Fabric's Gateway does: first one's interest decides who else is asked.

Source: fabric-behaviour §3.3 (`internal/pkg/gateway/endorse.go`, `endorsement.go`, `registry.go`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.common import common_pb2

from fabric_embedded.engine import Engine
from fabric_embedded.gateway.endorsers import Endorser
from fabric_embedded.gateway.planning import (
    EndorsementPlanner,
    KnownPlans,
    NoPlan,
    no_metadata,
    read_interest,
)
from fabric_embedded.gateway.requests import AskedProposal
from fabric_embedded.services.handlers import NodeFailure, ServiceError
from fabric_embedded.services.status import StatusCode
from fabric_protocol.endorsements import assemble_parts
from fabric_protocol.interest import InterestCall

_FIRST_FAILED = "failed to endorse transaction, see attached details for more info"
_TOO_FEW = "failed to collect enough transaction endorsements, see attached details for more info"
_TRANSIENT = (
    "no endorsers found in the gateway's organization; retry specifying endorsing organization(s) to "
    "protect transient data"
)
_DIFFERENT = "ProposalResponsePayloads do not match"


@dataclass
class _Collection:
    """Endorsements of one proposal so far; the first fixes the payload that all must agree on."""

    asked: AskedProposal
    payload: bytes = b""
    interest: Any = None
    endorsements: dict[str, Any] = field(default_factory=dict)
    failures: list[NodeFailure] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)

    async def ask(self, endorser: Endorser) -> None:
        """Ask one organization and keep its endorsement or its failure."""
        response, failure = await endorser.process(self.asked.signed)
        message = failure.message if failure is not None else self._accept(endorser, response)
        if message:
            self.failures.append(endorser.detail(message))
            self.failed.add(endorser.msp_id)

    def _accept(self, endorser: Endorser, response: Any) -> str:
        if not self.endorsements:
            self.payload, self.interest = response.payload, response.interest
        elif response.payload != self.payload:
            return _DIFFERENT
        self.endorsements[endorser.msp_id] = response.endorsement
        return ""


async def collect_endorsements(
    engine: Engine,
    endorsers: Mapping[str, Endorser],
    msp_id: str,
    asked: AskedProposal,
    organizations: Sequence[str],
    known: KnownPlans,
) -> Any:
    """Endorse a proposal by as many organizations as its policies want.

    Parameters:
        engine: the channel.
        endorsers: every organization's peer, by MSP id.
        msp_id: the gateway's own organization.
        asked: the proposal.
        organizations: MSP ids that the client chose; empty leaves it to the gateway.
        known: plans of earlier proposals.

    Returns:
        The `Envelope` of the transaction, without the client's signature.

    Raises:
        ServiceError: with Fabric's status, text and details.
    """
    available = {
        other: endorser for other, endorser in endorsers.items() if endorser.peer.serves(asked.chaincode)
    }
    collection = _Collection(asked)
    if organizations:
        await _ask_chosen(collection, available, organizations)
    else:
        planner = EndorsementPlanner(
            engine.config,
            engine.ledger.state,
            engine.ledger.lifecycle_height,
            {other: peer.identity for other, peer in engine.peers.items()},
            known,
        )
        await _ask_planned(collection, planner, available, msp_id)
    return _transaction(collection)


def unknown_channel(asked: AskedProposal, organizations: Sequence[str]) -> ServiceError:
    """How Fabric refuses to endorse on a channel that it is not on: nobody there is found to be asked."""
    if organizations:
        return _no_endorsers(organizations)
    if asked.has_transient:
        return ServiceError(StatusCode.FAILED_PRECONDITION, _TRANSIENT)
    message = no_metadata(asked.chaincode, asked.channel_id).message
    return ServiceError(StatusCode.FAILED_PRECONDITION, message)


def _no_endorsers(organizations: Sequence[str]) -> ServiceError:
    message = f"failed to find any endorsing peers for org(s): {', '.join(organizations)}"
    return ServiceError(StatusCode.UNAVAILABLE, message)


async def _ask_chosen(
    collection: _Collection, available: Mapping[str, Endorser], organizations: Sequence[str]
) -> None:
    missing = [name for name in organizations if name not in available]
    if missing:
        raise _no_endorsers(missing)
    chosen = [available[name] for name in dict.fromkeys(organizations)]
    await asyncio.gather(*(collection.ask(endorser) for endorser in chosen))
    if collection.failed:
        raise ServiceError(StatusCode.ABORTED, _TOO_FEW, tuple(collection.failures))


async def _ask_planned(
    collection: _Collection, planner: EndorsementPlanner, available: Mapping[str, Endorser], msp_id: str
) -> None:
    first = _first_endorser(collection.asked, planner, available, msp_id)
    await collection.ask(first)
    if not collection.endorsements:
        raise ServiceError(StatusCode.ABORTED, _FIRST_FAILED, tuple(collection.failures))
    asked = collection.asked
    interest = read_interest(collection.interest, asked.chaincode, has_transient=asked.has_transient)
    while True:
        left = [other for other in available if other not in collection.failed]
        plan = _plan(planner, interest, left, first.msp_id, collection)
        waiting = [available[other] for other in plan if other not in collection.endorsements]
        if not waiting:
            collection.endorsements = {other: collection.endorsements[other] for other in plan}
            return
        if len(waiting) == 1:
            await collection.ask(waiting[0])
        else:
            await asyncio.gather(*(collection.ask(endorser) for endorser in waiting))


def _first_endorser(
    asked: AskedProposal, planner: EndorsementPlanner, available: Mapping[str, Endorser], msp_id: str
) -> Endorser:
    if msp_id in available:
        return available[msp_id]
    if asked.has_transient:
        raise ServiceError(StatusCode.FAILED_PRECONDITION, _TRANSIENT)
    try:
        plan = planner.plan([InterestCall(asked.chaincode)], available, None)
    except NoPlan as error:
        raise ServiceError(StatusCode.FAILED_PRECONDITION, error.message) from error
    return available[plan[0]]


def _plan(
    planner: EndorsementPlanner,
    interest: Iterable[InterestCall],
    left: Iterable[str],
    first: str,
    collection: _Collection,
) -> tuple[str, ...]:
    try:
        return planner.plan(interest, left, first)
    except NoPlan as error:
        if collection.failed:
            failures = tuple(collection.failures)
            raise ServiceError(StatusCode.ABORTED, _TOO_FEW, failures) from error
        raise ServiceError(StatusCode.FAILED_PRECONDITION, error.message) from error


def _transaction(collection: _Collection) -> Any:
    endorsements = list(collection.endorsements.values())
    payload = assemble_parts(collection.asked.parts, collection.payload, endorsements)
    return common_pb2.Envelope(payload=payload)
