import pytest

from fabric_shim import ContractError
from fabric_shim.caller import read_caller
from fabric_testing.organizations import organization


def test_a_caller_is_read_from_its_certificate():
    signatory = organization("AMSP").enrol("user", "client", {"consentry.role": "steward,dpo"})
    caller = read_caller(signatory.serialized)
    assert (caller.msp_id, caller.common_name) == ("AMSP", "user")
    assert caller.certificate_pem.startswith(b"-----BEGIN CERTIFICATE-----")
    assert caller.serialized == signatory.serialized
    assert (caller.attribute("consentry.role"), caller.attribute("none")) == ("steward,dpo", None)
    with pytest.raises(TypeError):
        caller.attributes["consentry.role"] = "regulator"


def test_a_certificate_without_attributes_has_none():
    assert dict(read_caller(organization("AMSP").enrol("user", "client").serialized).attributes) == {}


@pytest.mark.parametrize("serialized", [b"", b"\xff", b"\x0a\x04AMSP", b"\x0a\x04AMSP\x12\x03pem"])
def test_what_is_no_identity_is_refused(serialized):
    with pytest.raises(ContractError, match="CALLER_INVALID"):
        read_caller(serialized)
