"""What the ordering node refuses, and in which words; what it does when the ledger cannot be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import transaction_pb2
from support.engine_material import Consortium, endorsed, make_consortium, submit, until
from support.memory_chaincode import Call
from support.sample_organizations import Member, SampleOrganization

from fabric_embedded.engine import Engine
from fabric_embedded.errors import LedgerError
from fabric_embedded.storage.ledger_store import LedgerStore
from fabric_protocol.blocks import check_well_formed, parse_block
from fabric_protocol.ordering_config import OrderingConfig
from fabric_protocol.signatures import sign
from fabric_protocol.validation_codes import ValidationCode


async def _put(call: Call) -> None:
    await call.put("k", b"v")


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    ordering = OrderingConfig(absolute_max_bytes=20_000, preferred_max_bytes=10_000)
    return make_consortium(tmp_path / "ledger", {"put": _put}, ["AlphaMSP"], ordering=ordering)


def _envelope(member: Member, *, data: bytes = b"", signer: Member | None = None, **fields: Any) -> Any:
    header = {"type": common_pb2.ENDORSER_TRANSACTION, "channel_id": "testing", **fields}
    payload = common_pb2.Payload(
        header=common_pb2.Header(
            channel_header=common_pb2.ChannelHeader(**header).SerializeToString(),
            signature_header=common_pb2.SignatureHeader(
                creator=member.serialized, nonce=b"n"
            ).SerializeToString(),
        ),
        data=data,
    ).SerializeToString()
    return common_pb2.Envelope(payload=payload, signature=sign((signer or member).key, payload))


async def test_envelopes_that_cannot_be_read(engine: Engine) -> None:
    unreadable = common_pb2.Envelope(payload=b"\xff\xff", signature=b"s")
    assert (await engine.broadcast(unreadable))[0] == common_pb2.BAD_REQUEST
    assert await engine.broadcast(common_pb2.Envelope()) == (
        common_pb2.BAD_REQUEST,
        "could not determine channel ID: header not set",
    )


@pytest.mark.parametrize(
    ("fields", "status", "info"),
    [
        ({"channel_id": "elsewhere"}, common_pb2.BAD_REQUEST, "channel does not exist"),
        (
            {"type": common_pb2.CONFIG},
            common_pb2.BAD_REQUEST,
            "message is of type that cannot be processed directly",
        ),
        (
            {"type": common_pb2.ORDERER_TRANSACTION},
            common_pb2.BAD_REQUEST,
            "message is of type that is no longer supported",
        ),
        (
            {"type": common_pb2.CONFIG_UPDATE},
            common_pb2.BAD_REQUEST,
            "error applying config update to existing channel 'testing': error authorizing update: "
            "ConfigUpdate for channel '' but envelope for channel 'testing'",
        ),
    ],
)
async def test_headers_that_are_refused(
    engine: Engine, consortium: Consortium, fields: dict[str, Any], status: int, info: str
) -> None:
    envelope = _envelope(consortium.clients["AlphaMSP"], **fields)
    assert await engine.broadcast(envelope) == (status, info)


async def test_envelope_above_the_limit(engine: Engine, consortium: Consortium) -> None:
    envelope = _envelope(consortium.clients["AlphaMSP"], data=bytes(20_000))
    status, info = await engine.broadcast(envelope)
    assert status == common_pb2.BAD_REQUEST
    assert info.endswith("exceeds maximum allowed 20000 bytes")


async def test_strangers_forgeries_and_peers_are_forbidden(engine: Engine, consortium: Consortium) -> None:
    client = consortium.clients["AlphaMSP"]
    peer = consortium.organizations["AlphaMSP"].member("peer", valid_days=3000)
    stranger = SampleOrganization("GammaMSP").member("client", valid_days=3000)
    for envelope in (_envelope(stranger), _envelope(client, signer=stranger), _envelope(peer)):
        status, info = await engine.broadcast(envelope)
        assert status == common_pb2.FORBIDDEN
        assert info == (
            "implicit policy evaluation failed - 0 sub-policies were satisfied, but this policy requires 1 "
            "of the 'Writers' sub-policies to be satisfied: permission denied"
        )


async def test_expired_client_is_refused(engine: Engine, consortium: Consortium) -> None:
    expired = consortium.organizations["AlphaMSP"].member("client", valid_days=1)
    assert await engine.broadcast(_envelope(expired)) == (
        common_pb2.BAD_REQUEST,
        "broadcast client identity expired",
    )


async def test_what_is_accepted_and_makes_no_sense_gets_a_code_in_its_block(
    engine: Engine, consortium: Consortium
) -> None:
    height = engine.ledger.height
    assert await engine.broadcast(_envelope(consortium.clients["AlphaMSP"])) == (common_pb2.SUCCESS, "")
    block = parse_block(await engine.ledger.wait_for_block(height))
    assert block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER] != bytes([ValidationCode.VALID])


async def test_an_action_without_content_gets_a_code_and_the_next_transaction_is_valid(
    engine: Engine, consortium: Consortium
) -> None:
    client = consortium.clients["AlphaMSP"]
    envelope, _ = await endorsed(engine, consortium, "put", client="AlphaMSP", endorsers=["AlphaMSP"])
    payload = common_pb2.Payload.FromString(envelope.payload)
    transaction = transaction_pb2.Transaction.FromString(payload.data)
    transaction.actions[0].payload = b""
    payload.data = transaction.SerializeToString()
    content = payload.SerializeToString()
    emptied = common_pb2.Envelope(payload=content, signature=sign(client.key, content))
    height = engine.ledger.height
    assert await engine.broadcast(emptied) == (common_pb2.SUCCESS, "")
    block = parse_block(await engine.ledger.wait_for_block(height))
    code = block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER]
    assert code == bytes([ValidationCode.INVALID_ENDORSER_TRANSACTION])
    await submit(engine, consortium, "put", client="AlphaMSP", endorsers=["AlphaMSP"])


async def test_envelope_with_unknown_fields_is_written_anew(engine: Engine, consortium: Consortium) -> None:
    envelope, proposal = await endorsed(engine, consortium, "put", client="AlphaMSP", endorsers=["AlphaMSP"])
    odd = common_pb2.Envelope.FromString(envelope.SerializeToString() + b"\xf8\x07\x01")
    await engine.broadcast(odd)
    status = await engine.ledger.wait_for_transaction(proposal.transaction_id)
    check_well_formed(parse_block(engine.ledger.block(status.block_number) or b""))
    assert status.code == ValidationCode.VALID


async def test_full_disk_refuses_new_envelopes_and_commits_the_accepted_once_there_is_room(
    engine: Engine, consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    envelope, proposal = await endorsed(engine, consortium, "put", client="AlphaMSP", endorsers=["AlphaMSP"])

    def fail(*_: object) -> None:
        raise LedgerError("LEDGER_WRITE_FAILED", "database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(LedgerStore, "commit", fail)
        assert (await engine.broadcast(envelope))[0] == common_pb2.SUCCESS
        await until(lambda: bool(engine._ordering._fault))
        status, info = await engine.broadcast(_envelope(consortium.clients["AlphaMSP"]))
    assert status == common_pb2.SERVICE_UNAVAILABLE
    assert "database or disk is full" in info
    assert (await engine.ledger.wait_for_transaction(proposal.transaction_id)).code == ValidationCode.VALID
    committed = await submit(engine, consortium, "put", client="AlphaMSP", endorsers=["AlphaMSP"])
    assert committed.code == ValidationCode.VALID
