"""Changing how blocks are cut and how the channel orders: a real Raft orderer's answers, word for word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2
from fabric_protos.peer import events_pb2
from support.config_changes import signed_change
from support.engine_material import CHANNEL, Consortium, endorsed, make_consortium
from support.memory_chaincode import Call
from support.sample_organizations import SampleOrganization
from support.seek_requests import asked, seek_request

from fabric_embedded.engine import Engine
from fabric_embedded.services.deliver import orderer_deliver
from fabric_protocol.blocks import parse_block
from fabric_protocol.config_editing import with_batch_size

APPLYING = "error applying config update to existing channel 'testing': "
ORDERING = f"{APPLYING}initializing channelconfig failed: could not create channel Orderer sub-group config: "
METADATA = f"{APPLYING}consensus metadata update for channel config update is invalid: "
MAINTENANCE = (
    "config update for existing channel did not pass maintenance checks: "
    "config transaction inspection failed: "
)
ONE_NODE = "the embedded engine has one ordering node, which orders as Raft does"
IN_MAINTENANCE = orderer_pb2.ConsensusType.STATE_MAINTENANCE
Change = Callable[[Any], Any]


async def _put(call: Call) -> None:
    await call.put(call.argument(0), b"v")


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {"put": _put}, policy="OR('AlphaMSP.peer')")


async def _changed(engine: Engine, consortium: Consortium, change: Change) -> tuple[int, str]:
    admins = list(consortium.administrators.values())
    height = engine.ledger.height
    answer = await engine.broadcast(signed_change(engine.config, change(engine.config.group), admins))
    if answer[0] == common_pb2.SUCCESS:
        await engine.ledger.wait_for_block(height)
    return answer


def _value(name: str, data: bytes) -> Change:
    def change(group: Any) -> Any:
        changed = configtx_pb2.ConfigGroup()
        changed.CopyFrom(group)
        changed.groups["Orderer"].values[name].value = data
        return changed

    return change


def _timeout(text: str) -> Change:
    return _value("BatchTimeout", orderer_pb2.BatchTimeout(timeout=text).SerializeToString())


def _consensus(**fields: Any) -> Change:
    def change(group: Any) -> Any:
        consensus = orderer_pb2.ConsensusType.FromString(
            group.groups["Orderer"].values["ConsensusType"].value
        )
        for name, value in fields.items():
            setattr(consensus, name, value)
        return _value("ConsensusType", consensus.SerializeToString())(group)

    return change


def _metadata(edit: Callable[[Any], object]) -> Change:
    def change(group: Any) -> Any:
        consensus = orderer_pb2.ConsensusType.FromString(
            group.groups["Orderer"].values["ConsensusType"].value
        )
        metadata = etcdraft_pb2.ConfigMetadata.FromString(consensus.metadata)
        edit(metadata)
        return _consensus(metadata=metadata.SerializeToString())(group)

    return change


def _options(**fields: Any) -> Change:
    def edit(metadata: Any) -> None:
        for name, value in fields.items():
            setattr(metadata.options, name, value)

    return _metadata(edit)


def _with_consenter(pem: bytes) -> Change:
    def edit(metadata: Any) -> None:
        metadata.consenters.add(host="h", port=7, client_tls_cert=pem, server_tls_cert=pem)

    return _metadata(edit)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda group: with_batch_size(group, max_message_count=0),
            f"{ORDERING}Attempted to set the batch size max message count to an invalid value: 0",
        ),
        (
            lambda group: with_batch_size(group, preferred_max_bytes=2**30),
            f"{ORDERING}Attempted to set the batch size preferred max bytes (1073741824) greater than the "
            "absolute max bytes (10485760).",
        ),
        (_timeout("0s"), f"{ORDERING}Attempted to set the batch timeout to a non-positive value: 0s"),
        (
            _timeout("abc"),
            f'{ORDERING}Attempted to set the batch timeout to a invalid value: time: invalid duration "abc"',
        ),
        (
            _metadata(lambda metadata: metadata.ClearField("options")),
            f"{METADATA}invalid new config metadata: nil Raft config metadata options",
        ),
        (
            _options(heartbeat_tick=0),
            f"{METADATA}invalid new config metadata: none of HeartbeatTick (0), ElectionTick (10) and "
            "MaxInflightBlocks (5) can be zero",
        ),
        (
            _options(election_tick=1),
            f"{METADATA}invalid new config metadata: ElectionTick (1) must be greater than HeartbeatTick (1)",
        ),
        (
            _options(tick_interval="x"),
            f"{METADATA}invalid new config metadata: failed to parse TickInterval (x) to time duration: "
            'time: invalid duration "x"',
        ),
        (
            _options(tick_interval="0s"),
            f"{METADATA}invalid new config metadata: TickInterval cannot be zero",
        ),
        (
            _metadata(lambda metadata: metadata.ClearField("consenters")),
            f"{METADATA}invalid new config metadata: empty consenter set",
        ),
        (
            _with_consenter(b"x"),
            f"{METADATA}invalid new config metadata: consenter h:7 has invalid certificate: parsing tls "
            "client cert of h:7: no PEM data found in cert[78]",
        ),
        (
            _consensus(type="BFT"),
            f"{MAINTENANCE}attempted to change consensus type from etcdraft to BFT, but current config "
            "ConsensusType.State is not in maintenance mode",
        ),
        (
            lambda group: _consensus(state=IN_MAINTENANCE)(with_batch_size(group, max_message_count=9)),
            f"{MAINTENANCE}config update contain more then just the ConsensusType value in the Orderer group",
        ),
    ],
)
async def test_refusals_are_a_raft_orderers(
    engine: Engine, consortium: Consortium, change: Change, text: str
) -> None:
    assert await _changed(engine, consortium, change) == (common_pb2.BAD_REQUEST, text)
    assert engine.config.sequence == 0


async def test_certificates_of_strangers_and_several_changes_at_once(
    engine: Engine, consortium: Consortium
) -> None:
    stranger = SampleOrganization("AlphaMSP").member("orderer").pem
    status, info = await _changed(engine, consortium, _with_consenter(stranger))
    assert (status, info.endswith("x509: certificate signed by unknown authority")) == (400, True)
    status, info = await _changed(
        engine, consortium, lambda group: _with_consenter(stranger)(_with_consenter(stranger)(group))
    )
    assert status == common_pb2.BAD_REQUEST
    duplicate = _metadata(lambda metadata: metadata.consenters.add().CopyFrom(metadata.consenters[0]))
    status, info = await _changed(engine, consortium, duplicate)
    assert (status, "duplicate consenter: server cert: " in info) == (400, True)


async def test_a_second_consenter_is_more_than_the_engine_has(engine: Engine, consortium: Consortium) -> None:
    alpha = consortium.organizations["AlphaMSP"].member("orderer", name="second", valid_days=3000).pem
    status, info = await _changed(engine, consortium, _with_consenter(alpha))
    assert (status, info.startswith(ONE_NODE)) == (common_pb2.NOT_IMPLEMENTED, True)


async def test_options_and_certificates_of_the_one_consenter_may_change(
    engine: Engine, consortium: Consortium
) -> None:
    renewed = consortium.organizations["AlphaMSP"].member("orderer", name="renewed", valid_days=3000).pem

    def edit(metadata: Any) -> None:
        metadata.consenters[0].client_tls_cert = metadata.consenters[0].server_tls_cert = renewed

    assert await _changed(engine, consortium, _options(heartbeat_tick=2)) == (common_pb2.SUCCESS, "")
    assert await _changed(engine, consortium, _metadata(edit)) == (common_pb2.SUCCESS, "")
    (consenter,) = engine.config.consenters
    assert consenter.server_tls_certificate == renewed
    assert await _put_together(engine, consortium, 1) == [1]


async def _put_together(engine: Engine, consortium: Consortium, count: int) -> list[int]:
    """Numbers of transactions in the blocks that several transactions, sent at once, came to."""
    height = engine.ledger.height
    made = [
        await endorsed(engine, consortium, "put", f"k{number}", client="AlphaMSP", endorsers=["AlphaMSP"])
        for number in range(count)
    ]
    answers = await asyncio.gather(*(engine.broadcast(envelope) for envelope, _ in made))
    assert answers == [(common_pb2.SUCCESS, "")] * count
    for _, proposal in made:
        await engine.ledger.wait_for_transaction(proposal.transaction_id)
    blocks = [engine.ledger.block(number) for number in range(height, engine.ledger.height)]
    return [len(parse_block(block or b"").data.data) for block in blocks]


async def test_a_changed_batch_size_cuts_the_next_blocks(engine: Engine, consortium: Consortium) -> None:
    assert await _put_together(engine, consortium, 6) == [6]
    answer = await _changed(engine, consortium, lambda group: with_batch_size(group, max_message_count=2))
    assert answer == (common_pb2.SUCCESS, "")
    assert await _put_together(engine, consortium, 6) == [2, 2, 2]


async def test_a_changed_batch_timeout_delays_the_next_blocks(engine: Engine, consortium: Consortium) -> None:
    assert await _changed(engine, consortium, _timeout("700ms")) == (common_pb2.SUCCESS, "")
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert await _put_together(engine, consortium, 2) == [2]
    assert loop.time() - start >= 0.7


async def test_in_maintenance_mode_nothing_is_ordered_but_configurations(
    engine: Engine, consortium: Consortium
) -> None:
    ready, _ = await endorsed(engine, consortium, "put", "k", client="AlphaMSP", endorsers=["AlphaMSP"])
    assert await _changed(engine, consortium, _consensus(state=IN_MAINTENANCE)) == (common_pb2.SUCCESS, "")
    assert await engine.broadcast(ready) == (
        common_pb2.SERVICE_UNAVAILABLE,
        "normal transactions are rejected: maintenance mode",
    )
    leaving = _consensus(state=orderer_pb2.ConsensusType.STATE_NORMAL)
    changing = (
        f"{MAINTENANCE}attempted to change ConsensusType.Metadata, but ConsensusType.State is changing "
    )
    answer = await _changed(engine, consortium, lambda group: leaving(_options(heartbeat_tick=3)(group)))
    assert answer == (
        common_pb2.BAD_REQUEST,
        f"{changing}from STATE_MAINTENANCE to STATE_NORMAL",
    )
    status, info = await _changed(engine, consortium, _consensus(type="BFT"))
    assert (status, info.startswith(ONE_NODE)) == (common_pb2.NOT_IMPLEMENTED, True)
    assert await _changed(engine, consortium, leaving) == (common_pb2.SUCCESS, "")
    assert (await engine.broadcast(ready))[0] == common_pb2.SUCCESS


async def test_in_maintenance_mode_orderers_blocks_are_for_ordering_organizations(
    engine: Engine, consortium: Consortium
) -> None:
    await _changed(engine, consortium, _consensus(state=IN_MAINTENANCE))
    orderer = consortium.organizations["AlphaMSP"].member("orderer", name="reader", valid_days=3000)
    for member, expected in ((orderer, engine.ledger.height + 1), (consortium.clients["AlphaMSP"], 1)):
        request = seek_request(member=member, channel=CHANNEL)
        answers = [data async for data in orderer_deliver(engine).responses(asked(request))]
        assert len(answers) == expected
    assert events_pb2.DeliverResponse.FromString(answers[0]).status == common_pb2.FORBIDDEN
