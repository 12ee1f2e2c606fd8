"""An engine without chaincode, disk and sockets, for tests of the services: peers answer as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.peer import proposal_response_pb2
from support.sample_channel import CHAINCODE, CHANNEL, SampleLedger, endorsed_payload, members

from fabric_embedded.ledger import CommittedEvent, TransactionStatus
from fabric_protocol.endorsements import endorse
from fabric_protocol.identities import Identity
from fabric_protocol.interest import InterestCall, interest_message
from fabric_protocol.signatures import key_signer
from fabric_protocol.topology import ChaincodeDefinition, Organization, Topology

Answer = Callable[[Any], Any]


@dataclass
class FakePeer:
    """A peer that answers with what `answer` returns, or raises it."""

    msp_id: str
    answer: Answer
    serving: bool = True
    asked: int = 0

    @property
    def identity(self) -> Identity:
        return members(self.msp_id).peer.identity

    async def process_proposal(
        self, signed: Any, *, through_filters: bool = True, endorses: bool = True
    ) -> Any:
        assert through_filters
        self.asked += 1
        await asyncio.sleep(0)
        result = self.answer(signed)
        if isinstance(result, Exception):
            raise result
        return result

    def serves(self, chaincode: str) -> bool:
        return self.serving and chaincode == CHAINCODE


@dataclass
class FakeLedger:
    """Blocks and transactions as tests put them."""

    sample: SampleLedger
    blocks: list[bytes] = field(default_factory=list)
    block_events: dict[int, tuple[CommittedEvent, ...]] = field(default_factory=dict)
    transactions: dict[str, TransactionStatus] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    lifecycle_height: int = 0

    @property
    def state(self) -> Any:
        return self.sample.state

    @property
    def height(self) -> int:
        return len(self.blocks)

    def block(self, number: int) -> bytes | None:
        return self.blocks[number] if number < len(self.blocks) else None

    def transaction(self, transaction_id: str) -> TransactionStatus | None:
        return self.transactions.get(transaction_id)

    def events(self, number: int) -> tuple[CommittedEvent, ...]:
        return self.block_events.get(number, ())

    def commit(self, block: bytes, *events: CommittedEvent) -> None:
        self.block_events[len(self.blocks)] = events
        self.blocks.append(block)
        self.changed.set()

    async def wait_for_block(self, number: int) -> bytes:
        while number >= len(self.blocks):
            self.changed.clear()
            await self.changed.wait()
        return self.blocks[number]

    async def wait_for_transaction(self, transaction_id: str) -> TransactionStatus:
        while transaction_id not in self.transactions:
            self.changed.clear()
            await self.changed.wait()
        return self.transactions[transaction_id]


class FakeEngine:
    """What the services need of an engine."""

    def __init__(self, sample: SampleLedger | None = None, interest: tuple[InterestCall, ...] = ()) -> None:
        self.sample = sample or SampleLedger()
        self.interest = interest
        self.config = self.sample.config
        self.channel_id = CHANNEL
        self.ledger = FakeLedger(self.sample)
        self.peers = {msp_id: FakePeer(msp_id, self.endorsing(msp_id)) for msp_id in self.sample.msp_ids}
        self.broadcasts: list[Any] = []
        self.broadcast_answer: tuple[int, str] = (200, "")
        self.topology = Topology(
            channel=CHANNEL,
            organizations=tuple(
                Organization(msp_id.lower(), msp_id, "hospital") for msp_id in self.sample.msp_ids
            ),
            chaincode=ChaincodeDefinition(name=CHAINCODE, policy=self.sample.policy, command=("python",)),
        )

    async def broadcast(self, envelope: Any) -> tuple[int, str]:
        self.broadcasts.append(envelope)
        return self.broadcast_answer

    def endorsing(self, msp_id: str, results: bytes = b"") -> Answer:
        """An answer that endorses whatever comes, with this read-write set."""
        from fabric_protocol.proposals import parse_proposal

        def answer(signed: Any) -> Any:
            payload = endorsed_payload(parse_proposal(signed.proposal_bytes), results)
            peer = members(msp_id).peer
            return proposal_response_pb2.ProposalResponse(
                version=1,
                response=proposal_response_pb2.Response(status=200, message="fine", payload=b"done"),
                payload=payload,
                endorsement=endorse(payload, key_signer(peer.key), peer.serialized),
                interest=interest_message(self.interest),
            )

        return answer


def responding(status: int, message: str, payload: bytes = b"") -> Answer:
    """An answer without endorsement."""
    response = proposal_response_pb2.Response(status=status, message=message)
    return lambda _signed: proposal_response_pb2.ProposalResponse(response=response, payload=payload)
