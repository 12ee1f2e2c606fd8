from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2
from hypothesis import given
from hypothesis import strategies as st

from fabric_protocol.errors import GO_DECODING, ProposalError
from fabric_protocol.proposals import Proposal, new_proposal, parse_proposal, proposal_hash, transaction_id

TIME = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def proposal(**options: Any) -> Proposal:
    return new_proposal(
        **{
            "channel_id": "c",
            "chaincode": "records",
            "arguments": [b"put", b"k"],
            "creator": b"creator",
            "timestamp": TIME,
            **options,
        }
    )


def changed(change: Any) -> bytes:
    """A proposal after a change to its parts: message, header, channel header, signature header."""
    message = proposal_pb2.Proposal.FromString(proposal().data)
    header = common_pb2.Header.FromString(message.header)
    channel = common_pb2.ChannelHeader.FromString(header.channel_header)
    signature = common_pb2.SignatureHeader.FromString(header.signature_header)
    change(message, channel, signature)
    header.channel_header = channel.SerializeToString()
    header.signature_header = signature.SerializeToString()
    message.header = header.SerializeToString()
    data: bytes = message.SerializeToString()
    return data


@given(
    st.lists(st.binary(max_size=20), max_size=4),
    st.dictionaries(st.text(max_size=5), st.binary(max_size=10), max_size=3),
    st.booleans(),
    st.datetimes(timezones=st.just(UTC)),
)
def test_what_is_made_is_what_is_read(
    arguments: list[bytes], transient: dict[str, bytes], is_init: bool, timestamp: datetime
) -> None:
    made = proposal(arguments=arguments, transient=transient, is_init=is_init, timestamp=timestamp)

    assert parse_proposal(made.data) == made


def test_the_id_is_a_hash_of_nonce_and_creator() -> None:
    made = proposal(nonce=b"n")

    assert made.transaction_id == sha256(b"ncreator").hexdigest() == transaction_id(b"n", b"creator")
    assert len(proposal().nonce) == 24
    assert proposal().transaction_id != proposal().transaction_id


def test_a_time_is_kept_in_utc_to_the_microsecond() -> None:
    elsewhere = TIME.astimezone(timezone(timedelta(hours=5)))

    assert parse_proposal(proposal(timestamp=elsewhere).data).timestamp == TIME


def test_transient_data_does_not_count_in_the_hash() -> None:
    secret = proposal(nonce=b"n", transient={"a": b"1", "b": b"2"})

    assert proposal_hash(secret.data) == proposal_hash(proposal(nonce=b"n").data)
    assert proposal_hash(secret.data) != proposal_hash(proposal(nonce=b"n", arguments=[b"get"]).data)


@pytest.mark.parametrize(
    "options",
    [{"chaincode": ""}, {"creator": b""}, {"nonce": b""}, {"timestamp": datetime(2026, 1, 1)}],
    ids=["chaincode", "creator", "nonce", "zone"],
)
def test_an_incomplete_proposal_is_not_made(options: dict[str, Any]) -> None:
    with pytest.raises(ProposalError) as caught:
        proposal(**options)
    assert caught.value.code == "PROPOSAL_INVALID"


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (
            lambda m, c, s: setattr(c, "type", 2),
            "PROPOSAL_INVALID",
            "error validating proposal: invalid header type CONFIG_UPDATE",
        ),
        (
            lambda m, c, s: setattr(c, "type", 99),
            "PROPOSAL_INVALID",
            "error validating proposal: invalid header type 99",
        ),
        (
            lambda m, c, s: setattr(c, "epoch", 1),
            "PROPOSAL_INVALID",
            "error validating proposal: epoch is non-zero",
        ),
        (
            lambda m, c, s: setattr(s, "nonce", b""),
            "PROPOSAL_INVALID",
            "error validating proposal: nonce is empty",
        ),
        (
            lambda m, c, s: setattr(s, "creator", b""),
            "PROPOSAL_INVALID",
            "error validating proposal: creator is empty",
        ),
        (
            lambda m, c, s: setattr(c, "tx_id", "x"),
            "PROPOSAL_INVALID",
            "incorrectly computed txid 'x' -- expected '",
        ),
        (
            lambda m, c, s: setattr(c, "extension", b""),
            "PROPOSAL_MALFORMED",
            "ChaincodeHeaderExtension.ChaincodeId is nil",
        ),
        (
            lambda m, c, s: setattr(c, "extension", b"\x12\x00"),
            "PROPOSAL_MALFORMED",
            "ChaincodeHeaderExtension.ChaincodeId.Name is empty",
        ),
        (
            lambda m, c, s: setattr(c, "extension", b"\xff"),
            "PROPOSAL_MALFORMED",
            f"error unmarshalling ChaincodeHeaderExtension: {GO_DECODING}",
        ),
        (
            lambda m, c, s: setattr(m, "payload", b"\xff"),
            "PROPOSAL_MALFORMED",
            f"error unmarshalling ChaincodeProposalPayload: {GO_DECODING}",
        ),
        (lambda m, c, s: setattr(m, "payload", b""), "PROPOSAL_MALFORMED", "did not contain chaincode spec"),
    ],
)
def test_a_faulty_proposal_is_refused_in_fabrics_words(change: Any, code: str, text: str) -> None:
    with pytest.raises(ProposalError) as caught:
        parse_proposal(changed(change))
    assert caught.value.code == code
    assert text in caught.value.message


@pytest.mark.parametrize(
    ("seconds", "nanos", "expected"),
    [
        (2**62, 0, datetime.max.replace(tzinfo=UTC)),
        (-(2**62), 0, datetime.min.replace(tzinfo=UTC)),
        (10, -1_000, datetime(1970, 1, 1, 0, 0, 9, 999_999, tzinfo=UTC)),
        (10, 1_500_000_000, datetime(1970, 1, 1, 0, 0, 11, 500_000, tzinfo=UTC)),
    ],
)
def test_an_odd_timestamp_is_read_as_go_reads_it(seconds: int, nanos: int, expected: datetime) -> None:
    def change(_message: Any, channel_header: Any, _signature_header: Any) -> None:
        channel_header.timestamp.seconds, channel_header.timestamp.nanos = seconds, nanos

    assert parse_proposal(changed(change)).timestamp == expected


def test_a_specification_without_input_is_refused() -> None:
    specification = chaincode_pb2.ChaincodeInvocationSpec(
        chaincode_spec=chaincode_pb2.ChaincodeSpec(timeout=1)
    )
    payload = proposal_pb2.ChaincodeProposalPayload(
        input=specification.SerializeToString()
    ).SerializeToString()

    with pytest.raises(ProposalError, match="did not contain any input"):
        parse_proposal(changed(lambda m, c, s: setattr(m, "payload", payload)))


@given(st.binary(max_size=60))
def test_random_bytes_are_refused_with_a_code(data: bytes) -> None:
    with pytest.raises(ProposalError) as caught:
        parse_proposal(data)
    assert caught.value.code in {"PROPOSAL_MALFORMED", "PROPOSAL_INVALID"}


def test_an_unknown_channel_is_found_after_form_and_before_content() -> None:
    data = changed(lambda m, c, s: setattr(s, "nonce", b""))

    with pytest.raises(ProposalError, match="channel 'c' not found"):
        parse_proposal(data, is_known_channel=lambda _: False)
    with pytest.raises(ProposalError, match="nonce is empty"):
        parse_proposal(data, is_known_channel=lambda channel: channel == "c")


def test_a_configuration_proposal_is_let_through_as_fabric_does() -> None:
    assert parse_proposal(changed(lambda m, c, s: setattr(c, "type", 1))).chaincode == "records"


def test_a_hash_of_no_proposal_is_refused() -> None:
    with pytest.raises(ProposalError):
        proposal_hash(b"\xff")
