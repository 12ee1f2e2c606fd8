"""Private data that expires: when it is gone, for simulation, validation, and whoever replays a chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample_channel import CHAINCODE, hash_of
from support.sample_collections import EXPIRING, SHARED, PrivateLedger, put

from fabric_protocol.expiry import Lifetimes, expiring_block
from fabric_protocol.memory_state import MemoryState
from fabric_protocol.policies import parse_policy
from fabric_protocol.simulation import Simulator
from fabric_protocol.validation_codes import ValidationCode

# What is written in block 1 of the sample collection lives for three blocks and expires with block 5.
WRITTEN, EXPIRES = 1, 5
Work = Callable[[Simulator], None]


def elsewhere(simulator: Simulator) -> None:
    simulator.put_state(CHAINCODE, "public", b"v")


def read(simulator: Simulator) -> None:
    simulator.get_private(CHAINCODE, EXPIRING, "k")
    simulator.put_state(CHAINCODE, "copied", b"v")


@pytest.fixture
def ledger() -> PrivateLedger:
    ledger = PrivateLedger()
    ledger.submit_private(put(EXPIRING, "k", b"v"), put(SHARED, "k", b"v"))
    return ledger


def value(ledger: PrivateLedger, collection: str) -> bytes | None:
    return ledger.simulator(private=ledger.held).get_private(CHAINCODE, collection, "k")


def pass_blocks(ledger: PrivateLedger, through: int, work: Work = elsewhere) -> None:
    while len(ledger.blocks) <= through:
        ledger.submit_private(work)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_expiring_block(written_in: int, block_to_live: int) -> None:
    found = expiring_block(written_in, block_to_live)
    if block_to_live == 0:
        assert found is None
    else:
        assert found is None or found == written_in + block_to_live + 1 > written_in + 1


def test_value_and_hash_go_with_the_expiring_block_and_not_before(ledger: PrivateLedger) -> None:
    pass_blocks(ledger, EXPIRES - 1)
    assert value(ledger, EXPIRING) == b"v"
    pass_blocks(ledger, EXPIRES)
    assert value(ledger, EXPIRING) is None
    assert ledger.simulator().get_private_hash(CHAINCODE, EXPIRING, "k") is None
    assert value(ledger, SHARED) == b"v"


@pytest.mark.parametrize(
    "renewal",
    [
        put(EXPIRING, "k", b"new"),
        lambda simulator: simulator.set_private_metadata(CHAINCODE, EXPIRING, "k", {"name": b"value"}),
    ],
)
def test_a_key_that_is_written_again_begins_anew(ledger: PrivateLedger, renewal: Work) -> None:
    pass_blocks(ledger, EXPIRES - 1)
    ledger.submit_private(renewal)
    pass_blocks(ledger, EXPIRES + 3)
    assert value(ledger, EXPIRING) in (b"v", b"new")
    pass_blocks(ledger, EXPIRES + 4)
    assert value(ledger, EXPIRING) is None


def test_a_read_from_before_the_expiry_is_valid_in_the_expiring_block_and_void_after_it(
    ledger: PrivateLedger,
) -> None:
    pass_blocks(ledger, EXPIRES - 1)
    results = ledger.simulate(read, private=ledger.held).public
    assert ledger.validate(ledger.block(ledger.envelope(results))).codes == (ValidationCode.VALID,)
    pass_blocks(ledger, EXPIRES)
    late = ledger.validate(ledger.block(ledger.envelope(results)))
    assert late.codes == (ValidationCode.MVCC_READ_CONFLICT,)
    absent = ledger.simulate(read, private=ledger.held).public
    assert ledger.validate(ledger.block(ledger.envelope(absent))).codes == (ValidationCode.VALID,)


def test_the_policy_of_a_key_goes_with_it(ledger: PrivateLedger) -> None:
    nobody = parse_policy("OR('GammaMSP.admin')").SerializeToString()
    ledger.submit_private(
        lambda simulator: simulator.set_private_metadata(
            CHAINCODE, EXPIRING, "k", {"VALIDATION_PARAMETER": nobody}
        )
    )
    refused = ledger.submit_private(put(EXPIRING, "k", b"new"))
    assert refused.codes == (ValidationCode.ENDORSEMENT_POLICY_FAILURE,)
    pass_blocks(ledger, EXPIRES + 1)
    assert ledger.submit_private(put(EXPIRING, "k", b"new")).codes == (ValidationCode.VALID,)


def test_whoever_keeps_expired_hashes_judges_alike() -> None:
    """A verifier's state is told of updates only; what expired stays in it and must count for nothing."""
    cleaned, kept = PrivateLedger(), PrivateLedger()
    kept.state.expire = lambda _number: None  # type: ignore[method-assign]
    envelopes = []
    for ledger in (cleaned, kept):
        ledger.submit_private(put(EXPIRING, "k", b"v"))
        pass_blocks(ledger, EXPIRES)
    results = cleaned.simulate(read, private=cleaned.held).public
    envelopes.append(cleaned.envelope(results))
    assert kept.state.get_hashed(CHAINCODE, EXPIRING, hash_of("k")) is not None
    assert cleaned.state.get_hashed(CHAINCODE, EXPIRING, hash_of("k")) is None
    for ledger in (cleaned, kept):
        assert ledger.validate(ledger.block(*envelopes)).codes == (ValidationCode.VALID,)


def test_lifetimes_of_collections_that_nobody_defined() -> None:
    ledger = PrivateLedger()
    lifetimes = Lifetimes(ledger.state)
    assert lifetimes.of([(CHAINCODE, EXPIRING), (CHAINCODE, SHARED)]) == {(CHAINCODE, EXPIRING): 3}
    for namespace, collection in (("none", "c"), ("_lifecycle", "c"), (CHAINCODE, "_implicit_org_AlphaMSP")):
        assert Lifetimes(MemoryState()).block_to_live(namespace, collection) == 0
        assert lifetimes.block_to_live(namespace, collection) == 0
