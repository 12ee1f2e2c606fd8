"""Endorsements: byte-equal payloads, own keys, the interest that gateways choose endorsers by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fabric_protos.peer import proposal_pb2, proposal_response_pb2
from support.engine_material import Consortium, make_consortium
from support.memory_chaincode import Call

from fabric_embedded.endorsement.private_sets import PendingWriter
from fabric_embedded.engine import Engine
from fabric_embedded.errors import LedgerError
from fabric_protocol.proposals import proposal_hash
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.signatures import verify
from fabric_protocol.topology import CollectionDefinition

BOTH = ("AlphaMSP", "BetaMSP")


async def _write(call: Call) -> bytes:
    await call.get("read")
    await call.put("k", b"v")
    return b"result"


async def _refuse(_call: Call) -> Any:
    return proposal_response_pb2.Response(status=500, message="no")


async def _private(call: Call) -> None:
    await call.put("k", b"v", "shared")


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    shared = CollectionDefinition(name="shared", members="OR('AlphaMSP.member', 'BetaMSP.member')")
    return make_consortium(
        tmp_path / "ledger",
        {"write": _write, "private": _private, "refuse": _refuse},
        BOTH,
        collections=[shared],
    )


async def _endorse(engine: Engine, consortium: Consortium, function: str) -> tuple[Any, list[Any]]:
    proposal, signed = consortium.proposal(function, client="AlphaMSP")
    return proposal, [await engine.peers[msp_id].process_proposal(signed) for msp_id in BOTH]


async def test_organizations_sign_equal_payloads_with_their_own_keys(
    engine: Engine, consortium: Consortium
) -> None:
    _, answers = await _endorse(engine, consortium, "write")
    assert answers[0].payload == answers[1].payload
    for answer, msp_id in zip(answers, BOTH, strict=True):
        identity = engine.peers[msp_id].identity
        assert answer.endorsement.endorser == identity.serialized
        verify(identity.public_key, answer.endorsement.signature, answer.payload + identity.serialized)
    assert answers[0].version == 1


async def test_an_evaluation_is_answered_alike_but_not_signed(engine: Engine, consortium: Consortium) -> None:
    peer = engine.peers["AlphaMSP"]
    for function in ("write", "private", "refuse"):
        _, signed = consortium.proposal(function, client="AlphaMSP")
        endorsed = await peer.process_proposal(signed)
        _, signed = consortium.proposal(function, client="AlphaMSP")
        evaluated = await peer.process_proposal(signed, endorses=False)
        assert evaluated.response.status == endorsed.response.status
        assert evaluated.response.payload == endorsed.response.payload
        assert not evaluated.HasField("endorsement")


async def test_payload_names_proposal_chaincode_version_and_response(
    engine: Engine, consortium: Consortium
) -> None:
    proposal, (answer, _) = await _endorse(engine, consortium, "write")
    payload = proposal_response_pb2.ProposalResponsePayload.FromString(answer.payload)
    action = proposal_pb2.ChaincodeAction.FromString(payload.extension)
    assert payload.proposal_hash == proposal_hash(proposal.data)
    assert (action.chaincode_id.name, action.chaincode_id.version) == ("basic", "1.0")
    assert (action.response.status, action.response.payload) == (200, b"result")


async def test_read_set_has_the_definitions_sequence(engine: Engine, consortium: Consortium) -> None:
    _, (answer, _) = await _endorse(engine, consortium, "write")
    payload = proposal_response_pb2.ProposalResponsePayload.FromString(answer.payload)
    rwset = decode_rwset(proposal_pb2.ChaincodeAction.FromString(payload.extension).results)
    reads = {entry.namespace: [read.key for read in entry.reads] for entry in rwset.namespaces}
    assert reads == {"_lifecycle": ["namespaces/fields/basic/Sequence"], "basic": ["read"]}


async def test_interest_names_what_was_touched(engine: Engine, consortium: Consortium) -> None:
    _, (public, _) = await _endorse(engine, consortium, "write")
    _, (private, _) = await _endorse(engine, consortium, "private")
    assert [call.name for call in public.interest.chaincodes] == ["basic"]
    assert [list(call.collection_names) for call in private.interest.chaincodes] == [["shared"]]
    assert private.interest.chaincodes[0].no_private_reads


async def test_private_set_that_cannot_be_kept_is_not_endorsed(
    engine: Engine, consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise LedgerError("LEDGER_WRITE_FAILED", "no room")

    monkeypatch.setattr(PendingWriter, "add", fail)
    _, (answer, _) = await _endorse(engine, consortium, "private")
    assert (answer.response.status, answer.response.message) == (500, "error in simulation: no room")
    assert not answer.HasField("endorsement")
