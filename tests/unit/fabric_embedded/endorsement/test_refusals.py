"""What an endorser refuses, in which words, and whether with a response or without."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2
from support.engine_material import Consortium, make_consortium, signed_proposal, submit
from support.memory_chaincode import Call
from support.sample_organizations import SampleOrganization

from fabric_embedded.engine import Engine
from fabric_embedded.errors import PeerRefusal
from fabric_protocol.errors import GO_DECODING

DENIED = "error validating proposal: access denied: channel [testing] creator org"


async def _nothing(call: Call) -> bytes:
    return b""


async def _put(call: Call) -> None:
    await call.put("k", b"v")


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {"run": _nothing, "put": _put}, ["AlphaMSP"])


async def _refusal(engine: Engine, signed: proposal_pb2.SignedProposal, **options: bool) -> PeerRefusal:
    with pytest.raises(PeerRefusal) as caught:
        await engine.peers["AlphaMSP"].process_proposal(signed, **options)
    return caught.value


def _changed(signed: proposal_pb2.SignedProposal, **fields: object) -> proposal_pb2.SignedProposal:
    """The proposal with other fields in its channel header; the signature is left as it was."""
    proposal = proposal_pb2.Proposal.FromString(signed.proposal_bytes)
    header = common_pb2.Header.FromString(proposal.header)
    channel_header = common_pb2.ChannelHeader.FromString(header.channel_header)
    for name, value in fields.items():
        setattr(channel_header, name, value)
    header.channel_header = channel_header.SerializeToString()
    proposal.header = header.SerializeToString()
    return proposal_pb2.SignedProposal(
        proposal_bytes=proposal.SerializeToString(), signature=signed.signature
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "request unauthorized due to incorrect timestamp 1970-01-01T00:00:00Z, peer time "),
        (b"\xff", f"failed parsing proposal: error unmarshalling Proposal: {GO_DECODING}"),
        (b"x" * 1000, "request unauthorized due to incorrect timestamp 1970-01-01T00:00:00Z, peer time "),
        (b"\x0a\x03\xff\xff\xff", f"failed parsing header: error unmarshalling Header: {GO_DECODING}"),
        (
            b"\x0a\x03\x12\x01\xff",
            f"failed parsing signature header: error unmarshalling SignatureHeader: {GO_DECODING}",
        ),
        (
            b"\x0a\x03\x0a\x01\xff",
            f"failed parsing channel header: error unmarshalling ChannelHeader: {GO_DECODING}",
        ),
    ],
)
async def test_filters_look_at_bytes_that_are_no_proposal(engine: Engine, data: bytes, text: str) -> None:
    signed = proposal_pb2.SignedProposal(proposal_bytes=data, signature=b"s")
    refusal = await _refusal(engine, signed)
    assert refusal.is_filter
    assert refusal.message.startswith(text)
    inner = await _refusal(engine, signed, through_filters=False)
    assert (inner.code, inner.is_filter) == ("PROPOSAL_MALFORMED", False)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"type": 5}, "invalid header type DELIVER_SEEK_INFO"),
        ({"epoch": 1}, "epoch is non-zero"),
        ({"tx_id": "x"}, "incorrectly computed txid 'x' -- expected"),
    ],
)
async def test_header_that_is_wrong(
    engine: Engine, consortium: Consortium, fields: dict[str, object], text: str
) -> None:
    _, signed = consortium.proposal("run", client="AlphaMSP")
    refusal = await _refusal(engine, _changed(signed, **fields))
    assert refusal.message.startswith(f"error validating proposal: {text}")


async def test_bytes_moved_from_the_signature_to_a_known_proposal_are_noticed(
    engine: Engine, consortium: Consortium
) -> None:
    _, signed = consortium.proposal("run", client="AlphaMSP")
    await engine.peers["AlphaMSP"].process_proposal(signed)
    # A signature begins like a field that nobody knows.
    data, signature = signed.proposal_bytes + signed.signature[:2], signed.signature[2:]
    moved = proposal_pb2.SignedProposal(proposal_bytes=data, signature=signature)
    assert (await _refusal(engine, moved)).code == "CREATOR_DENIED"


async def test_proposals_with_transient_data_are_not_kept(engine: Engine, consortium: Consortium) -> None:
    peer = engine.peers["AlphaMSP"]
    for transient in ({}, {"secret": b"s"}):
        _, signed = consortium.proposal("run", client="AlphaMSP", transient=transient)
        assert (await peer.process_proposal(signed)).response.status == 200
    assert [kept.proposal.transient for kept in peer._gate._good.values()][-1:] == [{}]


async def test_unknown_channel_is_a_response_and_no_error(engine: Engine, consortium: Consortium) -> None:
    _, signed = consortium.proposal("run", client="AlphaMSP", channel_id="elsewhere")
    answer = await engine.peers["AlphaMSP"].process_proposal(signed)
    assert (answer.response.status, answer.response.message) == (500, "channel 'elsewhere' not found")
    assert not answer.payload


async def test_missing_signature(engine: Engine, consortium: Consortium) -> None:
    _, signed = consortium.proposal("run", client="AlphaMSP")
    signed.signature = b""
    assert (await _refusal(engine, signed)).message == "error validating proposal: empty signature bytes"


async def test_signature_of_other_bytes(engine: Engine, consortium: Consortium) -> None:
    _, signed = consortium.proposal("run", client="AlphaMSP")
    _, other = consortium.proposal("run", client="AlphaMSP")
    signed.signature = other.signature
    assert (await _refusal(engine, signed)).message == f"{DENIED} [AlphaMSP]"


async def test_creator_of_no_known_organization(engine: Engine) -> None:
    stranger = SampleOrganization("GammaMSP").member("client", valid_days=3000)
    _, signed = signed_proposal(stranger, "run")
    assert (await _refusal(engine, signed)).message == f"{DENIED} unknown, creator is malformed"


async def test_creator_whose_certificate_another_authority_signed(engine: Engine) -> None:
    impostor = SampleOrganization("AlphaMSP").member("client", valid_days=3000)
    _, signed = signed_proposal(impostor, "run")
    assert (await _refusal(engine, signed)).message.startswith(DENIED)


async def test_creator_with_two_roles_is_not_valid(engine: Engine, consortium: Consortium) -> None:
    member = consortium.organizations["AlphaMSP"].member("client", "admin", valid_days=3000)
    _, signed = signed_proposal(member, "run")
    assert (await _refusal(engine, signed)).message == f"{DENIED} [AlphaMSP]"


async def test_peer_may_not_propose(engine: Engine, consortium: Consortium) -> None:
    member = consortium.organizations["AlphaMSP"].member("peer", valid_days=3000)
    _, signed = signed_proposal(member, "run")
    refusal = await _refusal(engine, signed)
    assert refusal.code == "ACCESS_DENIED"
    assert "with policy [/Channel/Application/Writers]" in refusal.message


async def test_transaction_id_that_is_on_the_ledger(engine: Engine, consortium: Consortium) -> None:
    nonce = b"n" * 24
    await submit(engine, consortium, "put", client="AlphaMSP", endorsers=["AlphaMSP"], nonce=nonce)
    proposal, signed = consortium.proposal("run", client="AlphaMSP", nonce=nonce)
    refusal = await _refusal(engine, signed)
    assert refusal.message == (
        f"duplicate transaction found [{proposal.transaction_id}]. Creator [{proposal.creator.hex()}]"
    )


@pytest.mark.parametrize("offset", [timedelta(seconds=-70), timedelta(seconds=70)])
async def test_clock_too_far_away_is_refused_by_a_filter(
    engine: Engine, consortium: Consortium, offset: timedelta
) -> None:
    _, signed = consortium.proposal("run", client="AlphaMSP", timestamp=datetime.now(UTC) + offset)
    refusal = await _refusal(engine, signed)
    assert refusal.is_filter
    instant = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.fullmatch(
        rf"request unauthorized due to incorrect timestamp {instant}, peer time {instant}, "
        "peer.authentication.timewindow 1m0s",
        refusal.message,
    )
    answer = await engine.peers["AlphaMSP"].process_proposal(signed, through_filters=False)
    assert answer.response.status == 200


@pytest.mark.parametrize("offset", [timedelta(seconds=-50), timedelta(seconds=50)])
async def test_clock_within_the_window_is_accepted(
    engine: Engine, consortium: Consortium, offset: timedelta
) -> None:
    _, signed = consortium.proposal("run", client="AlphaMSP", timestamp=datetime.now(UTC) + offset)
    assert (await engine.peers["AlphaMSP"].process_proposal(signed)).response.status == 200


@pytest.mark.parametrize("stranger", [False, True])
async def test_expired_client_is_refused_by_a_filter(
    engine: Engine, consortium: Consortium, stranger: bool
) -> None:
    organization = SampleOrganization("AlphaMSP") if stranger else consortium.organizations["AlphaMSP"]
    _, signed = signed_proposal(organization.member("client", valid_days=1), "run")
    refusal = await _refusal(engine, signed)
    assert (refusal.is_filter, refusal.message) == (True, "proposal client identity expired")


@pytest.mark.parametrize("channel", ["testing", ""])
async def test_the_legacy_lifecycle_is_refused_in_fabrics_words(
    engine: Engine, consortium: Consortium, channel: str
) -> None:
    """Fabric 3.1's peers have no `lscc` left to run, whatever is asked of it."""
    proposal, signed = consortium.proposal(
        "getchaincodes", client="AlphaMSP", chaincode="lscc", channel_id=channel
    )
    answer = await engine.peers["AlphaMSP"].process_proposal(signed)
    assert answer.response.status == 500
    assert answer.response.message.startswith(
        f"error in simulation: failed to execute transaction {proposal.transaction_id}: could not launch "
        "chaincode lscc.syscc: error building chaincode: error building image: failed to get chaincode "
    )


async def test_chaincode_that_is_not_defined(engine: Engine, consortium: Consortium) -> None:
    name = "unknown"
    _, signed = consortium.proposal("run", client="AlphaMSP", chaincode=name)
    answer = await engine.peers["AlphaMSP"].process_proposal(signed)
    assert answer.response.status == 500
    assert answer.response.message == (
        f"make sure the chaincode {name} has been successfully defined on channel testing and try again: "
        f"chaincode {name} not found"
    )


async def test_refusals_leave_nothing_behind(engine: Engine, consortium: Consortium) -> None:
    height = engine.ledger.height
    _, signed = consortium.proposal("run", client="AlphaMSP")
    signed.signature = b"no signature"
    await _refusal(engine, signed)
    _, good = consortium.proposal("run", client="AlphaMSP")
    assert (await engine.peers["AlphaMSP"].process_proposal(good)).HasField("endorsement")
    assert engine.ledger.height == height
