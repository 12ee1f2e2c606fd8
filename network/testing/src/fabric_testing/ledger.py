"""An in-memory ledger for tests of contracts.

    ledger = Ledger(contracts=[Notes()], organizations=["AMSP", "BMSP"])
    alice = ledger.caller("AMSP", attributes={"role": "author"})
    await ledger.submit(alice, "notes:write", "first", "hello")
    assert ledger.state("first") == b"hello"

Contracts run through the real shim; reads, writes, signatures, policies and conflicts follow
``fabric_protocol``: nothing here is a second implementation of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from fabric_protocol.collections import Collection, collection_package
from fabric_protocol.definitions import Definition
from fabric_protocol.memory_state import MemoryPrivateState
from fabric_protocol.policy_building import application_policy, signed_by_n_of
from fabric_protocol.proposals import Proposal, new_proposal
from fabric_protocol.signatures import sign
from fabric_protocol.state import VALIDATION_PARAMETER, decode_metadata
from fabric_protocol.topology import CollectionDefinition
from fabric_protocol.validation_codes import code_name
from fabric_shim import Contract, Router
from fabric_shim.outcomes import encode_result
from fabric_testing.channel import Channel
from fabric_testing.endorsing import Endorsing
from fabric_testing.errors import LedgerUsageError
from fabric_testing.organizations import Signatory, organization
from fabric_testing.peer import TestPeer
from fabric_testing.results import EndorsedTransaction, TestResult

DEFAULT_TIME = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
"""What a new ledger's clocks show."""


class Ledger:
    """One channel, one peer per organization, each running the contracts.

    Args:
        contracts: of the first chaincode, run by every peer.
        organizations: MSP ids.
        policy: its endorsement policy as text or envelope; left out, peers of more than half of the
            organizations.
        collections: its private data collections.
        chaincode: its name.
        channel: the channel's name.
        batching: whether peers take batched writes and multi-key reads, as they do from Fabric 3.1 on.

    Attributes:
        time: what the clocks of clients and chaincode services show; set it, or pass ``time`` to a call.
    """

    def __init__(
        self,
        contracts: Sequence[Contract],
        organizations: Sequence[str],
        *,
        policy: Any = None,
        collections: Sequence[Collection | CollectionDefinition] = (),
        chaincode: str = "chaincode",
        channel: str = "channel",
        batching: bool = True,
    ) -> None:
        if isinstance(organizations, str) or not organizations:
            raise LedgerUsageError("expected a sequence of at least one MSP id for organizations")
        self.time = DEFAULT_TIME
        self.organizations = tuple(organizations)
        self.chaincode = chaincode
        self._channel = Channel(channel, self.organizations)
        self._peers = {msp_id: self._peer(msp_id, batching) for msp_id in self.organizations}
        self._endorsing = Endorsing(self._channel, self._peers)
        self._calls = count(1)
        self._callers = count(1)
        self.deploy(chaincode, contracts, policy=policy, collections=collections)

    def _peer(self, msp_id: str, batching: bool) -> TestPeer:
        return TestPeer(
            self._channel.state,
            self._channel.held[msp_id],
            history=self._channel.history,
            config=self._channel.config,
            clock=self._clock,
            batching=batching,
        )

    def _clock(self) -> float:
        return self.time.timestamp()

    # setting up

    def deploy(
        self,
        chaincode: str,
        contracts: Sequence[Contract],
        *,
        policy: Any = None,
        collections: Sequence[Collection | CollectionDefinition] = (),
    ) -> None:
        """Define one more chaincode, for contracts that call others; arguments as for ``Ledger``."""
        majority = signed_by_n_of(len(self.organizations) // 2 + 1, self.organizations)
        package = collection_package([_collection(entry) for entry in collections])
        self._channel.define(
            Definition(
                name=chaincode,
                sequence=1,
                version="1.0",
                validation_parameter=application_policy(majority if policy is None else policy),
                collections=package.SerializeToString(deterministic=True),
            )
        )
        for msp_id in self.organizations:
            self.replace_contracts(msp_id, contracts, chaincode=chaincode)

    def replace_contracts(
        self, msp_id: str, contracts: Sequence[Contract], *, chaincode: str | None = None
    ) -> None:
        """Let one organization's peer run other contracts, as an organization that cheats would."""
        self._own_peer(msp_id).chaincodes[chaincode or self.chaincode] = Router(contracts)

    def caller(
        self,
        msp_id: str,
        *,
        attributes: Mapping[str, str] | None = None,
        common_name: str | None = None,
        role: str = "client",
    ) -> Signatory:
        """Enrol someone who can call the chaincode.

        Args:
            msp_id: one of the ledger's organizations.
            attributes: signed into the certificate.
            common_name: CN of the certificate; left out, ``user1``, ``user2``, …
            role: ``client``, ``admin``, ``peer`` or ``orderer``.
        """
        self._own_peer(msp_id)
        name = common_name or f"user{next(self._callers)}"
        return organization(msp_id).enrol(name, role, attributes)

    def advance(self, duration: timedelta) -> datetime:
        """Move all clocks on; the new time."""
        self.time += duration
        return self.time

    # calling

    async def submit(
        self,
        caller: Signatory,
        function: str,
        *arguments: Any,
        transient: Mapping[str, bytes] | None = None,
        endorsers: Sequence[str] | None = None,
        time: datetime | None = None,
        chaincode: str | None = None,
        is_init: bool = False,
    ) -> TestResult:
        """Endorse, order and commit one transaction, alone in its block.

        Args:
            caller: who proposes and signs.
            function: the function's name on the wire.
            arguments: ``str`` and ``bytes`` as they are; everything else as canonical JSON.
            transient: handed to the endorsers only.
            endorsers: MSP ids; left out, the fewest that satisfy the policies, the caller's own first.
            time: the proposal's time by the caller's clock; left out, the ledger's.
            chaincode: whom to call; left out, the first one.
            is_init: call as initialization.

        Returns:
            The result; its ``code`` says whether the transaction is valid.

        Raises:
            ContractError: the chaincode refused.
            EndorsementError: no transaction came about.
        """
        endorsed = await self.endorse(
            caller,
            function,
            *arguments,
            transient=transient,
            endorsers=endorsers,
            time=time,
            chaincode=chaincode,
            is_init=is_init,
        )
        return self.commit([endorsed])[0]

    async def endorse(
        self,
        caller: Signatory,
        function: str,
        *arguments: Any,
        transient: Mapping[str, bytes] | None = None,
        endorsers: Sequence[str] | None = None,
        time: datetime | None = None,
        chaincode: str | None = None,
        is_init: bool = False,
    ) -> EndorsedTransaction:
        """As ``submit``, without ordering: for transactions that share a block, come late or never."""
        proposal = self._proposal(caller, function, arguments, transient, time, chaincode, is_init)
        signature = sign(caller.private_key, proposal.data)
        return await self._endorsing.transaction(
            proposal, signature, caller, None if endorsers is None else self._known(endorsers)
        )

    def commit(self, transactions: Sequence[EndorsedTransaction]) -> list[TestResult]:
        """Put endorsed transactions into one block, in this order."""
        number, validated = self._channel.commit(transactions)
        return [
            TestResult(
                transaction_id=transaction.transaction_id,
                payload=transaction.payload,
                event=transaction.event,
                code=code_name(code),
                block_number=number,
                endorsers=transaction.endorsers,
                rwset=transaction.rwset,
            )
            for transaction, code in zip(transactions, validated.codes, strict=True)
        ]

    async def evaluate(
        self,
        caller: Signatory,
        function: str,
        *arguments: Any,
        transient: Mapping[str, bytes] | None = None,
        peer: str | None = None,
        time: datetime | None = None,
        chaincode: str | None = None,
    ) -> TestResult:
        """Run a function on one peer and commit nothing.

        Args:
            caller: who proposes.
            function: the function's name on the wire.
            arguments: as for ``submit``.
            transient: handed to the peer.
            peer: MSP id of the peer's organization; left out, the caller's.
            time: the proposal's time; left out, the ledger's.
            chaincode: whom to call; left out, the first one.

        Raises:
            ContractError: the chaincode refused.
            EndorsementError: it answered with an error that is no ``ContractError``.
        """
        proposal = self._proposal(caller, function, arguments, transient, time, chaincode, False)
        msp_id = peer or caller.msp_id
        self._own_peer(msp_id)
        execution = await self._endorsing.execute(msp_id, proposal, sign(caller.private_key, proposal.data))
        return TestResult(
            transaction_id=proposal.transaction_id,
            payload=execution.payload,
            event=execution.event,
            code="NOT_SUBMITTED",
            block_number=None,
            endorsers=(msp_id,),
            rwset=execution.results.rwset,
        )

    # looking

    @property
    def blocks(self) -> tuple[Any, ...]:
        """All blocks (``common.Block``), the genesis block first."""
        return tuple(self._channel.blocks)

    def state(self, key: str, *, chaincode: str | None = None) -> bytes | None:
        """Committed public value of a key."""
        found = self._channel.state.get(chaincode or self.chaincode, key)
        return found.value if found else None

    def states(self, start: str = "", end: str = "", *, chaincode: str | None = None) -> dict[str, bytes]:
        """Committed public values from ``start`` (inclusive) to ``end`` (exclusive, ``""`` for no end)."""
        rows = self._channel.state.scan(chaincode or self.chaincode, start, end)
        return {key: found.value for key, found in rows}

    def key_policy(self, key: str, *, chaincode: str | None = None) -> bytes | None:
        """Committed key-level policy of a key, ``M(SignaturePolicyEnvelope)``."""
        found = self._channel.state.get(chaincode or self.chaincode, key)
        return decode_metadata(found.metadata).get(VALIDATION_PARAMETER) if found else None

    def private(
        self, msp_id: str, collection: str, key: str, *, chaincode: str | None = None
    ) -> bytes | None:
        """Private value as one organization holds it."""
        found = self._held(msp_id).get(chaincode or self.chaincode, collection, key)
        return found.value if found else None

    def private_keys(self, msp_id: str, collection: str, *, chaincode: str | None = None) -> list[str]:
        """Private keys that one organization holds of a collection, sorted."""
        rows = self._held(msp_id).scan(chaincode or self.chaincode, collection, "", "")
        return [key for key, _ in rows]

    def private_hash(self, collection: str, key: str, *, chaincode: str | None = None) -> bytes | None:
        """SHA-256 of a private value, as the channel holds it."""
        key_hash = hashlib.sha256(key.encode()).digest()
        found = self._channel.state.get_hashed(chaincode or self.chaincode, collection, key_hash)
        return found.value if found else None

    def _held(self, msp_id: str) -> MemoryPrivateState:
        return self._own_peer(msp_id).private

    def _own_peer(self, msp_id: str) -> TestPeer:
        if msp_id not in self._peers:
            raise LedgerUsageError(f"got MSP id {msp_id!r}, expected one of {', '.join(self._peers)}")
        return self._peers[msp_id]

    def _known(self, msp_ids: Sequence[str]) -> tuple[str, ...]:
        if isinstance(msp_ids, str) or not msp_ids:
            raise LedgerUsageError("expected a sequence of at least one MSP id for endorsers")
        for msp_id in msp_ids:
            self._own_peer(msp_id)
        return tuple(msp_ids)

    def _proposal(
        self,
        caller: Signatory,
        function: str,
        arguments: Sequence[Any],
        transient: Mapping[str, bytes] | None,
        time: datetime | None,
        chaincode: str | None,
        is_init: bool,
    ) -> Proposal:
        # Chosen, not random: two runs of a test then differ in nothing but their keys.
        nonce = hashlib.sha256(next(self._calls).to_bytes(8, "big")).digest()[:24]
        return new_proposal(
            channel_id=self._channel.config.channel_id,
            chaincode=chaincode or self.chaincode,
            arguments=[function.encode(), *map(encode_result, arguments)],
            creator=caller.serialized,
            transient=transient,
            is_init=is_init,
            nonce=nonce,
            timestamp=time or self.time,
        )


def _collection(entry: Collection | CollectionDefinition) -> Collection:
    return entry.collection() if isinstance(entry, CollectionDefinition) else entry
