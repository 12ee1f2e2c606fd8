"""Transactions read stage by stage: every fault gets the code that a peer gives for it."""

from collections.abc import Callable
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2
from support.sample_channel import (
    CHAINCODE,
    TIME,
    endorsed_payload,
    members,
    sample_envelope,
    sample_proposal,
)

from fabric_protocol.endorsements import assemble_transaction, endorse, event_bytes
from fabric_protocol.errors import EncodingError, ProposalError
from fabric_protocol.signatures import key_signer
from fabric_protocol.transactions import Transaction

ALPHA = members("AlphaMSP")


def envelope(**options: Any) -> bytes:
    return sample_envelope(sample_proposal(ALPHA.client), ALPHA.client, b"", [ALPHA.peer], **options)


class Parts:
    """A transaction taken apart, to be changed and put together again."""

    def __init__(self) -> None:
        message = common_pb2.Envelope.FromString(envelope())
        self.payload = common_pb2.Payload.FromString(message.payload)
        self.channel = common_pb2.ChannelHeader.FromString(self.payload.header.channel_header)
        self.transaction = transaction_pb2.Transaction.FromString(self.payload.data)
        self.action = transaction_pb2.ChaincodeActionPayload.FromString(self.transaction.actions[0].payload)
        self.response = proposal_response_pb2.ProposalResponsePayload.FromString(
            self.action.action.proposal_response_payload
        )
        self.result = proposal_pb2.ChaincodeAction.FromString(self.response.extension)

    def rebuild_result(self) -> None:
        self.response.extension = self.result.SerializeToString()
        self.rebuild_response()

    def rebuild_response(self) -> None:
        self.action.action.proposal_response_payload = self.response.SerializeToString()
        self.rebuild_action()

    def rebuild_action(self) -> None:
        self.transaction.actions[0].payload = self.action.SerializeToString()
        self.rebuild_transaction()

    def rebuild_transaction(self) -> None:
        self.payload.data = self.transaction.SerializeToString()

    def rebuild_channel(self) -> None:
        self.payload.header.channel_header = self.channel.SerializeToString()

    def envelope(self) -> bytes:
        message = common_pb2.Envelope(payload=self.payload.SerializeToString(), signature=b"s")
        data: bytes = message.SerializeToString()
        return data


def no_header(parts: Parts) -> None:
    parts.payload.ClearField("header")


def bad_channel_header(parts: Parts) -> None:
    parts.payload.header.channel_header = b"\xff"


def bad_signature_header(parts: Parts) -> None:
    parts.payload.header.signature_header = b"\xff"


def other_type(parts: Parts) -> None:
    parts.channel.type = 5
    parts.rebuild_channel()


def epoch(parts: Parts) -> None:
    parts.channel.epoch = 1
    parts.rebuild_channel()


def other_id(parts: Parts) -> None:
    parts.channel.tx_id = "0" * 64
    parts.rebuild_channel()


def no_action(parts: Parts) -> None:
    del parts.transaction.actions[:]
    parts.rebuild_transaction()


def two_actions(parts: Parts) -> None:
    parts.transaction.actions.append(parts.transaction.actions[0])
    parts.rebuild_transaction()


def bad_data(parts: Parts) -> None:
    parts.payload.data = b"\xff"


def bad_action_header(parts: Parts) -> None:
    parts.transaction.actions[0].header = b"\xff"
    parts.rebuild_transaction()


def empty_action_header(parts: Parts) -> None:
    parts.transaction.actions[0].header = b""
    parts.rebuild_transaction()


def bad_action(parts: Parts) -> None:
    parts.transaction.actions[0].payload = b"\xff"
    parts.rebuild_transaction()


def bad_response_payload(parts: Parts) -> None:
    parts.action.action.proposal_response_payload = b"\xff"
    parts.rebuild_action()


def other_arguments(parts: Parts) -> None:
    parts.action.chaincode_proposal_payload += b"\x12\x00"
    parts.rebuild_action()


def other_hash(parts: Parts) -> None:
    parts.response.proposal_hash = b"h" * 32
    parts.rebuild_response()


def bad_extension(parts: Parts) -> None:
    parts.response.extension = b"\xff"
    parts.rebuild_response()


def no_chaincode(parts: Parts) -> None:
    parts.result.ClearField("chaincode_id")
    parts.rebuild_result()


def other_chaincode(parts: Parts) -> None:
    parts.result.chaincode_id.name = "other"
    parts.rebuild_result()


def bad_event(parts: Parts) -> None:
    parts.result.events = b"\xff"
    parts.rebuild_result()


FAULTS: list[tuple[Callable[[Parts], None], str]] = [
    (no_header, "BAD_COMMON_HEADER"),
    (bad_channel_header, "BAD_COMMON_HEADER"),
    (bad_signature_header, "BAD_COMMON_HEADER"),
    (other_type, "BAD_COMMON_HEADER"),
    (epoch, "BAD_COMMON_HEADER"),
    (other_id, "BAD_PROPOSAL_TXID"),
    (no_action, "INVALID_ENDORSER_TRANSACTION"),
    (two_actions, "INVALID_ENDORSER_TRANSACTION"),
    (bad_data, "INVALID_ENDORSER_TRANSACTION"),
    (bad_action_header, "INVALID_ENDORSER_TRANSACTION"),
    (empty_action_header, "INVALID_ENDORSER_TRANSACTION"),
    (bad_action, "INVALID_ENDORSER_TRANSACTION"),
    (bad_response_payload, "INVALID_ENDORSER_TRANSACTION"),
    (other_arguments, "INVALID_ENDORSER_TRANSACTION"),
    (other_hash, "INVALID_ENDORSER_TRANSACTION"),
    (bad_extension, "BAD_RESPONSE_PAYLOAD"),
    (no_chaincode, "INVALID_OTHER_REASON"),
    (other_chaincode, "INVALID_CHAINCODE"),
    (bad_event, "INVALID_OTHER_REASON"),
]


@pytest.mark.parametrize(("fault", "code"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_faulty_transaction_gets_its_code(fault: Callable[[Parts], None], code: str) -> None:
    parts = Parts()
    fault(parts)

    with pytest.raises(EncodingError) as caught:
        Transaction.from_envelope(parts.envelope())

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\xff", "INVALID_OTHER_REASON"), (b"\x0a\x01\xff", "BAD_PAYLOAD"), (b"", "BAD_COMMON_HEADER")],
)
def test_bytes_that_are_no_transaction_get_their_code(data: bytes, code: str) -> None:
    with pytest.raises(EncodingError) as caught:
        Transaction.from_envelope(data)
    assert caught.value.code == code


def test_a_whole_transaction_is_read() -> None:
    proposal = sample_proposal(ALPHA.client, arguments=[b"put", b"k"], transient={"secret": b"s"})
    event = event_bytes(chaincode=CHAINCODE, transaction_id=proposal.transaction_id, name="e", payload=b"x")
    data = sample_envelope(proposal, ALPHA.client, b"", [ALPHA.peer], event=event)

    entry = Transaction.from_envelope(data)

    assert (entry.transaction_id, entry.timestamp) == (proposal.transaction_id, TIME)
    assert (entry.chaincode, entry.version, entry.arguments) == (CHAINCODE, "1.0", (b"put", b"k"))
    assert entry.event is not None
    assert (entry.event.name, entry.event.payload) == ("e", b"x")
    assert [signed.identity for signed in entry.signed_endorsements] == [ALPHA.peer.serialized]
    assert b"secret" not in data


def test_a_configuration_has_no_action() -> None:
    parts = Parts()
    parts.channel.type = 1
    parts.rebuild_channel()

    entry = Transaction.from_envelope(parts.envelope())

    assert (entry.type, entry.chaincode, entry.endorsements) == (1, None, ())


def test_an_endorser_counts_once() -> None:
    data = sample_envelope(sample_proposal(ALPHA.client), ALPHA.client, b"", [ALPHA.peer, ALPHA.peer])

    assert len(Transaction.from_envelope(data).endorsements) == 1


@pytest.mark.parametrize("status", [0, 199, 400, 500])
def test_no_transaction_is_made_of_a_failure(status: int) -> None:
    proposal = sample_proposal(ALPHA.client)
    payload = endorsed_payload(proposal, b"", status=status)
    endorsement = endorse(payload, key_signer(ALPHA.peer.key), ALPHA.peer.serialized)

    with pytest.raises(ProposalError) as caught:
        assemble_transaction(proposal.data, payload, [endorsement])

    assert caught.value.code == "RESPONSE_FAILED"


def test_no_transaction_is_made_without_endorsements_or_of_rubbish() -> None:
    proposal = sample_proposal(ALPHA.client)
    payload = endorsed_payload(proposal, b"")
    endorsement = endorse(payload, key_signer(ALPHA.peer.key), ALPHA.peer.serialized)

    with pytest.raises(ProposalError) as caught:
        assemble_transaction(proposal.data, payload, [])
    assert caught.value.code == "ENDORSEMENT_MISSING"
    for faulty in ((b"\xff", payload), (proposal.data, b"\xff")):
        with pytest.raises(ProposalError) as caught:
            assemble_transaction(*faulty, [endorsement])
        assert caught.value.code == "PROPOSAL_MALFORMED"
