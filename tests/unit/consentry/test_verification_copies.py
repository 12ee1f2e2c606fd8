"""Several organizations' copies of one chain, each followed to its own first difference."""

import pytest
from fabric_protos.common import common_pb2
from support.chains import Chain, Effects

from consentry.verification import (
    DifferenceKind,
    Position,
    Verdict,
    VerificationError,
    Verifier,
    memory_source,
)
from consentry.verification.chain import ChainVerifier
from consentry.verification.ledger_state import MemoryLedgerState
from fabric_protocol.blocks import set_flags
from fabric_protocol.policy_building import custodian_policy


@pytest.fixture(scope="module")
def chain() -> Chain:
    made = Chain()
    for number in range(4):
        made.write({f"key{number}": b"value"})
    return made


def test_a_lie_of_one_organization_is_laid_at_its_door(chain: Chain) -> None:
    lie = common_pb2.Block.FromString(chain.blocks[3])
    set_flags(lie, b"\x0a")
    theirs = [*chain.blocks[:3], lie.SerializeToString(), *chain.blocks[4:]]
    for names in (("honest", "liar"), ("liar", "honest")):
        copies = {"honest": chain.blocks, "liar": theirs}
        result = Verifier().verify([memory_source(name, copies[name]) for name in names], chain.anchor)
        assert result.blocks == len(chain.blocks)
        assert [(item.source, item.block, item.kind) for item in result.differences] == [
            ("liar", 3, DifferenceKind.FLAGS)
        ]
        assert result.sentence == (
            "liar: Block 3, transaction 0: it is marked ENDORSEMENT_POLICY_FAILURE, "
            "but validating it again gives VALID."
        )


def test_two_chains_signed_by_the_same_orderer_are_a_fork(chain: Chain) -> None:
    fork = Chain.copy(chain, 4)
    fork.write({"key9": b"other"})
    result = Verifier().verify(
        [memory_source("A", chain.blocks), memory_source("B", fork.blocks)], chain.anchor
    )
    first = result.first_difference
    assert first is not None
    assert (first.kind, first.source, first.block) == (DifferenceKind.FORK, "B", 4)
    assert first.sentence == (
        "Block 4 differs from that of A, and each is sound by itself: the chain forks here."
    )


def test_a_copy_that_ends_early_is_named(chain: Chain) -> None:
    result = Verifier().verify(
        [memory_source("A", chain.blocks[:4]), memory_source("B", chain.blocks)], chain.anchor
    )
    assert result.sentence == (
        "A: Block 4 is missing: this copy ends at block 3, while the copy of B goes on: "
        "it lags, or blocks are missing."
    )


def test_a_forged_block_after_the_end_does_not_accuse_the_shorter_copy(chain: Chain) -> None:
    result = Verifier().verify(
        [memory_source("A", chain.blocks), memory_source("B", [*chain.blocks, b"forged"])], chain.anchor
    )
    assert [item.source for item in result.differences] == ["B"]


def test_no_blocks_at_all_is_a_difference() -> None:
    result = Verifier().verify([memory_source("A", [])])
    assert result.verdict is Verdict.DIFFERS
    assert result.sentence == (
        "A: Block 0 is missing: this copy ends before its first block, "
        "but has to reach block 0: blocks are missing."
    )
    assert result.to_dict()["channel"] == ""


def test_progress_counts_proved_blocks(chain: Chain) -> None:
    seen: list[int] = []
    Verifier().verify([memory_source("A", chain.blocks)], chain.anchor, seen.append)
    assert seen == list(range(1, len(chain.blocks) + 1))


def test_sources_need_different_names(chain: Chain) -> None:
    for sources in ([], [memory_source("A", chain.blocks), memory_source("A", chain.blocks)]):
        with pytest.raises(VerificationError, match="SOURCES_INVALID"):
            Verifier().verify(sources)


@pytest.mark.parametrize("anchor", ["", "abc", "z" * 64, "0" * 63, "0" * 65])
def test_an_anchor_that_is_no_hash_is_refused(chain: Chain, anchor: str) -> None:
    with pytest.raises(VerificationError, match="ANCHOR_INVALID"):
        Verifier().verify([memory_source("A", chain.blocks)], anchor)


def test_an_anchor_is_read_in_either_case_and_with_its_line_break(chain: Chain) -> None:
    result = Verifier().verify([memory_source("A", chain.blocks)], chain.anchor.upper() + "\n")
    assert result.verdict is Verdict.PROVED


def test_key_level_policies_are_in_force_from_the_block_after(chain: Chain) -> None:
    made = Chain()
    policy = custodian_policy("LakesideMSP", ["NorthgateMSP", "RegulatorMSP", "RiversideMSP"], 2)
    made.commit([made.transaction(Effects(writes={"grant/1": b"1"}, policies={"grant/1": policy}))])
    made.commit([made.transaction(Effects(writes={"grant/1": b"2"}), endorsers=made.majority)])
    others = ["NorthgateMSP", "RegulatorMSP", "RiversideMSP"]
    without_custodian = made.commit([made.transaction(Effects(writes={"grant/1": b"3"}), endorsers=others)])
    result = Verifier().verify([memory_source("A", made.blocks)], made.anchor)
    assert result.verdict is Verdict.PROVED
    assert result.codes == {"VALID": 4, "ENDORSEMENT_POLICY_FAILURE": 1}
    assert made.block(without_custodian).metadata.metadata[2] == b"\x0a"


def test_verification_goes_on_from_a_position(chain: Chain) -> None:
    ledger = MemoryLedgerState()
    first = ChainVerifier(ledger, chain.anchor)
    for data in chain.blocks[:3]:
        first.accept(first.prove(data))
    second = ChainVerifier(ledger, None, first.position)
    for data in chain.blocks[3:]:
        second.accept(second.prove(data))
    assert second.position.next_block == len(chain.blocks)
    with pytest.raises(VerificationError, match="ANCHOR_MISMATCH"):
        ChainVerifier(ledger, "0" * 64, first.position)


def test_blocks_are_accepted_in_order_only(chain: Chain) -> None:
    verifier = ChainVerifier(MemoryLedgerState(), chain.anchor)
    genesis = verifier.prove(chain.blocks[0])
    assert verifier.position == Position()
    with pytest.raises(VerificationError, match="NOTHING_VERIFIED"):
        _ = verifier.config
    verifier.accept(genesis)
    with pytest.raises(VerificationError, match="OUT_OF_ORDER"):
        verifier.accept(genesis)
