"""What the package offers is pinned: a name less or more is a decision."""

import fabric_gateway

NAMES = [
    "ChaincodeEvent",
    "Clock",
    "Commit",
    "CommitError",
    "CommitStatus",
    "CommitStatusError",
    "Contract",
    "EndorseError",
    "EnvelopeError",
    "ErrorDetail",
    "EvaluateError",
    "EventStream",
    "Gateway",
    "GatewayError",
    "Network",
    "Pkcs11Signer",
    "Proposal",
    "Signer",
    "SigningError",
    "StreamError",
    "SubmitError",
    "SubmittedTransaction",
    "Timeouts",
    "Transaction",
    "UnsignedError",
    "pem_signer",
    "serialize_identity",
    "utc_clock",
]


def test_the_public_names_are_these() -> None:
    assert sorted(fabric_gateway.__all__) == NAMES
    assert all(hasattr(fabric_gateway, name) for name in NAMES)


def test_every_error_is_a_gateway_error() -> None:
    errors = [getattr(fabric_gateway, name) for name in NAMES if name.endswith("Error")]
    assert all(issubclass(error, fabric_gateway.GatewayError) for error in errors)
