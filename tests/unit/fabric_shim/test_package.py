import subprocess
import sys

from fabric_protos.common import policies_pb2

import fabric_shim
from fabric_protocol import policies
from fabric_shim import custodian_policy, signed_by_n_of

EXPORTS = """
    Caller Chaincode ChaincodeResponse ConfigurationError Context Contract ContractError Conversation
    ConversationError EntryIterator KeyInvalidError KeyModification Limits Outcome Page PeerError PeerStub
    Router Settings ShimError StateIterator Stream Stub TlsSettings custodian_policy evaluation run serve
    signed_by_n_of transaction
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
