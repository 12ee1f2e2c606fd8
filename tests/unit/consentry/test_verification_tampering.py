"""Whatever is changed in a stored chain is found, and the first difference is named."""

from collections.abc import Callable
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from support.chains import Chain, Effects

from consentry.verification import (
    ChainVerifier,
    Difference,
    DifferenceKind,
    Finding,
    MemoryLedgerState,
    Verdict,
    Verifier,
    memory_source,
)
from fabric_protocol.block_signatures import sign_block
from fabric_protocol.blocks import data_hash, set_flags

COLLECTION = "_implicit_org_LakesideMSP"


def build_chain() -> Chain:
    chain = Chain()
    chain.write({"consent/a": b"given", "consent/b": b"given"})
    read = chain.transaction(Effects(writes={"consent/a": b"withdrawn"}, reads=["consent/a"]))
    late = chain.transaction(Effects(writes={"consent/a": b"other"}, reads=["consent/a"]))
    chain.commit([read, late])
    weak = chain.transaction(Effects(writes={"consent/c": b"forged"}), endorsers=["NorthgateMSP"])
    chain.commit(
        [weak, chain.transaction(Effects(private_hashes={(COLLECTION, "key"): b"value"}, writes={"x": b"1"}))]
    )
    chain.write({"consent/b": b""})
    return chain


CHAIN = build_chain()
Change = Callable[[Any], object]


def first_difference(blocks: list[bytes], anchor: str | None = CHAIN.anchor) -> Difference:
    found = Verifier().verify([memory_source("peer", blocks)], anchor).first_difference
    assert found is not None
    return found


def changed(number: int, change: Change) -> list[bytes]:
    block = CHAIN.block(number)
    change(block)
    blocks = list(CHAIN.blocks)
    blocks[number] = block.SerializeToString()
    return blocks


def test_the_untouched_chain_is_proved() -> None:
    result = Verifier().verify([memory_source("peer", CHAIN.blocks)], CHAIN.anchor)
    assert result.verdict is Verdict.PROVED
    assert result.codes == {"VALID": 6, "MVCC_READ_CONFLICT": 1, "ENDORSEMENT_POLICY_FAILURE": 1}


@pytest.fixture(scope="module")
def verifiers() -> list[ChainVerifier]:
    """One verifier before each block."""
    made = []
    for number in range(len(CHAIN.blocks)):
        verifier = ChainVerifier(MemoryLedgerState(), CHAIN.anchor)
        for data in CHAIN.blocks[:number]:
            verifier.accept(verifier.prove(data))
        made.append(verifier)
    return made


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_flipped_bits_of_any_stored_byte_are_found(
    verifiers: list[ChainVerifier], data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(CHAIN.blocks) - 1))
    stored = bytearray(CHAIN.blocks[number])
    place = data.draw(st.integers(0, len(stored) - 1))
    stored[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Finding) as found:
        verifiers[number].prove(bytes(stored))
    assert found.value.block == number


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_cut_lengthened_and_foreign_blocks_are_found(
    verifiers: list[ChainVerifier], data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(CHAIN.blocks) - 1))
    stored = CHAIN.blocks[number]
    cut = stored[: data.draw(st.integers(0, len(stored) - 1))]
    longer = stored + data.draw(st.binary(min_size=1, max_size=64))
    foreign = data.draw(st.binary(max_size=256))
    for other in (cut, longer, foreign):
        with pytest.raises(Finding):
            verifiers[number].prove(other)


def test_a_flipped_byte_of_a_transaction_is_a_wrong_data_hash() -> None:
    def flip(block: Any) -> None:
        entry = bytearray(block.data.data[0])
        entry[len(entry) // 2] ^= 1
        block.data.data[0] = bytes(entry)

    found = first_difference(changed(3, flip))
    assert (found.kind, found.block) == (DifferenceKind.DATA_HASH, 3)
    assert found.sentence == "Block 3: the stored transactions are not those of its header (data hash)."


def test_a_block_that_no_longer_parses_is_named() -> None:
    blocks = list(CHAIN.blocks)
    blocks[4] = b"\xff" * 10
    found = first_difference(blocks)
    assert found.kind is DifferenceKind.UNREADABLE
    assert found.sentence == "Block 4 cannot be read: its 10 stored bytes are not a block."


@pytest.mark.parametrize("number", range(1, len(CHAIN.blocks) - 1))
def test_a_missing_block_is_named(number: int) -> None:
    blocks = [*CHAIN.blocks[:number], *CHAIN.blocks[number + 1 :]]
    found = first_difference(blocks)
    assert found.kind is DifferenceKind.BLOCK_NUMBER
    assert found.sentence == f"Block {number} is missing: block {number + 1} stands in its place."


def test_a_missing_genesis_is_not_the_anchored_one() -> None:
    assert first_difference(CHAIN.blocks[1:]).kind is DifferenceKind.ANCHOR
    assert first_difference(CHAIN.blocks[1:], None).kind is DifferenceKind.BLOCK_NUMBER


def test_a_cut_end_is_found_against_the_height_reached_before() -> None:
    source = memory_source("peer", CHAIN.blocks[:-1])
    assert Verifier().verify([source], CHAIN.anchor).verdict is Verdict.PROVED
    found = Verifier().verify([source], CHAIN.anchor, through=len(CHAIN.blocks) - 1).first_difference
    assert found is not None
    assert found.kind is DifferenceKind.ENDS_EARLY


def test_reordered_and_doubled_blocks_are_named() -> None:
    blocks = list(CHAIN.blocks)
    blocks[2], blocks[3] = blocks[3], blocks[2]
    assert first_difference(blocks).sentence == "Block 2 is missing: block 3 stands in its place."
    doubled = [*CHAIN.blocks[:3], CHAIN.blocks[2], *CHAIN.blocks[3:]]
    assert first_difference(doubled).sentence == "Block 3 is not here: block 2 stands in its place."


def test_a_changed_flag_is_named_with_what_it_should_be() -> None:
    found = first_difference(changed(4, lambda block: set_flags(block, b"\x00\x00")))
    assert (found.kind, found.transaction) == (DifferenceKind.FLAGS, 0)
    assert found.sentence == (
        "Block 4, transaction 0: it is marked VALID, "
        "but validating it again gives ENDORSEMENT_POLICY_FAILURE."
    )
    found = first_difference(changed(2, lambda block: set_flags(block, b"\x0b")))
    assert (found.expected, found.got) == ("VALID", "MVCC_READ_CONFLICT")


def test_a_removed_commit_hash_is_named() -> None:
    def remove(block: Any) -> None:
        block.metadata.metadata[4] = b""

    found = first_difference(changed(3, remove))
    assert found.kind is DifferenceKind.COMMIT_HASH
    assert "carries no commit hash" in found.sentence


def test_something_hidden_in_unused_metadata_is_found() -> None:
    def hide(block: Any) -> None:
        block.metadata.metadata[3] = b"hidden"

    assert first_difference(changed(3, hide)).kind is DifferenceKind.METADATA


def test_a_block_rewritten_with_its_hash_still_lacks_the_orderers_signature() -> None:
    def rewrite(block: Any) -> None:
        block.data.data[0] = CHAIN.transaction(Effects(writes={"consent/a": b"rewritten"}))
        block.header.data_hash = data_hash(block.data)

    found = first_difference(changed(2, rewrite))
    assert (found.kind, found.block) == (DifferenceKind.ORDERER_SIGNATURE, 2)


@pytest.mark.parametrize("signer", ["peer", "client"])
def test_only_an_orderer_may_sign_a_block(signer: str) -> None:
    member = CHAIN.first.peer if signer == "peer" else CHAIN.client

    def sign_again(block: Any) -> None:
        sign_block(block, last_config=0, signer=member.signer, creator=member.identity, nonce=b"n" * 24)

    assert first_difference(changed(2, sign_again)).kind is DifferenceKind.ORDERER_SIGNATURE


def test_a_second_signature_that_does_not_hold_is_found_though_one_would_do() -> None:
    def add(block: Any) -> None:
        metadata = common_pb2.Metadata.FromString(block.metadata.metadata[0])
        metadata.signatures.add(
            signature_header=metadata.signatures[0].signature_header, signature=b"\x30\x00"
        )
        block.metadata.metadata[0] = metadata.SerializeToString()

    found = first_difference(changed(2, add))
    assert found.kind is DifferenceKind.ORDERER_SIGNATURE
    assert "carries 2 signatures, of which 1" in found.sentence


def test_a_wrong_signed_last_configuration_is_found() -> None:
    orderer = CHAIN.first.orderer

    def point_elsewhere(block: Any) -> None:
        sign_block(block, last_config=1, signer=orderer.signer, creator=orderer.identity, nonce=b"n" * 24)

    assert first_difference(changed(3, point_elsewhere)).kind is DifferenceKind.METADATA


def test_a_whole_forged_channel_with_the_same_names_is_another_channel() -> None:
    forged = build_chain()
    assert Verifier().verify([memory_source("forged", forged.blocks)]).verdict is (
        Verdict.CONSISTENT_NOT_ANCHORED
    )
    found = first_difference(forged.blocks)
    assert (found.kind, found.block) == (DifferenceKind.ANCHOR, 0)
    assert found.sentence == (
        "Block 0 is not the genesis block that the anchor names: this is another channel, whatever its names "
        f"say (anchor {CHAIN.anchor}, found {forged.anchor})."
    )


def test_a_forged_channel_behind_the_true_genesis_is_found_at_its_first_block() -> None:
    forged = build_chain()
    found = first_difference([CHAIN.blocks[0], *forged.blocks[1:]])
    assert (found.kind, found.block) == (DifferenceKind.PREVIOUS_HASH, 1)


def test_a_genesis_block_with_signatures_or_a_wrong_flag_is_found() -> None:
    assert first_difference(changed(0, lambda block: set_flags(block, b"\x01"))).kind is DifferenceKind.FLAGS

    def sign(block: Any) -> None:
        orderer = CHAIN.first.orderer
        sign_block(block, last_config=0, signer=orderer.signer, creator=orderer.identity, nonce=b"n" * 24)

    assert first_difference(changed(0, sign)).kind is DifferenceKind.METADATA
