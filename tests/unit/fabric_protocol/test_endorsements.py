"""Bytes of endorsed results and of transactions, which are written by hand: the protobuf library's own."""

from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2, proposal_response_pb2, transaction_pb2
from hypothesis import given
from hypothesis import strategies as st

from fabric_protocol.endorsements import assemble_parts, response_payload
from fabric_protocol.proposals import PublicParts, public_payload

BYTES = st.binary(max_size=300)
TEXT = st.text(max_size=20)
RESPONSES = st.builds(
    proposal_response_pb2.Response, status=st.integers(0, 2**31 - 1), message=TEXT, payload=BYTES
)
HEADERS = st.builds(common_pb2.Header, channel_header=BYTES, signature_header=BYTES)
ENDORSEMENTS = st.builds(proposal_response_pb2.Endorsement, endorser=BYTES, signature=BYTES)


def encoded(message: Any) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))


@given(BYTES, BYTES, BYTES, RESPONSES, TEXT, TEXT)
def test_what_endorsers_sign_is_the_librarys_bytes(
    proposal_hash: bytes, results: bytes, event: bytes, response: Any, chaincode: str, version: str
) -> None:
    action = proposal_pb2.ChaincodeAction(
        results=results,
        events=event,
        response=response,
        chaincode_id=chaincode_pb2.ChaincodeID(name=chaincode, version=version),
    )
    payload = proposal_response_pb2.ProposalResponsePayload(
        proposal_hash=proposal_hash, extension=encoded(action)
    )

    assert encoded(payload) == response_payload(
        proposal_hash=proposal_hash,
        results=results,
        event=event,
        response=response,
        chaincode=chaincode,
        version=version,
    )


@given(HEADERS, BYTES, BYTES, st.lists(ENDORSEMENTS, max_size=4))
def test_a_transaction_is_the_librarys_bytes(
    header: Any, proposal_payload: bytes, payload: bytes, endorsements: list[Any]
) -> None:
    endorsed = transaction_pb2.ChaincodeEndorsedAction(
        proposal_response_payload=payload, endorsements=endorsements
    )
    content = transaction_pb2.ChaincodeActionPayload(
        chaincode_proposal_payload=proposal_payload, action=endorsed
    )
    action = transaction_pb2.TransactionAction(header=header.signature_header, payload=encoded(content))
    transaction = transaction_pb2.Transaction(actions=[action])

    expected = encoded(common_pb2.Payload(header=header, data=encoded(transaction)))
    assert assemble_parts(PublicParts(header, proposal_payload), payload, endorsements) == expected


@given(BYTES, st.dictionaries(TEXT, BYTES, max_size=3))
def test_transient_data_is_left_out_of_a_payload(invocation: bytes, transient: dict[str, bytes]) -> None:
    payload = proposal_pb2.ChaincodeProposalPayload(input=invocation, TransientMap=transient)

    assert public_payload(payload) == encoded(proposal_pb2.ChaincodeProposalPayload(input=invocation))
