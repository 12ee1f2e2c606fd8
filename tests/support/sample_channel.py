"""A channel of made-up organizations, and transactions and blocks on it, without an engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from fabric_protos.peer import proposal_response_pb2
from support.sample_organizations import Member, SampleOrganization

from fabric_protocol.blocks import header_hash, new_block, set_flags
from fabric_protocol.channel_config import ChannelConfig, OrganizationConfig, genesis_block
from fabric_protocol.commit_hash import commit_hash
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE, Definition, definition_writes
from fabric_protocol.endorsements import assemble_transaction, endorse, response_payload, signed_envelope
from fabric_protocol.memory_state import MemoryState
from fabric_protocol.ordering_config import Consenter, OrderingConfig
from fabric_protocol.policies import application_policy
from fabric_protocol.proposals import Proposal, new_proposal, proposal_hash
from fabric_protocol.signatures import key_signer, sign
from fabric_protocol.simulation import SimulationResults, Simulator
from fabric_protocol.state import Version
from fabric_protocol.updates import PublicUpdate, UpdateBatch
from fabric_protocol.validation import ValidatedBlock, validate_block

CHANNEL = "sample"
CHAINCODE = "records"
TIME = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class SampleMembers:
    """One organization with one member of each role."""

    organization: SampleOrganization
    peer: Member
    client: Member
    orderer: Member


@cache
def members(msp_id: str) -> SampleMembers:
    """An organization, the same one within a test run: making keys takes time."""
    organization = SampleOrganization(msp_id)
    return SampleMembers(
        organization,
        *(organization.member(role, name=f"{role}-1") for role in ("peer", "client", "orderer")),
    )


@cache
def sample_genesis(*msp_ids: str) -> Any:
    """Genesis block of a Raft channel of these organizations."""
    found = [members(msp_id) for msp_id in msp_ids]
    pem = found[0].orderer.pem
    consenter = Consenter(host="localhost", port=7050, client_tls_certificate=pem, server_tls_certificate=pem)
    return genesis_block(
        CHANNEL,
        [
            OrganizationConfig(
                name=entry.organization.msp_id.lower().removesuffix("msp"),
                msp_id=entry.organization.msp_id,
                msp_config=entry.organization.msp_config(),
                orderer_endpoints=("localhost:7050",),
            )
            for entry in found
        ],
        OrderingConfig(consenters=(consenter,)),
        timestamp=TIME,
        nonce=b"n" * 24,
    )


def sample_config(*msp_ids: str) -> ChannelConfig:
    """Configuration of `sample_genesis`."""
    return ChannelConfig.from_block(sample_genesis(*msp_ids))


def sample_proposal(creator: Member, *, chaincode: str = CHAINCODE, **options: Any) -> Proposal:
    """A proposal of a member's."""
    return new_proposal(
        **{
            "channel_id": CHANNEL,
            "chaincode": chaincode,
            "arguments": [b"do"],
            "creator": creator.serialized,
            "timestamp": TIME,
            **options,
        }
    )


def endorsed_payload(
    proposal: Proposal,
    results: bytes,
    *,
    event: bytes = b"",
    status: int = 200,
    version: str = "1.0",
    chaincode: str | None = None,
) -> bytes:
    """M(ProposalResponsePayload) for a proposal."""
    return response_payload(
        proposal_hash=proposal_hash(proposal.data),
        results=results,
        event=event,
        response=proposal_response_pb2.Response(status=status, payload=b"done"),
        chaincode=proposal.chaincode if chaincode is None else chaincode,
        version=version,
    )


def sample_envelope(
    proposal: Proposal, creator: Member, results: bytes, endorsers: Sequence[Member], **options: Any
) -> bytes:
    """M(Envelope) of a transaction with these results, endorsed by these members."""
    payload = endorsed_payload(proposal, results, **options)
    endorsements = [endorse(payload, key_signer(member.key), member.serialized) for member in endorsers]
    content = assemble_transaction(proposal.data, payload, endorsements)
    envelope: bytes = signed_envelope(content, sign(creator.key, content)).SerializeToString()
    return envelope


@dataclass
class SampleLedger:
    """A chain with its state: simulates, orders, validates and commits at once."""

    msp_ids: tuple[str, ...] = ("AlphaMSP", "BetaMSP", "GammaMSP")
    policy: str = "OutOf(2, 'AlphaMSP.peer', 'BetaMSP.peer', 'GammaMSP.peer')"
    collections: bytes = b""
    state: MemoryState = field(default_factory=MemoryState)
    blocks: list[Any] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    commit_hash: bytes = b""

    def __post_init__(self) -> None:
        self.config = sample_config(*self.msp_ids)
        self.commit(sample_genesis(*self.msp_ids))
        self.define(CHAINCODE)

    def define(self, name: str, **options: Any) -> None:
        """Put a definition into state, as if block 0 had."""
        definition = Definition(
            **{
                "name": name,
                "sequence": 1,
                "version": "1.0",
                "validation_parameter": application_policy(self.policy),
                "collections": self.collections,
                **options,
            }
        )
        updates = (
            PublicUpdate(LIFECYCLE_NAMESPACE, key, value, b"", Version(0, 0))
            for key, value in definition_writes(definition).items()
        )
        self.state.apply(UpdateBatch(public=tuple(updates)))

    def simulator(self, *, chaincode: str | None = CHAINCODE, private: Any = None) -> Simulator:
        """A simulator that has called a chaincode."""
        simulator = Simulator(self.state, private, transaction_id="t", msp_ids=self.msp_ids)
        if chaincode is not None:
            simulator.use_chaincode(chaincode)
        return simulator

    def simulate(self, work: Callable[[Simulator], Any], **options: Any) -> SimulationResults:
        """Results of some work."""
        simulator = self.simulator(**options)
        work(simulator)
        return simulator.results()

    def envelope(
        self,
        results: bytes,
        *,
        endorsers: Sequence[str] | None = None,
        client: str | None = None,
        **options: Any,
    ) -> bytes:
        """A transaction by a client, endorsed by the peers of organizations (all, if left out)."""
        creator = members(client or self.msp_ids[0]).client
        proposal = sample_proposal(creator)
        peers = [members(msp_id).peer for msp_id in (self.msp_ids if endorsers is None else endorsers)]
        return sample_envelope(proposal, creator, results, peers, **options)

    def block(self, *envelopes: bytes) -> Any:
        """The next block."""
        return new_block(len(self.blocks), header_hash(self.blocks[-1].header), envelopes)

    def validate(self, block: Any) -> ValidatedBlock:
        """Judge a block."""
        return validate_block(
            block, config=self.config, state=self.state, known_transactions=self.known.intersection
        )

    def commit(self, block: Any) -> ValidatedBlock:
        """Judge a block and apply it."""
        validated = self.validate(block)
        set_flags(block, validated.flags)
        self.state.apply(validated.updates)
        self.blocks.append(block)
        self.known.update(entry.transaction_id for entry in validated.transactions if entry)
        if block.header.number:
            self.commit_hash = commit_hash(validated.flags, validated.updates, self.commit_hash)
        return validated

    def submit(self, *works: Callable[[Simulator], Any], **options: Any) -> ValidatedBlock:
        """Simulate each work on the state as it is, and commit them as one block."""
        results = [self.simulate(work).public for work in works]
        return self.commit(self.block(*(self.envelope(result, **options) for result in results)))


def value_of(ledger: SampleLedger, key: str, namespace: str = CHAINCODE) -> bytes | None:
    """Committed value of a key."""
    found = ledger.state.get(namespace, key)
    return found.value if found else None


def hash_of(text: str | bytes) -> bytes:
    """SHA-256."""
    return sha256(text.encode() if isinstance(text, str) else text).digest()
