import pytest
from fabric_protos.common import policies_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sample_organizations import Member, SampleOrganization, manager

from fabric_protocol.errors import PolicyError
from fabric_protocol.identities import Identity
from fabric_protocol.policies import (
    ImplicitMetaPolicy,
    Policy,
    PolicyManager,
    SignaturePolicy,
    SignedData,
    parse_policy,
    parse_signature_policy,
    refusal_text,
    signing_identities,
)
from fabric_protocol.policy_building import n_out_of, signed_by, signed_by_identities

ORGANIZATIONS = [SampleOrganization(msp_id) for msp_id in ("AMSP", "BMSP", "CMSP")]
MSPS = manager(*ORGANIZATIONS)
A_PEER, B_PEER, C_PEER = (organization.member("peer") for organization in ORGANIZATIONS)
A_PEER_2 = ORGANIZATIONS[0].member("peer")
A_ADMIN = ORGANIZATIONS[0].member("admin")
MEMBERS = [A_PEER, A_PEER_2, A_ADMIN, B_PEER, C_PEER]


def policy(text: str) -> SignaturePolicy:
    return SignaturePolicy(parse_policy(text), MSPS)


def holds(text: str, *members: Member) -> bool:
    return policy(text).evaluate([member.signed(b"data") for member in members])


@pytest.mark.parametrize(
    ("text", "members", "expected"),
    [
        ("AND('AMSP.peer','BMSP.peer')", [A_PEER, B_PEER], True),
        ("AND('AMSP.peer','BMSP.peer')", [B_PEER, A_PEER], True),
        ("AND('AMSP.peer','BMSP.peer')", [A_PEER], False),
        ("AND('AMSP.peer','BMSP.peer')", [A_PEER, A_PEER_2], False),
        ("AND('AMSP.peer','AMSP.peer')", [A_PEER], False),
        ("AND('AMSP.peer','AMSP.peer')", [A_PEER, A_PEER], False),
        ("AND('AMSP.peer','AMSP.peer')", [A_PEER, A_PEER_2], True),
        ("OR('AMSP.peer','BMSP.peer')", [C_PEER, B_PEER], True),
        ("OR('AMSP.peer','BMSP.peer')", [C_PEER], False),
        ("OutOf(2,'AMSP.peer','BMSP.peer','CMSP.peer')", [C_PEER, A_PEER], True),
        ("OutOf(0,'AMSP.peer')", [], True),
        ("OutOf(2,'AMSP.peer')", [A_PEER, A_PEER_2], False),
        ("OR('AMSP.peer')", [], False),
    ],
)
def test_gates(text: str, members: list[Member], expected: bool) -> None:
    assert holds(text, *members) is expected


def test_identities_are_used_greedily_in_the_order_of_rules_and_signatures() -> None:
    # The first rule takes the administrator, whom the second would need: nothing is taken back.
    assert not holds("AND('AMSP.member','AMSP.admin')", A_ADMIN, A_PEER)
    assert holds("AND('AMSP.member','AMSP.admin')", A_PEER, A_ADMIN)
    assert holds("AND('AMSP.admin','AMSP.member')", A_ADMIN, A_PEER)


def test_a_gate_that_fails_gives_its_identities_back() -> None:
    assert holds("OR(AND('AMSP.peer','BMSP.peer'),'AMSP.peer')", A_PEER)
    assert holds("AND(OR(AND('AMSP.peer','BMSP.peer'),'CMSP.peer'),'AMSP.peer')", A_PEER, C_PEER)


def test_a_satisfied_gate_goes_on_taking_identities() -> None:
    # OR is satisfied by its first rule and still lets its second one use up B's peer.
    assert not holds("AND(OR('AMSP.peer','BMSP.peer'),'BMSP.peer')", A_PEER, B_PEER)


def test_doubled_signers_count_once_and_bad_signatures_not_at_all() -> None:
    good = A_PEER.signed(b"data")
    bad = SignedData(b"other", good.identity, good.signature)
    stranger = SampleOrganization("AMSP").member("peer").signed(b"data")
    garbage = SignedData(b"data", b"garbage", good.signature)
    found = signing_identities([garbage, stranger, bad, good, good, bad, B_PEER.signed(b"x")], MSPS)
    assert [identity.msp_id for identity in found] == ["AMSP", "BMSP"]
    assert policy("OR('AMSP.peer')").evaluate([bad, good])
    assert not policy("OR('AMSP.peer')").evaluate([bad])
    with_other_text = SignedData(b"data", good.identity + b"", good.signature)
    assert not policy("AND('AMSP.peer','AMSP.peer')").evaluate([good, with_other_text])
    assert not policy("AND('AMSP.peer','AMSP.peer')").evaluate_identities([A_PEER.identity, A_PEER.identity])


def test_exact_identities() -> None:
    envelope = signed_by_identities(2, [A_PEER.serialized, B_PEER.serialized, C_PEER.serialized])
    exact = SignaturePolicy(envelope, MSPS)
    assert exact.evaluate([C_PEER.signed(b"x"), A_PEER.signed(b"x")])
    assert not exact.evaluate([A_PEER.signed(b"x"), A_PEER_2.signed(b"x")])


Tree = tuple[int, list["Tree"]] | tuple[str, str]
LEAVES = st.tuples(st.sampled_from(["AMSP", "BMSP", "CMSP"]), st.sampled_from(["peer", "admin", "member"]))
TREES = st.recursive(
    LEAVES, lambda inner: st.tuples(st.integers(0, 4), st.lists(inner, min_size=1, max_size=4))
)


def reference(
    tree: Tree, signers: list[tuple[str, str]], free: frozenset[int]
) -> tuple[bool, frozenset[int]]:
    """Fabric's rule in words: a leaf takes the first free signer that fits, a gate tries every rule."""
    if isinstance(tree[0], str):
        for index in sorted(free):
            if signers[index][0] == tree[0] and tree[1] in (signers[index][1], "member"):
                return True, free - {index}
        return False, free
    satisfied = 0
    for rule in tree[1]:
        held, left = reference(rule, signers, free)
        if held:
            satisfied, free = satisfied + 1, left
    return satisfied >= tree[0], free


@settings(max_examples=300)
@given(tree=TREES, chosen=st.lists(st.sampled_from(MEMBERS), max_size=5, unique_by=id))
def test_evaluation_agrees_with_the_rule_in_words(tree: Tree, chosen: list[Member]) -> None:
    principals: list[object] = []

    def rule(part: Tree) -> object:
        if isinstance(part[0], str):
            principals.append(parse_policy(f"OR('{part[0]}.{part[1]}')").identities[0])
            return signed_by(len(principals) - 1)
        return n_out_of(part[0], [rule(inner) for inner in part[1]])

    compiled = rule(tree)
    envelope = policies_pb2.SignaturePolicyEnvelope(rule=compiled, identities=principals)
    identities = [member.identity for member in chosen]
    signers = [(identity.msp_id, identity.organizational_units[0]) for identity in identities]
    expected, _ = reference(tree, signers, frozenset(range(len(signers))))
    assert SignaturePolicy(envelope, MSPS).evaluate_identities(identities) is expected


class Fixed:
    """A policy whose answer is known."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def evaluate(self, signed: object) -> bool:
        return self.answer

    def evaluate_identities(self, identities: list[Identity]) -> bool:
        return self.answer


@given(
    answers=st.lists(st.sampled_from([True, False, None]), max_size=7),
    rule=st.sampled_from(["ANY", "ALL", "MAJORITY"]),
)
def test_implicit_meta_counts_children(answers: list[bool | None], rule: str) -> None:
    children: list[Policy | None] = [None if answer is None else Fixed(answer) for answer in answers]
    yes, n = answers.count(True), len(answers)
    expected = n == 0 or {"ANY": yes >= 1, "ALL": yes == n, "MAJORITY": yes > n / 2}[rule]
    assert ImplicitMetaPolicy(children, rule, MSPS).evaluate([]) is expected


def test_implicit_meta_children_see_every_signature() -> None:
    both = ImplicitMetaPolicy([policy("OR('AMSP.peer')"), policy("OR('AMSP.member')")], "ALL", MSPS)
    assert both.evaluate([A_PEER.signed(b"data")])
    assert not both.evaluate([B_PEER.signed(b"data")])


def test_what_is_said_of_a_policy_that_does_not_hold() -> None:
    children: list[Policy | None] = [Fixed(True), Fixed(False), None]
    majority = ImplicitMetaPolicy(children, "MAJORITY", MSPS, "Admins")
    assert refusal_text(majority, []) == (
        "implicit policy evaluation failed - 1 sub-policies were satisfied, but this policy requires 2 of "
        "the 'Admins' sub-policies to be satisfied"
    )
    assert refusal_text(policy("OR('AMSP.peer')"), []) == "signature set did not satisfy policy"


def test_policies_are_found_by_path() -> None:
    writers, readers = Fixed(True), Fixed(False)
    below = PolicyManager("/Channel/Application", {"Writers": writers}, {})
    root = PolicyManager("/Channel", {"Readers": readers}, {"Application": below})
    assert root.policy("/Channel/Application/Writers") is writers
    assert root.policy("Application/Writers") is writers
    assert root.policy("Readers") is readers
    assert below.policy("Writers") is writers
    assert below.policy("/Channel/Application/Writers") is writers
    for unknown in (
        "",
        "/",
        "Writers",
        "/Channel",
        "/Channel/",
        "/Other/Readers",
        "Application//Writers",
        "/Readers",
        "/Channel/Application",
    ):
        assert root.find(unknown) is None
        with pytest.raises(PolicyError, match="no such policy: '") as caught:
            root.policy(unknown)
        assert caught.value.code == "POLICY_NOT_FOUND"


@pytest.mark.parametrize(
    "envelope",
    [
        policies_pb2.SignaturePolicyEnvelope(),
        policies_pb2.SignaturePolicyEnvelope(version=1, rule=n_out_of(0, [])),
        policies_pb2.SignaturePolicyEnvelope(rule=signed_by(0)),
        policies_pb2.SignaturePolicyEnvelope(
            rule=signed_by(-1), identities=parse_policy("OR('A.peer')").identities
        ),
        policies_pb2.SignaturePolicyEnvelope(rule=n_out_of(1, [policies_pb2.SignaturePolicy()])),
    ],
)
def test_what_is_no_policy_does_not_compile(envelope: object) -> None:
    with pytest.raises(PolicyError) as caught:
        SignaturePolicy(envelope, MSPS)
    assert caught.value.code == "POLICY_INVALID"


def test_bytes_that_are_no_policy_are_refused() -> None:
    assert parse_signature_policy(parse_policy("OR('A.peer')").SerializeToString()) == parse_policy(
        "OR('A.peer')"
    )
    for bad in (b"\xff", None):
        with pytest.raises(PolicyError) as caught:
            parse_signature_policy(bad)
        assert caught.value.code == "POLICY_INVALID"
    with pytest.raises(PolicyError):
        ImplicitMetaPolicy([], 7, MSPS)
