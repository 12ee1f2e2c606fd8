import subprocess
import sys

import pytest
from fabric_protos.common import policies_pb2

import fabric_shim
from fabric_protocol import policies
from fabric_protocol.errors import PolicyError
from fabric_shim import custodian_policy, format_policy, parse_policy, signed_by_n_of

EXPORTS = """
    Caller Chaincode ChaincodeResponse ConfigurationError Context Contract ContractError Conversation
    ConversationError EntryIterator KeyInvalidError KeyModification Limits Outcome Page PeerError PeerStub
    Router Settings ShimError StateIterator Stream Stub TlsSettings custodian_policy evaluation format_policy
    parse_policy run serve signed_by_n_of transaction
"""


def test_the_public_names_are_these():
    assert sorted(fabric_shim.__all__) == sorted(EXPORTS.split())
    assert all(hasattr(fabric_shim, name) for name in fabric_shim.__all__)


def test_contracts_are_imported_without_grpc():
    program = "import fabric_shim, sys; sys.exit(bool({'grpc', 'grpclib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


def test_policies_do_not_depend_on_the_order_of_organizations():
    assert signed_by_n_of(2, ["B", "A", "C"]) == signed_by_n_of(2, ["C", "B", "A"])
    assert custodian_policy("A", ["C", "B"], 1) == custodian_policy("A", ["B", "C"], 1)


def test_policies_are_those_of_fabric_protocol():
    parsed = policies_pb2.SignaturePolicyEnvelope.FromString(custodian_policy("A", ["B", "C"], 1))
    assert parsed == policies.custodian_policy("A", ["B", "C"], 1)
    parsed = policies_pb2.SignaturePolicyEnvelope.FromString(signed_by_n_of(1, ["A"], "client"))
    assert parsed == policies.signed_by_n_of(1, ["A"], "client")


def test_policies_are_read_back_in_words():
    assert format_policy(signed_by_n_of(1, ["B", "A"], "client")) == "OR('A.client', 'B.client')"
    text = "AND('A.peer', OutOf(2, 'B.peer', 'C.peer', 'D.peer'))"
    assert format_policy(custodian_policy("A", ["D", "B", "C"], 2)) == text
    assert parse_policy(text) == custodian_policy("A", ["B", "C", "D"], 2)


@pytest.mark.parametrize("text", ["", "AND('A.peer'", "OutOf(3, 'A.peer')", "OR('A.owner')"])
def test_other_texts_are_no_policies(text):
    with pytest.raises(PolicyError):
        parse_policy(text)


@pytest.mark.parametrize("policy", [b"\xff", b""])
def test_other_bytes_are_no_policies(policy):
    with pytest.raises(PolicyError):
        format_policy(policy)
