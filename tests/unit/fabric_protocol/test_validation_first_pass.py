"""The codes of transactions that fail before anybody looks at the state."""

from collections.abc import Callable

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2, proposal_response_pb2, transaction_pb2
from support.sample_channel import (
    CHAINCODE,
    CHANNEL,
    SampleLedger,
    endorsed_payload,
    members,
    sample_envelope,
    sample_genesis,
    sample_proposal,
)

from fabric_protocol.blocks import new_block
from fabric_protocol.endorsements import assemble_transaction, endorse, event_bytes, signed_envelope
from fabric_protocol.errors import BlockError, ConfigError
from fabric_protocol.proposals import Proposal
from fabric_protocol.rwset import NamespaceSet, ReadWriteSet, Write
from fabric_protocol.rwset_encoding import encode_rwset
from fabric_protocol.signatures import key_signer, sign
from fabric_protocol.simulation import Simulator
from fabric_protocol.validation_codes import ValidationCode

ALPHA = members("AlphaMSP")
BETA = members("BetaMSP")
OUTSIDER = members("OmegaMSP")


@pytest.fixture
def ledger() -> SampleLedger:
    return SampleLedger(("AlphaMSP", "BetaMSP"), "OR('AlphaMSP.peer', 'BetaMSP.peer')")


def write(simulator: Simulator) -> None:
    simulator.put_state(CHAINCODE, "k", b"v")


def results_of(ledger: SampleLedger) -> bytes:
    return ledger.simulate(write).public


def code_of(ledger: SampleLedger, entry: bytes) -> str:
    validated = ledger.commit(ledger.block(entry))
    assert validated.updates.public == () or validated.codes == (0,)
    return ValidationCode(validated.codes[0]).name


def resigned(data: bytes, change: Callable[[common_pb2.ChannelHeader], None]) -> bytes:
    """A transaction after a change to its channel header, signed again by its creator."""
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(data).payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    change(header)
    payload.header.channel_header = header.SerializeToString()
    content = payload.SerializeToString()
    changed: bytes = signed_envelope(content, sign(ALPHA.client.key, content)).SerializeToString()
    return changed


def envelope_of(proposal: Proposal, payload: bytes) -> bytes:
    endorsement = endorse(payload, key_signer(ALPHA.peer.key), ALPHA.peer.serialized)
    content = assemble_transaction(proposal.data, payload, [endorsement])
    data: bytes = signed_envelope(content, sign(ALPHA.client.key, content)).SerializeToString()
    return data


def test_a_good_transaction_is_valid(ledger: SampleLedger) -> None:
    assert code_of(ledger, ledger.envelope(results_of(ledger))) == "VALID"


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (b"\xff", "INVALID_OTHER_REASON"),
        (common_pb2.Envelope(payload=b"\xff", signature=b"s").SerializeToString(), "BAD_PAYLOAD"),
        (common_pb2.Envelope(signature=b"s").SerializeToString(), "BAD_COMMON_HEADER"),
    ],
)
def test_rubbish_gets_a_code(ledger: SampleLedger, entry: bytes, code: str) -> None:
    assert code_of(ledger, entry) == code


def test_a_header_without_nonce_or_creator_is_bad(ledger: SampleLedger) -> None:
    for header in (common_pb2.SignatureHeader(creator=b"c"), common_pb2.SignatureHeader(nonce=b"n")):
        payload = common_pb2.Payload()
        payload.header.channel_header = common_pb2.ChannelHeader(type=3).SerializeToString()
        payload.header.signature_header = header.SerializeToString()
        entry = common_pb2.Envelope(payload=payload.SerializeToString(), signature=b"s")
        assert code_of(ledger, entry.SerializeToString()) == "BAD_COMMON_HEADER"


def test_a_creator_of_no_organization_is_refused(ledger: SampleLedger) -> None:
    proposal = sample_proposal(OUTSIDER.client)
    entry = sample_envelope(proposal, OUTSIDER.client, results_of(ledger), [ALPHA.peer])

    assert code_of(ledger, entry) == "BAD_CREATOR_SIGNATURE"


def test_a_creator_without_a_role_is_refused(ledger: SampleLedger) -> None:
    nobody = ALPHA.organization.member(name="nobody")
    entry = sample_envelope(sample_proposal(nobody), nobody, results_of(ledger), [ALPHA.peer])

    assert code_of(ledger, entry) == "BAD_CREATOR_SIGNATURE"


def test_a_signature_by_another_is_refused(ledger: SampleLedger) -> None:
    message = common_pb2.Envelope.FromString(ledger.envelope(results_of(ledger)))
    for signature in (sign(BETA.client.key, message.payload), b"", b"rubbish"):
        message.signature = signature
        assert code_of(ledger, message.SerializeToString()) == "BAD_CREATOR_SIGNATURE"


def test_a_transaction_for_another_channel_is_refused(ledger: SampleLedger) -> None:
    proposal = sample_proposal(ALPHA.client, channel_id="elsewhere")
    entry = sample_envelope(proposal, ALPHA.client, results_of(ledger), [ALPHA.peer])

    assert code_of(ledger, entry) == "BAD_CREATOR_SIGNATURE"


def test_an_update_request_is_no_transaction(ledger: SampleLedger) -> None:
    def make_update(header: common_pb2.ChannelHeader) -> None:
        header.type = common_pb2.CONFIG_UPDATE

    entry = resigned(ledger.envelope(results_of(ledger)), make_update)

    assert code_of(ledger, entry) == "UNSUPPORTED_TX_PAYLOAD"


def test_a_wrong_transaction_id_is_refused(ledger: SampleLedger) -> None:
    def change(header: common_pb2.ChannelHeader) -> None:
        header.tx_id = "0" * 64

    assert code_of(ledger, resigned(ledger.envelope(results_of(ledger)), change)) == "BAD_PROPOSAL_TXID"


def test_a_header_changed_after_endorsement_is_refused(ledger: SampleLedger) -> None:
    def change(header: common_pb2.ChannelHeader) -> None:
        header.timestamp.seconds += 1

    entry = resigned(ledger.envelope(results_of(ledger)), change)

    assert code_of(ledger, entry) == "INVALID_ENDORSER_TRANSACTION"


def test_arguments_changed_after_endorsement_are_refused(ledger: SampleLedger) -> None:
    payload = common_pb2.Payload.FromString(
        common_pb2.Envelope.FromString(ledger.envelope(results_of(ledger))).payload
    )
    transaction = transaction_pb2.Transaction.FromString(payload.data)
    action = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    action.chaincode_proposal_payload = proposal_pb2.ChaincodeProposalPayload(input=b"").SerializeToString()
    transaction.actions[0].payload = action.SerializeToString()
    payload.data = transaction.SerializeToString()
    content = payload.SerializeToString()
    entry = signed_envelope(content, sign(ALPHA.client.key, content)).SerializeToString()

    assert code_of(ledger, entry) == "INVALID_ENDORSER_TRANSACTION"


def test_a_known_transaction_is_a_duplicate_even_if_it_was_invalid(ledger: SampleLedger) -> None:
    first = ledger.envelope(results_of(ledger), version="")

    assert code_of(ledger, first) == "INVALID_CHAINCODE"
    assert code_of(ledger, first) == "DUPLICATE_TXID"


def test_within_a_block_only_valid_predecessors_count(ledger: SampleLedger) -> None:
    good = ledger.envelope(results_of(ledger))
    bad = common_pb2.Envelope.FromString(good)
    bad.signature = b"rubbish"

    validated = ledger.commit(ledger.block(bad.SerializeToString(), good, good))

    assert [ValidationCode(code).name for code in validated.codes] == [
        "BAD_CREATOR_SIGNATURE",
        "VALID",
        "DUPLICATE_TXID",
    ]


def test_a_bad_read_write_set_is_refused(ledger: SampleLedger) -> None:
    assert code_of(ledger, ledger.envelope(b"\xff")) == "BAD_RWSET"


def test_a_namespace_may_stand_once_only(ledger: SampleLedger) -> None:
    entry = NamespaceSet(CHAINCODE, writes=(Write("k", False, b"v"),))

    assert code_of(ledger, ledger.envelope(encode_rwset(ReadWriteSet((entry, entry))))) == "ILLEGAL_WRITESET"


def test_a_result_of_another_chaincode_or_without_version_is_refused(ledger: SampleLedger) -> None:
    results = results_of(ledger)

    assert code_of(ledger, ledger.envelope(results, chaincode="other")) == "INVALID_CHAINCODE"
    assert code_of(ledger, ledger.envelope(results, version="")) == "INVALID_CHAINCODE"


def test_a_result_that_names_no_chaincode_is_refused(ledger: SampleLedger) -> None:
    proposal = sample_proposal(ALPHA.client)
    payload = endorsed_payload(proposal, results_of(ledger))
    response = proposal_response_pb2.ProposalResponsePayload.FromString(payload)
    message = proposal_pb2.ChaincodeAction.FromString(response.extension)
    message.ClearField("chaincode_id")
    response.extension = message.SerializeToString()

    assert code_of(ledger, envelope_of(proposal, response.SerializeToString())) == "INVALID_OTHER_REASON"


def test_an_event_of_another_chaincode_is_refused(ledger: SampleLedger) -> None:
    other = event_bytes(chaincode="other", transaction_id="t", name="e", payload=b"")
    own = event_bytes(chaincode=CHAINCODE, transaction_id="not compared", name="e", payload=b"")

    assert code_of(ledger, ledger.envelope(results_of(ledger), event=other)) == "INVALID_OTHER_REASON"
    assert code_of(ledger, ledger.envelope(results_of(ledger), event=b"\xff")) == "INVALID_OTHER_REASON"
    assert code_of(ledger, ledger.envelope(results_of(ledger), event=own)) == "VALID"


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        (b"\xff", "BAD_HEADER_EXTENSION"),
        (b"", "INVALID_OTHER_REASON"),
        (
            proposal_pb2.ChaincodeHeaderExtension(chaincode_id=chaincode_pb2.ChaincodeID()),
            "INVALID_CHAINCODE",
        ),
    ],
)
def test_a_header_without_a_chaincode_is_refused(ledger: SampleLedger, extension: object, code: str) -> None:
    encoded = extension if isinstance(extension, bytes) else extension.SerializeToString()  # type: ignore[attr-defined]
    proposal = sample_proposal(ALPHA.client)
    message = proposal_pb2.Proposal.FromString(proposal.data)
    header = common_pb2.Header.FromString(message.header)
    channel = common_pb2.ChannelHeader.FromString(header.channel_header)
    channel.extension = encoded
    header.channel_header = channel.SerializeToString()
    message.header = header.SerializeToString()
    changed = Proposal(**{**vars(proposal), "data": message.SerializeToString()})

    assert code_of(ledger, envelope_of(changed, endorsed_payload(changed, results_of(ledger)))) == code


def test_a_time_that_no_calendar_has_is_not_looked_at(ledger: SampleLedger) -> None:
    proposal = sample_proposal(ALPHA.client)
    message = proposal_pb2.Proposal.FromString(proposal.data)
    header = common_pb2.Header.FromString(message.header)
    channel = common_pb2.ChannelHeader.FromString(header.channel_header)
    channel.timestamp.seconds = 2**60
    header.channel_header = channel.SerializeToString()
    message.header = header.SerializeToString()
    changed = Proposal(**{**vars(proposal), "data": message.SerializeToString()})

    entry = envelope_of(changed, endorsed_payload(changed, results_of(ledger)))
    validated = ledger.validate(ledger.block(entry))

    assert validated.codes == (0,)
    assert validated.transactions == (None,)


def config_entry(ledger: SampleLedger, *, data: bytes = b"config", channel: str = CHANNEL) -> bytes:
    payload = common_pb2.Payload(data=data)
    header = common_pb2.ChannelHeader(type=common_pb2.CONFIG, channel_id=channel)
    payload.header.channel_header = header.SerializeToString()
    payload.header.signature_header = common_pb2.SignatureHeader(
        creator=ALPHA.orderer.serialized, nonce=b"n"
    ).SerializeToString()
    content = payload.SerializeToString()
    entry: bytes = signed_envelope(content, sign(ALPHA.orderer.key, content)).SerializeToString()
    return entry


def test_a_configuration_that_cannot_be_read_is_no_block_at_all(ledger: SampleLedger) -> None:
    with pytest.raises(ConfigError) as caught:
        ledger.validate(ledger.block(config_entry(ledger)))

    assert caught.value.code == "CONFIG_UPDATE_INVALID"


def test_a_configuration_that_is_empty_or_not_signed_gets_a_code(ledger: SampleLedger) -> None:
    unsigned = common_pb2.Envelope.FromString(config_entry(ledger))
    unsigned.signature = b"rubbish"

    assert code_of(ledger, config_entry(ledger, data=b"")) == "INVALID_CONFIG_TRANSACTION"
    assert code_of(ledger, unsigned.SerializeToString()) == "BAD_CREATOR_SIGNATURE"
    assert code_of(ledger, config_entry(ledger, channel="elsewhere")) == "BAD_CREATOR_SIGNATURE"


def test_block_zero_must_be_a_configuration(ledger: SampleLedger) -> None:
    validated = ledger.validate(sample_genesis("AlphaMSP", "BetaMSP"))

    assert validated.new_config is not None
    assert validated.new_config.channel_id == CHANNEL
    assert validated.updates.public[0].key == "CHANNEL_CONFIG_ENV_BYTES"
    with pytest.raises(BlockError) as caught:
        ledger.validate(new_block(0, b"", [ledger.envelope(results_of(ledger))]))
    assert caught.value.code == "GENESIS_INVALID"
