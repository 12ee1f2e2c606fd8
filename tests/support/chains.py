"""Makes real chains in tests: a channel's genesis, endorsed transactions, blocks as a peer stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_response_pb2
from support.chain_members import HOSPITALS, REGULATOR, START, Member, Organization

from fabric_protocol.block_signatures import sign_block
from fabric_protocol.blocks import header_hash, is_config_block, new_block, set_flags
from fabric_protocol.channel_config import ChannelConfig, Consenter, OrderingConfig, genesis_block
from fabric_protocol.commit_hash import commit_hash, set_commit_hash
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE, Definition, definition_writes
from fabric_protocol.endorsements import assemble_transaction, endorse, event_bytes, response_payload
from fabric_protocol.memory_state import MemoryState
from fabric_protocol.policy_building import application_policy, signed_by_n_of
from fabric_protocol.proposals import new_proposal, proposal_hash
from fabric_protocol.rwset import (
    CollectionSet,
    HashedWrite,
    MetadataEntry,
    MetadataWrite,
    NamespaceSet,
    Read,
    ReadWriteSet,
    Write,
)
from fabric_protocol.rwset_encoding import encode_rwset
from fabric_protocol.state import VALIDATION_PARAMETER
from fabric_protocol.validation import ValidatedBlock, validate_block

CHAINCODE = "consentry"


@dataclass(frozen=True)
class Effects:
    """What a transaction made in a test does; `reads` are keys whose version it claims to have read."""

    writes: Mapping[str, bytes] = field(default_factory=dict)
    reads: Sequence[str] = ()
    policies: Mapping[str, Any] = field(default_factory=dict)
    private_hashes: Mapping[tuple[str, str], bytes] = field(default_factory=dict)
    function: str = "test:write"
    event: str = ""


class Chain:
    """One channel that a test makes; `blocks` are the serialized blocks as every peer stores them."""

    def __init__(
        self,
        channel: str = "consentry",
        msp_ids: Sequence[str] = (*HOSPITALS, REGULATOR),
        organizations: Sequence[Organization] | None = None,
    ) -> None:
        self.channel = channel
        made = organizations if organizations is not None else [Organization(msp_id) for msp_id in msp_ids]
        self.organizations = {organization.msp_id: organization for organization in made}
        self.state = MemoryState()
        self.blocks: list[bytes] = []
        self.last_config = 0
        self._transactions: set[str] = set()
        self._clock = START + timedelta(days=1)
        self._commit_hash = b""
        self._genesis()
        self.client = self.first.user("user1", "steward")
        self.majority = tuple(sorted(self.organizations)[: len(self.organizations) // 2 + 1])
        self.commit([self.definition_transaction()])

    @classmethod
    def copy(cls, other: Chain, height: int) -> Chain:
        """A chain that shares the first blocks and the organizations of another and then goes its own way."""
        made = cls.__new__(cls)
        made.channel, made.organizations, made.client = other.channel, other.organizations, other.client
        made.state, made.majority = MemoryState(), other.majority
        made.config, made.last_config = ChannelConfig.from_block(other.block(0)), 0
        made.blocks, made._transactions, made._clock, made._commit_hash = [], set(), other._clock, b""
        made.blocks.append(other.blocks[0])
        for number in range(1, height):
            made.commit(list(other.block(number).data.data))
        return made

    @property
    def first(self) -> Organization:
        """The first organization; its orderer makes the blocks."""
        return next(iter(self.organizations.values()))

    @property
    def anchor(self) -> str:
        """Hex SHA-256 of the genesis header."""
        return header_hash(self.block(0).header).hex()

    def block(self, number: int) -> Any:
        """A block, parsed anew."""
        return common_pb2.Block.FromString(self.blocks[number])

    def now(self) -> datetime:
        """The chain's clock: a second later each time."""
        self._clock += timedelta(seconds=1)
        return self._clock

    def transaction(
        self,
        effects: Effects,
        *,
        endorsers: Sequence[str] | None = None,
        creator: Member | None = None,
        time: datetime | None = None,
    ) -> bytes:
        """A signed envelope; endorsed by the first organizations that the chaincode's policy asks for."""
        entries = tuple(
            MetadataWrite(key, (MetadataEntry(VALIDATION_PARAMETER, policy.SerializeToString()),))
            for key, policy in sorted(effects.policies.items())
        )
        namespace = NamespaceSet(
            CHAINCODE,
            reads=tuple(Read(key, self._version(key)) for key in sorted(effects.reads)),
            writes=tuple(Write(key, not value, value) for key, value in sorted(effects.writes.items())),
            metadata_writes=entries,
            collections=_collections(effects.private_hashes),
        )
        rwset = ReadWriteSet((namespace,))
        return self._envelope(CHAINCODE, rwset, effects, endorsers, creator, time)

    def definition_transaction(self) -> bytes:
        """The transaction that commits the chaincode's definition: OutOf(n/2 + 1) of all peers."""
        policy = signed_by_n_of(len(self.organizations) // 2 + 1, sorted(self.organizations))
        definition = Definition(CHAINCODE, 1, "1.0", application_policy(policy))
        writes = {key: value for key, value in definition_writes(definition).items() if value}
        namespace = NamespaceSet(
            LIFECYCLE_NAMESPACE,
            writes=tuple(Write(key, False, value) for key, value in sorted(writes.items())),
        )
        effects = Effects(function="CommitChaincodeDefinition")
        return self._envelope(LIFECYCLE_NAMESPACE, ReadWriteSet((namespace,)), effects, None, None, None)

    def write(self, writes: Mapping[str, bytes], **options: Any) -> int:
        """Commit one transaction with these writes in a block of its own; its number."""
        return self.commit([self.transaction(Effects(writes=writes), **options)])

    def commit(self, envelopes: Sequence[bytes]) -> int:
        """Order, validate and store a block; its number."""
        block = self.order(envelopes)
        validated = validate_block(
            block, config=self.config, state=self.state, known_transactions=self._transactions.intersection
        )
        self._store(block, validated)
        return int(block.header.number)

    def order(self, envelopes: Sequence[bytes]) -> Any:
        """The next block, signed by the orderer and not yet validated."""
        previous = header_hash(self.block(len(self.blocks) - 1).header)
        block = new_block(len(self.blocks), previous, envelopes)
        orderer = self.first.orderer
        last_config = len(self.blocks) if is_config_block(block) else self.last_config
        sign_block(
            block, last_config=last_config, signer=orderer.signer, creator=orderer.identity, nonce=b"n" * 24
        )
        return block

    def _store(self, block: Any, validated: ValidatedBlock) -> None:
        set_flags(block, validated.flags)
        self._commit_hash = commit_hash(validated.flags, validated.updates, self._commit_hash)
        set_commit_hash(block, self._commit_hash)
        self.state.apply(validated.updates)
        if validated.new_config is not None:
            self.config, self.last_config = validated.new_config, len(self.blocks)
        self._transactions |= {entry.transaction_id for entry in validated.transactions if entry is not None}
        self.blocks.append(block.SerializeToString(deterministic=True))

    def _genesis(self) -> None:
        organization = self.first
        tls = organization.tls_certificate()
        ordering = OrderingConfig(consenters=(Consenter("127.0.0.1", 7050, tls, tls),))
        configs = [organization.config() for organization in self.organizations.values()]
        block = genesis_block(self.channel, configs, ordering, timestamp=START)
        set_flags(block, b"\x00")
        self.config = ChannelConfig.from_block(block)
        self.blocks.append(block.SerializeToString(deterministic=True))

    def _version(self, key: str) -> Any:
        found = self.state.get(CHAINCODE, key)
        return found.version if found is not None else None

    def _envelope(
        self,
        chaincode: str,
        rwset: ReadWriteSet,
        effects: Effects,
        endorsers: Sequence[str] | None,
        creator: Member | None,
        time: datetime | None,
    ) -> bytes:
        creator = creator or self.client
        proposal = new_proposal(
            channel_id=self.channel,
            chaincode=chaincode,
            arguments=[effects.function.encode(), b"{}"],
            creator=creator.identity,
            timestamp=time or self.now(),
        )
        event = b""
        if effects.event:
            event = event_bytes(
                chaincode=chaincode,
                transaction_id=proposal.transaction_id,
                name=effects.event,
                payload=b"{}",
            )
        payload = response_payload(
            proposal_hash=proposal_hash(proposal.data),
            results=encode_rwset(rwset),
            event=event,
            response=proposal_response_pb2.Response(status=200),
            chaincode=chaincode,
            version="1.0" if chaincode == CHAINCODE else "syscc",
        )
        names = endorsers if endorsers is not None else self.majority
        peers = [self.organizations[name].peer for name in names]
        endorsements = [endorse(payload, peer.signer, peer.identity) for peer in peers]
        content = assemble_transaction(proposal.data, payload, endorsements)
        envelope = common_pb2.Envelope(payload=content, signature=creator.sign(content))
        encoded: bytes = envelope.SerializeToString(deterministic=True)
        return encoded


def _collections(private_hashes: Mapping[tuple[str, str], bytes]) -> tuple[CollectionSet, ...]:
    names = sorted({collection for collection, _ in private_hashes})
    return tuple(
        CollectionSet(
            name,
            writes=tuple(
                HashedWrite(sha256(key.encode()).digest(), False, sha256(value).digest(), False)
                for (collection, key), value in sorted(private_hashes.items())
                if collection == name
            ),
            private_hash=b"\x01" * 32,
        )
        for name in names
    )
