"""Blocks with the private data that a peer holds, on both engines: members read it, and nobody else."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from support.embedded import User, enrolled_user

from fabric_embedded.network import EmbeddedNetwork
from fabric_gateway import BlockWithPrivateData, Gateway, InMemoryCheckpointer, Position
from fabric_native import NativeNetwork
from fabric_protocol.blocks import parse_block

pytestmark = pytest.mark.integration
AnyNetwork = EmbeddedNetwork | NativeNetwork
COLLECTION = "custodian-AlphaMSP"


def connected(network: AnyNetwork, user: User) -> Gateway:
    document: Any = json.loads((network.directory / "network.json").read_text())
    peer = document["organizations"][user.msp_id]["peers"][0]
    return Gateway.connect(
        peer["endpoint"],
        identity=user.identity,
        signer=user.sign_digest,
        tls_roots=(Path(network.directory) / peer["tls_roots"]).read_bytes(),
        server_name=peer["server_name"],
    )


@pytest.fixture
def users(network: AnyNetwork) -> dict[str, User]:
    return {
        name: enrolled_user(network, name, f"reader-{secrets.token_hex(4)}") for name in ("alpha", "beta")
    }


def private_writes(block: BlockWithPrivateData) -> dict[str, bytes]:
    """What was written privately in a block, by key."""
    return {
        write.key: write.value
        for by_namespace in block.private_writes.values()
        for namespace in by_namespace.namespaces
        for collection in namespace.collections
        for write in collection.writes
    }


def test_members_of_a_collection_read_what_was_written_to_it(
    network: AnyNetwork, users: dict[str, User]
) -> None:
    key = f"key-{secrets.token_hex(4)}"
    with connected(network, users["alpha"]) as gateway:
        channel = gateway.network("testing")
        proposal = channel.contract("basic").new_proposal(
            "basic:put_private",
            COLLECTION,
            key,
            transient={"value": b"for members only"},
            endorsing_organizations=["AlphaMSP"],
        )
        number = proposal.endorse().submit().status().block_number
        with channel.blocks_with_private_data(number, number) as blocks:
            (block,) = blocks
        checkpointer = InMemoryCheckpointer()
        checkpointer.save(Position(number))
        with channel.blocks_with_private_data(stop=number, checkpointer=checkpointer) as blocks:
            assert [found.number for found in blocks] == [number]
    assert (block.number, parse_block(block.block).header.number) == (number, number)
    assert private_writes(block) == {key: b"for members only"}
    assert b"for members only" not in block.block
    with connected(network, users["beta"]) as gateway:
        (block,) = gateway.network("testing").blocks_with_private_data(number, number)
    assert private_writes(block) == {}
