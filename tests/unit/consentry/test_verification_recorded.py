"""The verifier on blocks recorded from a real SmartBFT network (tests/fixtures/fabric-bft)."""

from pathlib import Path

import pytest

from consentry.verification import DifferenceKind, DirectorySource, Verdict, Verifier, memory_source

FIXTURES = Path(__file__).parents[2] / "fixtures" / "fabric-bft"
ANCHOR = "7b6727f85b0147f11bd7f511eebc605c1e1658b7c474eea1da9695a8b184887f"


@pytest.fixture(scope="module")
def blocks() -> list[bytes]:
    return list(DirectorySource(FIXTURES, prefix="peer-").blocks())


def test_real_blocks_are_proved_from_their_anchor() -> None:
    source = DirectorySource(FIXTURES, "Org1's peer", prefix="peer-")
    result = Verifier().verify([source], ANCHOR)
    assert result.verdict is Verdict.PROVED
    assert result.sentence == (
        f"15 blocks with 36 transactions of channel mychannel are proved from the anchor {ANCHOR}."
    )
    assert result.codes == {"VALID": 34, "MVCC_READ_CONFLICT": 1, "ENDORSEMENT_POLICY_FAILURE": 1}
    assert result.invalid_transactions == 2


def test_without_an_anchor_the_same_blocks_are_only_consistent(blocks: list[bytes]) -> None:
    result = Verifier().verify([memory_source("Org1's peer", blocks)])
    assert result.verdict is Verdict.CONSISTENT_NOT_ANCHORED
    assert result.sentence.startswith(
        "15 blocks with 36 transactions of channel mychannel are consistent, not"
    )
    assert result.genesis_hash == ANCHOR


def test_copies_of_two_organizations_may_differ_in_signatures_but_not_in_content(blocks: list[bytes]) -> None:
    other = (FIXTURES / "peer-org2-06.block").read_bytes()
    assert other != blocks[6]
    theirs = [*blocks[:6], other, *blocks[7:]]
    result = Verifier().verify([memory_source("Org1", blocks), memory_source("Org2", theirs)], ANCHOR)
    assert result.verdict is Verdict.PROVED
    assert [source.blocks for source in result.sources] == [15, 15]


def test_blocks_as_an_orderer_delivers_them_prove_no_validity(blocks: list[bytes]) -> None:
    ordered = (FIXTURES / "orderer-05.block").read_bytes()
    result = Verifier().verify([memory_source("orderer", [*blocks[:5], ordered])], ANCHOR)
    first = result.first_difference
    assert first is not None
    assert first.kind is DifferenceKind.FLAGS
    assert first.sentence == "Block 5 has 0 validation flags for 2 transactions."


@pytest.mark.parametrize("number", [3, 7, 12])
def test_a_bft_block_with_a_signature_cut_off_lacks_its_quorum(blocks: list[bytes], number: int) -> None:
    from fabric_protos.common import common_pb2

    block = common_pb2.Block.FromString(blocks[number])
    metadata = common_pb2.Metadata.FromString(block.metadata.metadata[0])
    del metadata.signatures[0]
    block.metadata.metadata[0] = metadata.SerializeToString()
    blocks = [*blocks[:number], block.SerializeToString(), *blocks[number + 1 :]]
    first = Verifier().verify([memory_source("peer", blocks)], ANCHOR).first_difference
    assert first is not None
    assert (first.kind, first.block) == (DifferenceKind.ORDERER_SIGNATURE, number)


def test_a_missing_file_is_a_missing_block(tmp_path: Path, blocks: list[bytes]) -> None:
    for number, data in enumerate(blocks):
        if number != 9:
            (tmp_path / f"{number:06d}.block").write_bytes(data)
    result = Verifier().verify([DirectorySource(tmp_path, "copy")], ANCHOR)
    assert result.sentence == "copy: Block 9 is missing: block 10 stands in its place."
    assert result.blocks == 9
