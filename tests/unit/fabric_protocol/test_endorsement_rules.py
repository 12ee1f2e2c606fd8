"""Who has to endorse what: chaincode, collection, key."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from support.sample_channel import (
    CHAINCODE,
    SampleLedger,
    hash_of,
    members,
    sample_envelope,
    sample_proposal,
    value_of,
)
from support.sample_collections import ALPHA_ONLY, SHARED, PrivateLedger, put

from fabric_protocol.endorsement_rules import ChannelPolicies
from fabric_protocol.policies import application_policy, custodian_policy, parse_policy
from fabric_protocol.rwset import CollectionSet, HashedWrite, NamespaceSet, ReadWriteSet
from fabric_protocol.rwset_encoding import encode_rwset
from fabric_protocol.simulation import Simulator
from fabric_protocol.state import VALIDATION_PARAMETER
from fabric_protocol.validation_codes import ValidationCode

Work = Callable[[Simulator], None]


def write(*keys: str, value: bytes = b"v") -> Work:
    def work(simulator: Simulator) -> None:
        for key in keys:
            simulator.put_state(CHAINCODE, key, value)

    return work


def set_policy(key: str, policy: str | bytes) -> Work:
    encoded = policy if isinstance(policy, bytes) else parse_policy(policy).SerializeToString()

    def work(simulator: Simulator) -> None:
        simulator.set_metadata(CHAINCODE, key, {VALIDATION_PARAMETER: encoded})

    return work


def names(codes: tuple[int, ...]) -> list[str]:
    return [ValidationCode(code).name for code in codes]


def submit(ledger: SampleLedger, *works: Work, endorsers: list[str] | None = None) -> list[str]:
    return names(ledger.submit(*works, endorsers=endorsers).codes)


VALID, REFUSED = ["VALID"], ["ENDORSEMENT_POLICY_FAILURE"]
ALPHA, BETA, GAMMA = "AlphaMSP", "BetaMSP", "GammaMSP"


@pytest.fixture
def ledger() -> SampleLedger:
    """Any two of three organizations have to endorse."""
    return SampleLedger()


@pytest.fixture
def private() -> PrivateLedger:
    return PrivateLedger()


@pytest.mark.parametrize(
    ("endorsers", "expected"),
    [([ALPHA, BETA], VALID), ([GAMMA, ALPHA], VALID), ([ALPHA], REFUSED), ([ALPHA, BETA, GAMMA], VALID)],
)
def test_a_write_needs_the_chaincodes_policy(
    ledger: SampleLedger, endorsers: list[str], expected: list[str]
) -> None:
    assert submit(ledger, write("k"), endorsers=endorsers) == expected


def test_a_transaction_without_writes_needs_it_too(ledger: SampleLedger) -> None:
    assert submit(ledger, lambda simulator: None, endorsers=[ALPHA]) == REFUSED
    assert submit(ledger, lambda simulator: None, endorsers=[ALPHA, BETA]) == VALID


def test_clients_and_forged_endorsements_do_not_count(ledger: SampleLedger) -> None:
    result = ledger.simulate(write("k")).public
    alpha, beta, gamma = (members(msp_id) for msp_id in (ALPHA, BETA, GAMMA))
    forged = replace(beta.peer, key=gamma.client.key)
    outsider = members("OmegaMSP").peer
    for second in (beta.client, beta.orderer, forged, outsider, alpha.organization.member("peer")):
        proposal = sample_proposal(alpha.client)
        entry = sample_envelope(proposal, alpha.client, result, [alpha.peer, second])
        assert names(ledger.validate(ledger.block(entry)).codes) == REFUSED


def test_a_keys_own_policy_replaces_the_chaincodes(ledger: SampleLedger) -> None:
    assert submit(ledger, write("k", "other")) == VALID
    assert submit(ledger, set_policy("k", "AND('AlphaMSP.peer', 'GammaMSP.peer')")) == VALID

    assert submit(ledger, write("k"), endorsers=[ALPHA, BETA]) == REFUSED
    assert submit(ledger, write("k"), endorsers=[ALPHA, GAMMA]) == VALID
    assert submit(ledger, write("k", "other"), endorsers=[ALPHA, GAMMA]) == VALID
    assert submit(ledger, write("other"), endorsers=[ALPHA, BETA]) == VALID


def test_a_keys_policy_alone_is_enough_for_it(ledger: SampleLedger) -> None:
    submit(ledger, write("k"))
    submit(ledger, set_policy("k", "OR('AlphaMSP.peer')"))

    assert submit(ledger, write("k"), endorsers=[ALPHA]) == VALID
    assert submit(ledger, write("k", "other"), endorsers=[ALPHA]) == REFUSED


def test_changing_a_keys_policy_needs_the_old_one(ledger: SampleLedger) -> None:
    submit(ledger, write("k"))
    custodian = custodian_policy(ALPHA, [BETA, GAMMA], 1).SerializeToString()
    submit(ledger, set_policy("k", custodian))

    assert submit(ledger, set_policy("k", "OR('BetaMSP.peer')"), endorsers=[BETA, GAMMA]) == REFUSED
    assert submit(ledger, write("k"), endorsers=[ALPHA]) == REFUSED
    assert (
        submit(ledger, lambda simulator: simulator.delete_state(CHAINCODE, "k"), endorsers=[BETA, GAMMA])
        == REFUSED
    )
    assert submit(ledger, set_policy("k", "OR('BetaMSP.peer')"), endorsers=[GAMMA, ALPHA]) == VALID
    assert submit(ledger, write("k"), endorsers=[BETA]) == VALID


def test_a_policy_survives_values_and_goes_with_the_key(ledger: SampleLedger) -> None:
    submit(ledger, write("k"))
    submit(ledger, set_policy("k", "OR('AlphaMSP.peer')"))
    submit(ledger, write("k", value=b"2"), endorsers=[ALPHA])
    assert submit(ledger, write("k"), endorsers=[BETA, GAMMA]) == REFUSED

    submit(ledger, lambda simulator: simulator.delete_state(CHAINCODE, "k"), endorsers=[ALPHA])
    assert submit(ledger, write("k"), endorsers=[BETA, GAMMA]) == VALID


def test_a_removed_policy_gives_way_to_the_chaincodes(ledger: SampleLedger) -> None:
    submit(ledger, write("k"))
    submit(ledger, set_policy("k", "OR('AlphaMSP.peer')"))
    submit(ledger, lambda simulator: simulator.set_metadata(CHAINCODE, "k", {}), endorsers=[ALPHA])

    assert submit(ledger, write("k"), endorsers=[ALPHA]) == REFUSED
    assert submit(ledger, write("k"), endorsers=[BETA, GAMMA]) == VALID


def test_a_policy_on_a_missing_key_does_nothing(ledger: SampleLedger) -> None:
    assert submit(ledger, set_policy("k", "OR('AlphaMSP.peer')")) == VALID

    assert ledger.state.get(CHAINCODE, "k") is None
    assert submit(ledger, write("k"), endorsers=[BETA, GAMMA]) == VALID


def test_a_policy_and_its_key_may_come_in_one_transaction(ledger: SampleLedger) -> None:
    def both(simulator: Simulator) -> None:
        write("k")(simulator)
        set_policy("k", "OR('AlphaMSP.peer')")(simulator)

    assert submit(ledger, both, endorsers=[BETA, GAMMA]) == VALID
    assert submit(ledger, write("k"), endorsers=[BETA, GAMMA]) == REFUSED


def test_a_policy_nobody_can_read_lets_nobody_write(ledger: SampleLedger) -> None:
    submit(ledger, write("k"))
    submit(ledger, set_policy("k", b"\xff"))

    assert submit(ledger, write("k")) == REFUSED


def test_using_a_key_after_its_policy_changed_in_the_same_block_fails(ledger: SampleLedger) -> None:
    submit(ledger, write("k"))

    codes = submit(ledger, set_policy("k", "OR('AlphaMSP.peer')"), write("k"), write("other"))

    assert codes == ["VALID", "ENDORSEMENT_POLICY_FAILURE", "VALID"]


def test_it_fails_even_if_the_change_itself_comes_to_nothing(ledger: SampleLedger) -> None:
    submit(ledger, write("k", "counter"))

    def change(simulator: Simulator) -> None:
        simulator.get_state(CHAINCODE, "counter")
        set_policy("k", "OR('AlphaMSP.peer')")(simulator)

    codes = submit(ledger, write("counter"), change, write("k"))

    assert codes == ["VALID", "MVCC_READ_CONFLICT", "ENDORSEMENT_POLICY_FAILURE"]


def test_it_does_not_fail_if_the_change_was_not_endorsed(ledger: SampleLedger) -> None:
    submit(ledger, write("k"))
    change = ledger.simulate(set_policy("k", "OR('AlphaMSP.peer')")).public
    use = ledger.simulate(write("k")).public
    block = ledger.block(ledger.envelope(change, endorsers=[BETA]), ledger.envelope(use))

    assert names(ledger.commit(block).codes) == ["ENDORSEMENT_POLICY_FAILURE", "VALID"]


def test_every_written_namespace_is_asked(ledger: SampleLedger) -> None:
    ledger.define("strict", validation_parameter=application_policy("AND('AlphaMSP.peer', 'BetaMSP.peer')"))

    def across(simulator: Simulator) -> None:
        simulator.get_state("strict", "k")
        write("k")(simulator)

    def into(simulator: Simulator) -> None:
        simulator.put_state("strict", "k", b"v")

    assert submit(ledger, across, endorsers=[BETA, GAMMA]) == VALID
    assert submit(ledger, into, endorsers=[BETA, GAMMA]) == REFUSED
    assert submit(ledger, into, endorsers=[BETA, ALPHA]) == VALID
    assert value_of(ledger, "k", "strict") == b"v"


@pytest.mark.parametrize("namespace", ["unknown", "lscc", "", "qscc"])
def test_nobody_may_write_to_a_namespace_without_a_definition(ledger: SampleLedger, namespace: str) -> None:
    assert submit(ledger, lambda simulator: simulator.put_state(namespace, "k", b"v")) == [
        "INVALID_CHAINCODE"
    ]


@pytest.mark.parametrize(
    "options", [{"validation_plugin": "other"}, {"validation_plugin": ""}, {"validation_parameter": b""}]
)
def test_a_definition_that_cannot_be_applied_allows_nothing(
    ledger: SampleLedger, options: dict[str, object]
) -> None:
    ledger.define(CHAINCODE, **options)

    assert submit(ledger, write("k")) == ["INVALID_CHAINCODE"]


@pytest.mark.parametrize("parameter", [b"\xff", b"\x12\x01x"])
def test_a_policy_that_cannot_be_found_is_not_satisfied(ledger: SampleLedger, parameter: bytes) -> None:
    ledger.define(CHAINCODE, validation_parameter=parameter)

    assert submit(ledger, write("k")) == REFUSED


def test_the_lifecycle_needs_a_majority(ledger: SampleLedger) -> None:
    def define(simulator: Simulator) -> None:
        simulator.put_state("_lifecycle", "namespaces/fields/x/Sequence", b"v")

    assert submit(ledger, define, endorsers=[ALPHA, BETA]) == VALID
    ledger.define(CHAINCODE, validation_parameter=application_policy("OR('AlphaMSP.peer')"))
    assert submit(ledger, write("k"), endorsers=[ALPHA]) == VALID
    assert submit(ledger, define, endorsers=[ALPHA]) == REFUSED


def test_a_collections_policy_stands_in_for_the_chaincodes(private: PrivateLedger) -> None:
    assert names(private.submit_private(put(ALPHA_ONLY, "k", b"v"), endorsers=[ALPHA]).codes) == VALID
    assert names(private.submit_private(put(ALPHA_ONLY, "k", b"v"), endorsers=[BETA, GAMMA]).codes) == REFUSED
    assert names(private.submit_private(put(SHARED, "k", b"v"), endorsers=[ALPHA]).codes) == REFUSED
    assert names(private.submit_private(put(SHARED, "k", b"v"), endorsers=[BETA, GAMMA]).codes) == VALID


def test_public_and_private_writes_need_both_policies(private: PrivateLedger) -> None:
    def both(simulator: Simulator) -> None:
        write("k")(simulator)
        put(ALPHA_ONLY, "k", b"v")(simulator)

    assert names(private.submit_private(both, endorsers=[ALPHA]).codes) == REFUSED
    assert names(private.submit_private(both, endorsers=[BETA, GAMMA]).codes) == REFUSED
    assert names(private.submit_private(both, endorsers=[ALPHA, GAMMA]).codes) == VALID


def test_a_private_keys_own_policy_stands_in_for_its_collections(private: PrivateLedger) -> None:
    policy = parse_policy("OR('GammaMSP.peer')").SerializeToString()
    private.submit_private(put(ALPHA_ONLY, "k", b"v"), endorsers=[ALPHA])

    def change(simulator: Simulator) -> None:
        simulator.set_private_metadata(CHAINCODE, ALPHA_ONLY, "k", {VALIDATION_PARAMETER: policy})

    codes = private.submit_private(change, put(ALPHA_ONLY, "k", b"2"), endorsers=[ALPHA]).codes
    assert names(codes) == ["VALID", "ENDORSEMENT_POLICY_FAILURE"]
    assert names(private.submit_private(put(ALPHA_ONLY, "k", b"3"), endorsers=[ALPHA]).codes) == REFUSED
    assert names(private.submit_private(put(ALPHA_ONLY, "k", b"4"), endorsers=[GAMMA]).codes) == VALID


def test_an_implicit_collection_needs_its_organization(private: PrivateLedger) -> None:
    work = put("_implicit_org_BetaMSP", "k", b"v")

    assert names(private.submit_private(work, endorsers=[BETA]).codes) == VALID
    assert names(private.submit_private(work, endorsers=[ALPHA, GAMMA]).codes) == REFUSED


def hashed_write(collection: str) -> bytes:
    written = HashedWrite(hash_of("k"), False, hash_of("v"), False)
    entry = NamespaceSet(CHAINCODE, collections=(CollectionSet(collection, writes=(written,)),))
    return encode_rwset(ReadWriteSet((entry,)))


@pytest.mark.parametrize("collection", ["unknown", "_implicit_org_DeltaMSP", "_implicit_org_"])
def test_writes_to_unknown_collections_are_refused(private: PrivateLedger, collection: str) -> None:
    block = private.block(private.envelope(hashed_write(collection)))

    assert names(private.validate(block).codes) == REFUSED


def test_policies_are_compiled_once(private: PrivateLedger) -> None:
    policies = ChannelPolicies(private.config, private.state)

    assert policies.chaincode(CHAINCODE) is policies.chaincode(CHAINCODE)
    assert policies.collection(CHAINCODE, SHARED) is policies.chaincode(CHAINCODE)
    assert policies.collection(CHAINCODE, ALPHA_ONLY) is not policies.chaincode(CHAINCODE)
    assert policies.collection("unknown", ALPHA_ONLY) is None
    assert policies.chaincode("unknown") is None
