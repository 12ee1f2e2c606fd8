import pytest
from fabric_protos.peer import policy_pb2

from fabric_protocol.errors import PolicyError
from fabric_protocol.policy_building import (
    application_policy,
    custodian_policy,
    signed_by_identities,
    signed_by_n_of,
)
from fabric_protocol.policy_language import format_policy, parse_policy
from fabric_protocol.principals import role_principal


def test_msp_ids_are_sorted_so_that_everybody_builds_the_same_bytes() -> None:
    expected = parse_policy("OutOf(2, 'A.peer', 'B.peer', 'C.peer')")
    assert signed_by_n_of(2, ["C", "A", "B"]) == expected
    assert signed_by_n_of(1, ["B", "A"], "orderer") == parse_policy("OR('A.orderer','B.orderer')")


def test_a_custodian_always_signs() -> None:
    assert (
        format_policy(custodian_policy("M", ["Z", "B", "N"], 2))
        == "AND('M.peer', OutOf(2, 'B.peer', 'N.peer', 'Z.peer'))"
    )
    assert custodian_policy("M", ["B"], 1) == parse_policy("AND('M.peer', OutOf(1, 'B.peer'))")
    assert custodian_policy("M", [], 0) == parse_policy("OutOf(1, 'M.peer')")


def test_application_policies_hold_a_policy_or_a_reference() -> None:
    text = "OR('A.peer','B.peer')"
    inline = policy_pb2.ApplicationPolicy.FromString(application_policy(text))
    assert inline.signature_policy == parse_policy(text)
    assert application_policy(parse_policy(text)) == application_policy(text)
    reference = policy_pb2.ApplicationPolicy.FromString(
        application_policy("/Channel/Application/Endorsement")
    )
    assert reference.channel_config_policy_reference == "/Channel/Application/Endorsement"


@pytest.mark.parametrize(
    "build",
    [
        lambda: signed_by_n_of(0, ["A"]),
        lambda: signed_by_n_of(2, ["A"]),
        lambda: signed_by_n_of(1, []),
        lambda: signed_by_n_of(1, ["A", "A"]),
        lambda: signed_by_n_of(1, [""]),
        lambda: custodian_policy("A", ["A"], 1),
        lambda: custodian_policy("A", ["B"], 2),
        lambda: custodian_policy("A", ["B"], -1),
        lambda: signed_by_identities(1, []),
    ],
)
def test_what_makes_no_policy_is_refused(build: object) -> None:
    with pytest.raises(PolicyError) as caught:
        build()
    assert caught.value.code == "POLICY_INVALID"


def test_unknown_roles_and_texts_are_refused() -> None:
    with pytest.raises(PolicyError) as caught:
        role_principal("A", "superuser")
    assert caught.value.code == "ROLE_UNKNOWN"
    with pytest.raises(PolicyError) as caught:
        application_policy("not a policy")
    assert caught.value.code == "POLICY_SYNTAX"
