from collections.abc import Callable

import pytest
from fabric_protos.peer import proposal_response_pb2
from hypothesis import given
from hypothesis import strategies as st
from support.sample_channel import CHAINCODE, SampleLedger, members, sample_config
from support.sample_collections import ALPHA_ONLY, SHARED, PrivateLedger, put

from fabric_protocol.errors import PolicyError
from fabric_protocol.interest import InterestCall, interest_message
from fabric_protocol.planning import endorsement_requirements, plan_endorsers
from fabric_protocol.policies import Policy, SignaturePolicy, parse_policy
from fabric_protocol.simulation import Simulator
from fabric_protocol.state import VALIDATION_PARAMETER

Work = Callable[[Simulator], object]
ALPHA, BETA, GAMMA, DELTA = NAMES = ("AlphaMSP", "BetaMSP", "GammaMSP", "DeltaMSP")
CONFIG = sample_config(*NAMES)
PEERS = {name: members(name).peer.identity for name in NAMES}


def policy(text: str) -> Policy:
    return SignaturePolicy(parse_policy(text), CONFIG.msps)


@pytest.mark.parametrize(
    ("texts", "first", "expected"),
    [
        (["OR('AlphaMSP.peer','BetaMSP.peer')"], None, (ALPHA,)),
        (["OR('AlphaMSP.peer','BetaMSP.peer')"], BETA, (BETA,)),
        (["OR('AlphaMSP.peer','BetaMSP.peer')"], GAMMA, (ALPHA,)),
        (["OutOf(2,'AlphaMSP.peer','BetaMSP.peer','GammaMSP.peer')"], GAMMA, (GAMMA, ALPHA)),
        (["OR('AlphaMSP.peer',AND('BetaMSP.peer','GammaMSP.peer'))"], BETA, (BETA, GAMMA)),
        (["OR('AlphaMSP.peer','BetaMSP.peer')", "OR('BetaMSP.peer','GammaMSP.peer')"], None, (BETA,)),
        (["OR('AlphaMSP.peer')", "OR('GammaMSP.peer')"], DELTA, (ALPHA, GAMMA)),
        (["AND('AlphaMSP.peer','AlphaMSP.peer')"], ALPHA, None),
        (["OR('AlphaMSP.client')"], ALPHA, None),
        ([], None, (ALPHA,)),
    ],
)
def test_the_fewest_organizations_are_chosen(
    texts: list[str], first: str | None, expected: tuple[str, ...] | None
) -> None:
    assert plan_endorsers([policy(text) for text in texts], PEERS, first) == expected


def test_without_candidates_nobody_is_chosen() -> None:
    assert plan_endorsers([policy("OR('AlphaMSP.peer')")], {}, ALPHA) is None
    assert plan_endorsers([policy("OR('AlphaMSP.peer')")], {BETA: PEERS[BETA]}, ALPHA) is None


@given(st.integers(1, 4), st.sets(st.sampled_from(NAMES), min_size=1), st.sampled_from([*NAMES, None]))
def test_what_is_chosen_suffices_and_is_minimal(n: int, available: set[str], first: str | None) -> None:
    quorum = policy(f"OutOf({n}, {', '.join(repr(name + '.peer') for name in NAMES)})")
    candidates = {name: PEERS[name] for name in available}

    chosen = plan_endorsers([quorum], candidates, first)

    if len(available) < n:
        assert chosen is None
        return
    assert chosen is not None
    assert len(chosen) == n
    assert set(chosen) <= available
    assert quorum.evaluate_identities([PEERS[name] for name in chosen])
    if first in available:
        assert chosen[0] == first


@pytest.fixture
def ledger() -> PrivateLedger:
    return PrivateLedger()


def plan(
    ledger: SampleLedger, work: Work, first: str | None = None, **options: object
) -> tuple[str, ...] | None:
    interest = ledger.simulate(work, **options).interest  # type: ignore[arg-type]
    candidates = {name: PEERS[name] for name in ledger.msp_ids}
    needed = endorsement_requirements(
        interest, config=ledger.config, state=ledger.state, candidates=candidates
    )
    allowed = {name: identity for name, identity in candidates.items() if name in needed.eligible}
    return plan_endorsers(needed.policies, allowed, first)


def write(key: str) -> Work:
    return lambda simulator: simulator.put_state(CHAINCODE, key, b"v")


def protect(ledger: SampleLedger, key: str, text: str) -> bytes:
    encoded: bytes = parse_policy(text).SerializeToString()
    ledger.submit(write(key))
    ledger.submit(lambda simulator: simulator.set_metadata(CHAINCODE, key, {VALIDATION_PARAMETER: encoded}))
    return encoded


def test_reading_and_writing_ask_for_the_chaincodes_policy(ledger: PrivateLedger) -> None:
    for work in (write("k"), lambda simulator: simulator.get_state(CHAINCODE, "k")):
        assert ledger.simulate(work).interest == (InterestCall(CHAINCODE),)
    assert plan(ledger, write("k"), GAMMA) == (GAMMA, ALPHA)


def test_system_chaincodes_are_left_out(ledger: PrivateLedger) -> None:
    assert ledger.simulate(lambda simulator: None).interest == ()


def test_a_protected_key_asks_for_its_own_policy(ledger: PrivateLedger) -> None:
    encoded = protect(ledger, "k", "OR('GammaMSP.peer')")

    alone = ledger.simulate(write("k")).interest
    with_other = ledger.simulate(lambda simulator: (write("k")(simulator), write("o")(simulator))).interest

    assert alone == (InterestCall(CHAINCODE, key_policies=(encoded,), disregard_namespace_policy=True),)
    assert with_other == (InterestCall(CHAINCODE, key_policies=(encoded,)),)
    assert plan(ledger, write("k"), ALPHA) == (GAMMA,)
    assert plan(ledger, lambda simulator: (write("k")(simulator), write("o")(simulator)), ALPHA) == (
        ALPHA,
        GAMMA,
    )


def test_a_private_write_asks_for_its_collections_policy(ledger: PrivateLedger) -> None:
    assert ledger.simulate(put(ALPHA_ONLY, "k", b"v")).interest == (
        InterestCall(CHAINCODE, ALPHA_ONLY, no_private_reads=True),
    )
    assert plan(ledger, put(ALPHA_ONLY, "k", b"v"), BETA) == (ALPHA,)
    assert plan(ledger, put(SHARED, "k", b"v"), GAMMA) == (GAMMA, ALPHA)
    assert plan(ledger, put("_implicit_org_BetaMSP", "k", b"v")) == (BETA,)


def test_who_reads_private_data_must_be_a_member(ledger: PrivateLedger) -> None:
    def read(collection: str) -> Work:
        return lambda simulator: simulator.get_private(CHAINCODE, collection, "k")

    found = ledger.simulate(read(SHARED), private=ledger.held).interest

    assert found == (InterestCall(CHAINCODE), InterestCall(CHAINCODE, SHARED))
    assert plan(ledger, read(SHARED), GAMMA, private=ledger.held) == (ALPHA, BETA)
    assert plan(ledger, read(ALPHA_ONLY), private=ledger.held) is None
    assert plan(ledger, read("_implicit_org_BetaMSP"), private=ledger.held) is None


def test_a_hash_may_be_read_by_anybody(ledger: PrivateLedger) -> None:
    found = ledger.simulate(lambda simulator: simulator.get_private_hash(CHAINCODE, ALPHA_ONLY, "k")).interest

    assert found == (InterestCall(CHAINCODE),)


def test_an_unknown_chaincode_or_collection_has_no_plan(ledger: PrivateLedger) -> None:
    for call in (InterestCall("unknown"), InterestCall(CHAINCODE, "unknown", no_private_reads=True)):
        with pytest.raises(PolicyError) as caught:
            endorsement_requirements([call], config=CONFIG, state=ledger.state, candidates=PEERS)
        assert caught.value.code == "POLICY_NOT_FOUND"


def test_interest_is_a_message(ledger: PrivateLedger) -> None:
    encoded = parse_policy("OR('GammaMSP.peer')").SerializeToString()
    calls = [
        InterestCall(CHAINCODE, key_policies=(encoded,), disregard_namespace_policy=True),
        InterestCall(CHAINCODE, SHARED, no_private_reads=True),
    ]

    message = interest_message(calls)

    read = proposal_response_pb2.ChaincodeInterest.FromString(message.SerializeToString())
    assert [(call.name, list(call.collection_names), call.no_private_reads) for call in read.chaincodes] == [
        (CHAINCODE, [], False),
        (CHAINCODE, [SHARED], True),
    ]
    assert read.chaincodes[0].disregard_namespace_policy
    assert read.chaincodes[0].key_policies[0].SerializeToString() == encoded
