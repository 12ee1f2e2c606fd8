"""Changing the channel's configuration through the ordering node of an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from support.config_changes import signed_change, signed_update
from support.engine_material import Consortium, endorsed, make_consortium, submit, until
from support.memory_chaincode import Call
from support.sample_organizations import Member, SampleOrganization

from fabric_embedded.endorsement.admission import PeerRefusal
from fabric_embedded.engine import Engine
from fabric_embedded.errors import LedgerError
from fabric_embedded.storage.ledger_store import LedgerStore
from fabric_protocol.blocks import is_config_block, last_config_index, parse_block, transaction_flags
from fabric_protocol.channel_config import ChannelConfig, OrganizationConfig
from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_editing import (
    with_batch_size,
    with_organization,
    with_revocation_list,
    with_signature_policy,
)
from fabric_protocol.policies import parse_policy
from fabric_protocol.validation_codes import ValidationCode

MSP_IDS = ("AlphaMSP", "BetaMSP", "GammaMSP")
SUCCESS = (common_pb2.SUCCESS, "")
REFUSED = "error applying config update to existing channel 'testing': "


async def _put(call: Call) -> None:
    await call.put("k", b"v")


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {"put": _put}, MSP_IDS, policy="OR('AlphaMSP.peer')")


def _admins(consortium: Consortium, *msp_ids: str) -> list[Member]:
    return [consortium.administrators[msp_id] for msp_id in msp_ids or MSP_IDS]


async def _change(engine: Engine, changed: Any, admins: Sequence[Member]) -> tuple[int, str]:
    return await engine.broadcast(signed_change(engine.config, changed, admins))


async def _changed(engine: Engine, changed: Any, admins: Sequence[Member]) -> Any:
    """The block that brings a configuration."""
    height = engine.ledger.height
    assert await _change(engine, changed, admins) == SUCCESS
    return parse_block(await engine.ledger.wait_for_block(height))


async def _put_by(engine: Engine, consortium: Consortium, client: str) -> int:
    status = await submit(engine, consortium, "put", client=client, endorsers=["AlphaMSP"])
    return status.code


async def test_a_configuration_gets_a_block_of_its_own(engine: Engine, consortium: Consortium) -> None:
    group = with_batch_size(engine.config.group, max_message_count=7)
    block = await _changed(engine, group, _admins(consortium))
    assert is_config_block(block)
    assert last_config_index(block) == block.header.number
    assert transaction_flags(block) == bytes([ValidationCode.VALID])
    assert (engine.config.sequence, engine.config.max_message_count) == (1, 7)
    assert await _put_by(engine, consortium, "AlphaMSP") == ValidationCode.VALID
    later = parse_block(engine.ledger.block(block.header.number + 1) or b"")
    assert last_config_index(later) == block.header.number


async def test_the_configuration_outlives_the_engine(consortium: Consortium) -> None:
    first = consortium.engine()
    await first.start()
    block = await _changed(
        first, with_batch_size(first.config.group, max_message_count=7), _admins(consortium)
    )
    await first.close()
    second = consortium.engine()
    assert (second.config.sequence, second.config.max_message_count) == (1, 7)
    assert second.config.group == ChannelConfig.from_block(block).group
    await second.start()
    assert await _put_by(second, consortium, "AlphaMSP") == ValidationCode.VALID
    await second.close()


async def test_a_revoked_client_is_refused_from_then_on(engine: Engine, consortium: Consortium) -> None:
    revoked = consortium.clients["BetaMSP"]
    early, proposal = await endorsed(engine, consortium, "put", client="BetaMSP", endorsers=["AlphaMSP"])
    revocations = consortium.organizations["BetaMSP"].revocation_list([revoked.certificate])
    changed = with_revocation_list(engine.config.group, "BetaMSP", revocations)
    assert await _change(engine, changed, _admins(consortium, "BetaMSP")) == SUCCESS
    # Sent while the configuration is on its way, judged once it is in force.
    status, info = await engine.broadcast(early)
    assert (status, info.endswith("permission denied")) == (common_pb2.FORBIDDEN, True)
    assert engine.ledger.transaction(proposal.transaction_id) is None
    _, signed = consortium.proposal("put", client="BetaMSP")
    with pytest.raises(PeerRefusal, match="access denied"):
        await engine.peers["AlphaMSP"].process_proposal(signed)
    assert await _put_by(engine, consortium, "GammaMSP") == ValidationCode.VALID


async def test_what_was_accepted_before_comes_before(engine: Engine, consortium: Consortium) -> None:
    revoked = consortium.clients["BetaMSP"]
    revocations = consortium.organizations["BetaMSP"].revocation_list([revoked.certificate])
    changed = with_revocation_list(engine.config.group, "BetaMSP", revocations)
    early, proposal = await endorsed(engine, consortium, "put", client="BetaMSP", endorsers=["AlphaMSP"])
    assert await engine.broadcast(early) == SUCCESS
    block = await _changed(engine, changed, _admins(consortium, "BetaMSP"))
    status = await engine.ledger.wait_for_transaction(proposal.transaction_id)
    assert status.code == ValidationCode.VALID
    # The transaction and the configuration, in this order, in two blocks.
    assert not is_config_block(block)
    await until(lambda: engine.ledger.height == block.header.number + 2)
    assert engine.config.sequence == 1


async def test_an_added_organizations_clients_are_known(engine: Engine, consortium: Consortium) -> None:
    delta = SampleOrganization("DeltaMSP")
    member = delta.member("client", valid_days=3000)
    consortium.clients["DeltaMSP"] = member  # type: ignore[index]
    _, signed = consortium.proposal("put", client="DeltaMSP")
    with pytest.raises(PeerRefusal, match="creator is malformed"):
        await engine.peers["AlphaMSP"].process_proposal(signed)
    entry = OrganizationConfig("deltamsp", "DeltaMSP", delta.msp_config(), ("127.0.0.1:1",))
    await _changed(engine, with_organization(engine.config.group, entry), _admins(consortium))
    assert await _put_by(engine, consortium, "DeltaMSP") == ValidationCode.VALID


async def test_a_changed_policy_decides(engine: Engine, consortium: Consortium) -> None:
    writers = parse_policy("OR('AlphaMSP.client', 'AlphaMSP.admin')")
    changed = with_signature_policy(engine.config.group, "/Channel/Application/Writers", writers)
    await _changed(engine, changed, _admins(consortium))
    _, signed = consortium.proposal("put", client="BetaMSP")
    with pytest.raises(PeerRefusal):
        await engine.peers["AlphaMSP"].process_proposal(signed)
    assert await _put_by(engine, consortium, "AlphaMSP") == ValidationCode.VALID


async def test_two_changes_of_one_configuration(engine: Engine, consortium: Consortium) -> None:
    admins = _admins(consortium)
    envelopes = [
        signed_change(engine.config, with_batch_size(engine.config.group, max_message_count=count), admins)
        for count in (7, 8)
    ]
    first, second = await asyncio.gather(*(engine.broadcast(envelope) for envelope in envelopes))
    assert first == SUCCESS
    assert second == (
        common_pb2.BAD_REQUEST,
        f"{REFUSED}error authorizing update: error validating DeltaSet: attempt to set key [Value]  "
        "/Channel/Orderer/BatchSize to version 1, but key is at version 1",
    )
    assert engine.config.max_message_count == 7


async def test_hostile_updates_change_nothing(engine: Engine, consortium: Consortium) -> None:
    height, group = engine.ledger.height, engine.config.group
    smaller = with_batch_size(group, max_message_count=7)
    update = compute_update("testing", group, smaller)
    elsewhere = compute_update("elsewhere", group, smaller)
    outdated = configtx_pb2.ConfigUpdate()
    outdated.CopyFrom(update)
    outdated.read_set.groups["Orderer"].version = 4
    admins = _admins(consortium)
    stranger = SampleOrganization("AlphaMSP").member("admin", valid_days=3000)
    for envelope, status, text in (
        (signed_update("testing", update, admins[:1]), common_pb2.BAD_REQUEST, "BatchSize not satisfied"),
        (signed_update("testing", outdated, admins), common_pb2.BAD_REQUEST, "be at version 4"),
        (signed_update("testing", elsewhere, admins), common_pb2.BAD_REQUEST, "channel 'elsewhere'"),
        (signed_update("elsewhere", elsewhere, admins), common_pb2.BAD_REQUEST, "channel does not exist"),
        (
            signed_update("testing", update, [stranger, *admins]),
            common_pb2.FORBIDDEN,
            "did not pass initial checks",
        ),
    ):
        found = await engine.broadcast(envelope)
        assert found[0] == status
        assert text in found[1]
    assert (engine.ledger.height, engine.config.sequence) == (height, 0)


async def test_what_one_ordering_node_cannot_do(engine: Engine, consortium: Consortium) -> None:
    beta_only = with_signature_policy(
        engine.config.group, "/Channel/Orderer/BlockValidation", parse_policy("OR('BetaMSP.orderer')")
    )
    status, info = await _change(engine, beta_only, _admins(consortium))
    assert status == common_pb2.NOT_IMPLEMENTED
    assert "could sign no block" in info
    assert engine.config.sequence == 0


async def test_a_configuration_larger_than_messages_may_be(engine: Engine, consortium: Consortium) -> None:
    """The update fits, the whole configuration that comes of it does not."""
    admins = _admins(consortium, "AlphaMSP", "BetaMSP")
    smaller = with_batch_size(engine.config.group, absolute_max_bytes=6_000, preferred_max_bytes=6_000)
    await _changed(engine, smaller, admins)
    larger = with_batch_size(engine.config.group, absolute_max_bytes=20_000)
    status, info = await _change(engine, larger, admins)
    assert status == common_pb2.BAD_REQUEST
    assert "did not pass final checks: message payload is" in info


async def test_a_full_disk_delays_a_configuration(
    engine: Engine, consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LedgerError("LEDGER_WRITE_FAILED", "database or disk is full")

    waiting, _ = await endorsed(engine, consortium, "put", client="AlphaMSP", endorsers=["AlphaMSP"])
    group = with_batch_size(engine.config.group, max_message_count=7)
    with monkeypatch.context() as patch:
        patch.setattr(LedgerStore, "commit", fail)
        assert await _change(engine, group, _admins(consortium)) == SUCCESS
        status, info = await engine.broadcast(waiting)
        assert (status, "disk is full" in info) == (common_pb2.SERVICE_UNAVAILABLE, True)
    await until(lambda: engine.config.sequence == 1 and not engine._ordering._fault)
    assert await _put_by(engine, consortium, "AlphaMSP") == ValidationCode.VALID
