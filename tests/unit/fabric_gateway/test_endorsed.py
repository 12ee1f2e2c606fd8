"""A hostile gateway: the client signs nothing but the transaction that it proposed."""

from collections.abc import Callable

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2
from hypothesis import given
from hypothesis import strategies as st
from support.fake_gateway import CHAINCODE, CHANNEL, Call, FakeGateway
from support.sample_organizations import SampleOrganization

from fabric_gateway import EnvelopeError
from fabric_protocol.endorsements import assemble_transaction, endorse
from fabric_protocol.signatures import key_signer

Change = Callable[[bytes], bytes]
ORGANIZATIONS = (SampleOrganization("AMSP"), SampleOrganization("BMSP"))


def handler(call: Call) -> tuple[bytes, str, bytes]:
    return b"result", "Happened.v1", b"{}"


def refusal(gateway: FakeGateway, **options: object) -> EnvelopeError:
    contract = gateway.gateway().network(CHANNEL).contract(CHAINCODE)
    with pytest.raises(EnvelopeError) as caught:
        contract.submit("put", "key", **options)  # type: ignore[arg-type]
    assert gateway.submitted == []
    assert caught.value.transaction_id == gateway.calls[0][1].transaction_id
    return caught.value


def rewrite(change: Callable[[transaction_pb2.ChaincodeActionPayload], None]) -> Change:
    """Change what is inside the transaction's one action."""

    def tamper(payload: bytes) -> bytes:
        parsed = common_pb2.Payload.FromString(payload)
        transaction = transaction_pb2.Transaction.FromString(parsed.data)
        action = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
        change(action)
        transaction.actions[0].payload = action.SerializeToString(deterministic=True)
        parsed.data = transaction.SerializeToString(deterministic=True)
        return bytes(parsed.SerializeToString(deterministic=True))

    return tamper


def rewrite_response(gateway: FakeGateway, change: Callable[[proposal_pb2.ChaincodeAction], None]) -> Change:
    """Change the response and endorse the altered one properly: the endorsers are in the plot."""

    def alter(action: transaction_pb2.ChaincodeActionPayload) -> None:
        response = proposal_response_pb2.ProposalResponsePayload.FromString(
            action.action.proposal_response_payload
        )
        inner = proposal_pb2.ChaincodeAction.FromString(response.extension)
        change(inner)
        response.extension = inner.SerializeToString(deterministic=True)
        data = response.SerializeToString(deterministic=True)
        del action.action.endorsements[:]
        for peer in gateway.peers.values():
            action.action.endorsements.append(endorse(data, key_signer(peer.key), peer.serialized))
        action.action.proposal_response_payload = data

    return rewrite(alter)


def test_an_altered_result_breaks_the_endorsements() -> None:
    def alter(action: transaction_pb2.ChaincodeActionPayload) -> None:
        data = bytearray(action.action.proposal_response_payload)
        data[-3] ^= 1
        action.action.proposal_response_payload = bytes(data)

    error = refusal(FakeGateway(handler, tamper=rewrite(alter)))
    assert error.code in ("INVALID_SIGNATURE", "MALFORMED", "CHAINCODE_DIFFERS")


def test_an_altered_endorsement_is_refused() -> None:
    def alter(action: transaction_pb2.ChaincodeActionPayload) -> None:
        first, second = action.action.endorsements
        first.signature = second.signature

    assert refusal(FakeGateway(handler, tamper=rewrite(alter))).code == "INVALID_SIGNATURE"


def test_an_endorsement_twice_is_refused() -> None:
    def alter(action: transaction_pb2.ChaincodeActionPayload) -> None:
        action.action.endorsements.append(action.action.endorsements[0])

    assert refusal(FakeGateway(handler, tamper=rewrite(alter))).code == "ENDORSER_DOUBLED"


def test_no_endorsement_is_refused() -> None:
    def alter(action: transaction_pb2.ChaincodeActionPayload) -> None:
        del action.action.endorsements[:]

    assert refusal(FakeGateway(handler, tamper=rewrite(alter))).code == "NO_ENDORSEMENT"


def test_arguments_changed_in_the_envelope_are_refused() -> None:
    def alter(action: transaction_pb2.ChaincodeActionPayload) -> None:
        action.chaincode_proposal_payload = action.chaincode_proposal_payload.replace(b"key", b"kex")

    assert refusal(FakeGateway(handler, tamper=rewrite(alter))).code == "TRANSACTION_DIFFERS"


def test_endorsements_of_another_proposal_are_refused() -> None:
    gateway = FakeGateway(handler)
    contract = gateway.gateway().network(CHANNEL).contract(CHAINCODE)
    other = contract.new_proposal("put", "other").endorse().envelope
    payload = common_pb2.Envelope.FromString(other).payload
    gateway.calls.clear()
    gateway.tamper = lambda _: payload
    assert refusal(gateway).code == "PROPOSAL_HASH_DIFFERS"


def test_another_chaincode_is_refused_even_with_good_endorsements() -> None:
    gateway = FakeGateway(handler)

    def change(action: proposal_pb2.ChaincodeAction) -> None:
        action.chaincode_id.name = "other"

    gateway.tamper = rewrite_response(gateway, change)
    assert refusal(gateway).code == "CHAINCODE_DIFFERS"


@pytest.mark.parametrize("status", [0, 100, 199, 400, 500])
def test_a_failed_response_is_refused_even_with_good_endorsements(status: int) -> None:
    gateway = FakeGateway(handler)

    def change(action: proposal_pb2.ChaincodeAction) -> None:
        action.response.status = status

    gateway.tamper = rewrite_response(gateway, change)
    assert refusal(gateway).code == "RESPONSE_STATUS"


def test_an_event_of_another_transaction_is_refused() -> None:
    gateway = FakeGateway(handler)

    def change(action: proposal_pb2.ChaincodeAction) -> None:
        action.events = action.events.replace(b"basic", b"basix")

    gateway.tamper = rewrite_response(gateway, change)
    assert refusal(gateway).code == "EVENT_DIFFERS"


def test_other_endorsers_than_those_asked_for_are_refused() -> None:
    gateway = FakeGateway(handler)
    both = list(gateway.peers)

    def add_peer(payload: bytes) -> bytes:
        parsed = transaction_pb2.Transaction.FromString(common_pb2.Payload.FromString(payload).data)
        action = transaction_pb2.ChaincodeActionPayload.FromString(parsed.actions[0].payload).action
        data = action.proposal_response_payload
        endorsements = [
            endorse(data, key_signer(gateway.peers[msp].key), gateway.peers[msp].serialized) for msp in both
        ]
        proposal = gateway.requests[-1].proposed_transaction.proposal_bytes
        return assemble_transaction(proposal, data, endorsements)

    gateway.tamper = add_peer
    assert refusal(gateway, endorsing_organizations=["AMSP"]).code == "ENDORSERS_DIFFER"


def test_two_actions_are_refused() -> None:
    def double(payload: bytes) -> bytes:
        parsed = common_pb2.Payload.FromString(payload)
        transaction = transaction_pb2.Transaction.FromString(parsed.data)
        transaction.actions.append(transaction.actions[0])
        parsed.data = transaction.SerializeToString(deterministic=True)
        return bytes(parsed.SerializeToString(deterministic=True))

    assert refusal(FakeGateway(handler, tamper=double)).code == "TRANSACTION_DIFFERS"


def test_transient_data_smuggled_into_the_envelope_is_refused() -> None:
    def alter(action: transaction_pb2.ChaincodeActionPayload) -> None:
        payload = proposal_pb2.ChaincodeProposalPayload.FromString(action.chaincode_proposal_payload)
        payload.TransientMap["secret"] = b"s"
        action.chaincode_proposal_payload = payload.SerializeToString(deterministic=True)

    assert refusal(FakeGateway(handler, tamper=rewrite(alter))).code == "TRANSACTION_DIFFERS"


@pytest.mark.parametrize("garbage", [b"", b"\xff", b"\x0a\x00", b"not a payload at all"])
def test_garbage_is_refused(garbage: bytes) -> None:
    error = refusal(FakeGateway(handler, tamper=lambda _: garbage))
    assert error.code in ("MALFORMED", "TRANSACTION_DIFFERS")


@given(chosen=st.integers(0, 2**32 - 1))
def test_no_flipped_bit_is_ever_signed(chosen: int) -> None:
    def flip(payload: bytes) -> bytes:
        position = chosen % (len(payload) * 8)
        changed = bytearray(payload)
        changed[position // 8] ^= 1 << position % 8
        return bytes(changed)

    refusal(FakeGateway(handler, organizations=ORGANIZATIONS, tamper=flip))
