"""Material for an embedded engine made in memory: organizations, genesis block, chaincode services."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2
from support.memory_chaincode import MemoryService, Script
from support.sample_organizations import Member, SampleOrganization

from fabric_embedded.assembly import EngineMaterial
from fabric_embedded.engine import Engine
from fabric_embedded.ledger import TransactionStatus
from fabric_embedded.lifecycle.deployment import Administrator
from fabric_embedded.ordering.committer import OrderingNode
from fabric_embedded.peer import PeerMaterial
from fabric_protocol.channel_config import Consenter, OrganizationConfig, genesis_block
from fabric_protocol.endorsements import assemble_transaction, signed_envelope
from fabric_protocol.ordering_config import OrderingConfig
from fabric_protocol.proposals import Proposal, new_proposal
from fabric_protocol.signatures import key_signer, sign
from fabric_protocol.topology import ChaincodeDefinition, CollectionDefinition, Organization, Topology

CHANNEL = "testing"
CHAINCODE = "basic"
_VALID_DAYS = 3000


@dataclass(frozen=True)
class Consortium:
    """Organizations with all their members, and what an engine needs of them."""

    organizations: Mapping[str, SampleOrganization]
    administrators: Mapping[str, Member]
    clients: Mapping[str, Member]
    services: Mapping[str, MemoryService]
    material: EngineMaterial

    def engine(self) -> Engine:
        """A new engine on the same files."""
        return Engine.from_material(self.material)

    def proposal(
        self,
        function: str,
        *arguments: str,
        client: str,
        transient: dict[str, bytes] | None = None,
        **options: Any,
    ) -> tuple[Proposal, proposal_pb2.SignedProposal]:
        """A proposal of an organization's client, signed."""
        return signed_proposal(self.clients[client], function, *arguments, transient=transient, **options)


def signed_proposal(
    member: Member,
    function: str,
    *arguments: str,
    transient: dict[str, bytes] | None = None,
    chaincode: str = CHAINCODE,
    **options: Any,
) -> tuple[Proposal, proposal_pb2.SignedProposal]:
    """A proposal of any member, signed."""
    proposal = new_proposal(
        channel_id=options.pop("channel_id", CHANNEL),
        chaincode=chaincode,
        arguments=[function.encode(), *[argument.encode() for argument in arguments]],
        creator=member.serialized,
        transient=transient,
        **options,
    )
    signature = sign(member.key, proposal.data)
    return proposal, proposal_pb2.SignedProposal(proposal_bytes=proposal.data, signature=signature)


def make_consortium(
    directory: Path,
    script: Script,
    msp_ids: Sequence[str] = ("AlphaMSP", "BetaMSP"),
    *,
    policy: str | None = None,
    ordering: OrderingConfig | None = None,
    collections: Sequence[CollectionDefinition] | None = None,
) -> Consortium:
    """Make organizations, a genesis block, and a chaincode service for each that runs `script`."""
    samples = {msp_id: SampleOrganization(msp_id) for msp_id in msp_ids}
    topology = _topology(msp_ids, policy, collections)
    administrators = {
        msp_id: sample.member("admin", name="admin", valid_days=_VALID_DAYS)
        for msp_id, sample in samples.items()
    }
    services = {msp_id: MemoryService(f"basic:{msp_id.lower()}", script) for msp_id in msp_ids}
    orderer = samples[msp_ids[0]].member("orderer", name="orderer", valid_days=_VALID_DAYS)
    directory.mkdir(mode=0o700, exist_ok=True)
    material = EngineMaterial(
        topology=topology,
        genesis=_genesis(samples, orderer, ordering or OrderingConfig()),
        ledger_directory=directory,
        peers={msp_id: _peer(sample) for msp_id, sample in samples.items()},
        administrators={
            msp_id: Administrator(admin.serialized, key_signer(admin.key), services[msp_id].package_id)
            for msp_id, admin in administrators.items()
        },
        services={msp_id: service.open for msp_id, service in services.items()},
        ordering_node=OrderingNode(orderer.serialized, key_signer(orderer.key)),
    )
    clients = {
        msp_id: sample.member("client", name="client-1", valid_days=_VALID_DAYS)
        for msp_id, sample in samples.items()
    }
    return Consortium(samples, administrators, clients, services, material)


async def submit(
    engine: Engine,
    consortium: Consortium,
    function: str,
    *arguments: str,
    client: str,
    endorsers: Sequence[str],
    **options: Any,
) -> TransactionStatus:
    """Propose, endorse at these organizations, order, and wait."""
    envelope, proposal = await endorsed(
        engine, consortium, function, *arguments, client=client, endorsers=endorsers, **options
    )
    status, info = await engine.broadcast(envelope)
    assert (status, info) == (common_pb2.SUCCESS, "")
    return await engine.ledger.wait_for_transaction(proposal.transaction_id)


async def endorsed(
    engine: Engine,
    consortium: Consortium,
    function: str,
    *arguments: str,
    client: str,
    endorsers: Sequence[str],
    **options: Any,
) -> tuple[common_pb2.Envelope, Proposal]:
    """A transaction that these organizations have endorsed, signed by the client."""
    proposal, signed = consortium.proposal(function, *arguments, client=client, **options)
    answers = [await engine.peers[msp_id].process_proposal(signed) for msp_id in endorsers]
    assert [answer.response.status for answer in answers] == [200] * len(answers), answers
    payload = assemble_transaction(
        proposal.data, answers[0].payload, [answer.endorsement for answer in answers]
    )
    return signed_envelope(payload, sign(consortium.clients[client].key, payload)), proposal


def with_directory(consortium: Consortium, directory: Path) -> Consortium:
    """The same consortium on other files."""
    return replace(consortium, material=replace(consortium.material, ledger_directory=directory))


def _peer(sample: SampleOrganization) -> PeerMaterial:
    member = sample.member("peer", name="peer", valid_days=_VALID_DAYS)
    return PeerMaterial(sample.msp_id.lower(), sample.msp_id, member.identity, key_signer(member.key))


def _topology(
    msp_ids: Sequence[str], policy: str | None, collections: Sequence[CollectionDefinition] | None
) -> Topology:
    peers = ", ".join(f"'{msp_id}.peer'" for msp_id in sorted(msp_ids))
    if collections is None:
        collections = [
            CollectionDefinition(
                name=f"custodian-{msp_id}",
                members=f"OR('{msp_id}.member')",
                endorsement=f"OR('{msp_id}.peer')",
            )
            for msp_id in msp_ids
        ]
    return Topology(
        channel=CHANNEL,
        organizations=tuple(Organization(msp_id.lower(), msp_id, "hospital") for msp_id in msp_ids),
        chaincode=ChaincodeDefinition(
            name=CHAINCODE,
            policy=policy or f"OutOf({len(msp_ids) // 2 + 1}, {peers})",
            command=("none",),
            collections=tuple(collections),
        ),
    )


def _genesis(samples: Mapping[str, SampleOrganization], orderer: Member, ordering: OrderingConfig) -> bytes:
    organizations = [
        OrganizationConfig(
            msp_id.lower(),
            msp_id,
            sample.msp_config(tls_root_certificates=[sample.authority.pem]),
            ("127.0.0.1:1",),
            ("127.0.0.1:1",),
        )
        for msp_id, sample in samples.items()
    ]
    consenter = Consenter(
        host="127.0.0.1",
        port=1,
        client_tls_certificate=orderer.pem,
        server_tls_certificate=orderer.pem,
        msp_id=orderer.identity.msp_id,
        identity=orderer.pem,
    )
    block = genesis_block(
        CHANNEL,
        organizations,
        replace(ordering, consenters=(consenter,)),
        timestamp=datetime(2024, 1, 2, tzinfo=UTC),
    )
    return bytes(block.SerializeToString(deterministic=True))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    while not condition():  # noqa: ASYNC110 - nobody sets an event
        await asyncio.sleep(0.01)
