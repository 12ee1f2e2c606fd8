import pytest
from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2
from hypothesis import given
from hypothesis import strategies as st

from fabric_protocol.errors import PolicyError
from fabric_protocol.policy_language import MAX_DEPTH, MAX_LENGTH, format_policy, parse_policy
from fabric_protocol.principals import ROLES, identity_principal, role_principal

MSP_IDS = st.text("ABCxyz019.-", min_size=1, max_size=12)
PRINCIPALS = st.tuples(MSP_IDS, st.sampled_from(sorted(ROLES))).map(lambda pair: f"'{pair[0]}.{pair[1]}'")


def gates(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def written(rules: list[str], name: str, count: int) -> str:
        inner = ", ".join(rules)
        return f"OutOf({min(count, len(rules) + 1)}, {inner})" if name == "OutOf" else f"{name}({inner})"

    return st.builds(
        written,
        st.lists(children, min_size=1, max_size=4),
        st.sampled_from(["AND", "OR", "OutOf"]),
        st.integers(0, 5),
    )


POLICIES = gates(st.recursive(PRINCIPALS, gates, max_leaves=12))


@given(POLICIES)
def test_what_is_printed_reads_back_the_same(text: str) -> None:
    envelope = parse_policy(text)
    assert parse_policy(format_policy(envelope)) == envelope
    assert parse_policy(text).SerializeToString() == envelope.SerializeToString()


@given(POLICIES)
def test_every_occurrence_is_a_principal_of_its_own_numbered_from_the_left(text: str) -> None:
    envelope = parse_policy(text)
    written = [part for part in text.split("'") if "." in part and "(" not in part]
    assert len(envelope.identities) == len(written)
    assert [role_principal(*part.rsplit(".", 1)) for part in written] == list(envelope.identities)

    def indexes(rule: object) -> list[int]:
        if rule.WhichOneof("Type") == "signed_by":
            return [rule.signed_by]
        return [index for nested in rule.n_out_of.rules for index in indexes(nested)]

    assert indexes(envelope.rule) == list(range(len(written)))


@given(st.text("ANDORUTof(),'\". 0129ab-\n", max_size=60))
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    try:
        envelope = parse_policy(text)
    except PolicyError as error:
        outcome = error.code
    else:
        outcome = parse_policy(format_policy(envelope)) == envelope
    assert outcome in ("POLICY_SYNTAX", True)


def test_the_message_of_a_known_policy() -> None:
    principals = [
        role_principal("Org1MSP", "peer"),
        role_principal("Org2MSP", "peer"),
        role_principal("C.D-1", "admin"),
    ]
    signed_by = [policies_pb2.SignaturePolicy(signed_by=index) for index in range(3)]
    inner = policies_pb2.SignaturePolicy(n_out_of={"n": 1, "rules": signed_by[1:]})
    outer = policies_pb2.SignaturePolicy(n_out_of={"n": 2, "rules": [signed_by[0], inner]})
    expected = policies_pb2.SignaturePolicyEnvelope(rule=outer, identities=principals)
    assert parse_policy("AND('Org1MSP.peer', OR('Org2MSP.peer', 'C.D-1.admin'))") == expected


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("and('A.peer','B.peer')", "AND('A.peer', 'B.peer')"),
        ("And( \"A.peer\" ,\n'B.peer' ) ", "AND('A.peer', 'B.peer')"),
        ("OutOf(2, 'A.peer','B.peer')", "AND('A.peer', 'B.peer')"),
        ("outof('1', 'A.peer','B.peer')", "OR('A.peer', 'B.peer')"),
        ("OR('A.member')", "OutOf(1, 'A.member')"),
        ("OutOf(0, 'A.member')", "OutOf(0, 'A.member')"),
        ("OUTOF(3, 'A.client','A.orderer')", "OutOf(3, 'A.client', 'A.orderer')"),
    ],
)
def test_spellings(text: str, printed: str) -> None:
    assert format_policy(parse_policy(text)) == printed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "'A.peer'",
        "AND",
        "AND(",
        "AND()",
        "AND('A.peer'",
        "AND('A.peer',)",
        "AND('A.peer' 'B.peer')",
        "AND('A.peer'))",
        "AND('A.peer') x",
        "aNd('A.peer')",
        "XOR('A.peer')",
        "OutOf('A.peer')",
        "OutOf(1)",
        "OutOf(-1, 'A.peer')",
        "OutOf(1.5, 'A.peer')",
        "OutOf(3, 'A.peer')",
        "OutOf(9999999999, 'A.peer')",
        "OutOf('²', 'A.peer')",
        "AND('A.Peer')",
        "AND('A.superuser')",
        "AND('A')",
        "AND('.peer')",
        "AND('A B.peer')",
        "AND('Ä.peer')",
        "AND('A.peer\n')",
        "AND('A.peer\")",
        "AND(1, 'A.peer')",
        "OR('A.peer'); DROP",
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match=r"^policy: expected ") as caught:
        parse_policy(text)
    assert caught.value.code == "POLICY_SYNTAX"


def test_length_and_depth_are_bounded() -> None:
    deepest = "OR(" * MAX_DEPTH + "'A.peer'" + ")" * MAX_DEPTH
    assert parse_policy(parse_and_print(deepest)) == parse_policy(deepest)
    for text in ("OR(" + deepest + ")", " " * MAX_LENGTH + "OR('A.peer')", None):
        with pytest.raises(PolicyError):
            parse_policy(text)


def parse_and_print(text: str) -> str:
    """Through bytes, as a channel would keep it."""
    data = parse_policy(text).SerializeToString()
    return format_policy(policies_pb2.SignaturePolicyEnvelope.FromString(data))


def test_a_bare_signature_prints_as_an_equivalent_gate() -> None:
    envelope = policies_pb2.SignaturePolicyEnvelope(
        rule=policies_pb2.SignaturePolicy(signed_by=0), identities=[role_principal("A", "peer")]
    )
    assert format_policy(envelope) == "OutOf(1, 'A.peer')"


@pytest.mark.parametrize(
    ("rule", "principal"),
    [
        ({}, role_principal("A", "peer")),
        ({"signed_by": 1}, role_principal("A", "peer")),
        ({"n_out_of": {"n": 0}}, role_principal("A", "peer")),
        ({"signed_by": 0}, identity_principal(b"x")),
        ({"signed_by": 0}, role_principal("has space", "peer")),
        ({"signed_by": 0}, msp_principal_pb2.MSPPrincipal(principal=b"\xff")),
    ],
)
def test_what_the_language_lacks_is_not_printed(rule: dict[str, object], principal: object) -> None:
    envelope = policies_pb2.SignaturePolicyEnvelope(rule=rule, identities=[principal])
    with pytest.raises(PolicyError) as caught:
        format_policy(envelope)
    assert caught.value.code == "POLICY_NOT_PRINTABLE"
