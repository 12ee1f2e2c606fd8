"""Going on from a checkpoint: the same outcome as from block 0, and no file of another chain or content."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.chains import Chain, Effects

from consentry.errors import ConfigurationError
from consentry.verification import (
    DifferenceKind,
    Verdict,
    VerificationError,
    VerificationResult,
    Verifier,
    memory_source,
    read_checkpoint,
    write_checkpoint,
)
from fabric_protocol.policy_building import signed_by_n_of

COLLECTION = "_implicit_org_LakesideMSP"


def build_chain() -> Chain:
    chain = Chain()
    policy = signed_by_n_of(1, ["LakesideMSP"], role="peer")
    chain.commit([chain.transaction(Effects(writes={"a": b"1", "b": b"2"}, policies={"b": policy}))])
    chain.commit(
        [chain.transaction(Effects(private_hashes={(COLLECTION, "key"): b"value"}, writes={"ü": b""}))]
    )
    chain.commit([chain.transaction(Effects(writes={"a": b"3"}, reads=["a"]))])
    # Its key-level policy, set long before, decides.
    chain.commit([chain.transaction(Effects(writes={"b": b"3"}))])
    chain.commit([chain.transaction(Effects(writes={"a": b"4"}, reads=["a", "ü"]))])
    return chain


CHAIN = build_chain()


def kept(path: Path, height: int, chain: Chain = CHAIN) -> Path:
    verifier = Verifier()
    verifier.verify([memory_source("peer", chain.blocks[:height])], chain.anchor)
    write_checkpoint(path, verifier.part)
    return path


def go_on(path: Path, *copies: list[bytes], anchor: str | None = CHAIN.anchor) -> VerificationResult:
    sources = [memory_source(f"peer {index}", blocks) for index, blocks in enumerate(copies)]
    return Verifier().verify(sources, anchor, begin=read_checkpoint(path))


@pytest.mark.parametrize("height", range(1, len(CHAIN.blocks) + 1))
def test_the_outcome_is_that_of_a_verification_from_block_0(tmp_path: Path, height: int) -> None:
    whole = Verifier().verify([memory_source("peer 0", CHAIN.blocks)], CHAIN.anchor)
    result = go_on(kept(tmp_path / "kept", height), CHAIN.blocks)
    assert result.verdict is Verdict.PROVED
    assert result.resumed_at == height
    assert f"(the first {height} by an earlier verification)" in result.sentence
    assert (result.blocks, result.codes, result.last_header_hash, result.sources) == (
        whole.blocks,
        whole.codes,
        whole.last_header_hash,
        whole.sources,
    )


def test_one_run_after_another_leaves_the_same_file(tmp_path: Path) -> None:
    verifier, path = Verifier(), tmp_path / "kept"
    for height in (2, 4, len(CHAIN.blocks)):
        verifier.verify(
            [memory_source("peer", CHAIN.blocks[:height])], CHAIN.anchor, begin=read_checkpoint(path)
        )
        write_checkpoint(path, verifier.part)
    assert path.read_bytes() == kept(tmp_path / "at once", len(CHAIN.blocks)).read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()].count("kept") == 1


def test_there_is_nothing_to_read_at_first(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / "none") is None


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = kept(tmp_path_factory.mktemp("kept") / "kept", 4)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(VerificationError, match="CHECKPOINT_DAMAGED"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"format":1}\n["digest"]\n', b"\xff"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kept"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(VerificationError, match="CHECKPOINT_DAMAGED"):
        read_checkpoint(path)


def test_a_cut_or_lengthened_file_is_refused(tmp_path: Path) -> None:
    path = kept(tmp_path / "kept", 4)
    lines = path.read_bytes().splitlines(keepends=True)
    for changed in (lines[:-1], lines[1:], [*lines, lines[-1]], [lines[0], *lines[2:]]):
        path.write_bytes(b"".join(changed))
        with pytest.raises(VerificationError, match="CHECKPOINT_DAMAGED"):
            read_checkpoint(path)


def test_a_file_that_others_may_use_is_refused(tmp_path: Path) -> None:
    path = kept(tmp_path / "kept", 4)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="PATH_EXPOSED"):
        read_checkpoint(path)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    verifier = Verifier()
    verifier.verify([memory_source("peer", CHAIN.blocks)], CHAIN.anchor)
    with pytest.raises(VerificationError, match="CHECKPOINT_UNWRITABLE"):
        write_checkpoint(tmp_path / "missing" / "kept", verifier.part)
    assert list(tmp_path.iterdir()) == []


def test_another_channels_checkpoint_is_refused(tmp_path: Path) -> None:
    path = kept(tmp_path / "kept", 3, Chain())
    with pytest.raises(VerificationError, match="ANCHOR_MISMATCH"):
        go_on(path, CHAIN.blocks)
    with pytest.raises(VerificationError, match="CHECKPOINT_FOREIGN"):
        go_on(path, CHAIN.blocks, anchor=None)


def test_a_copy_that_was_exchanged_since_is_named(tmp_path: Path) -> None:
    """Two chains from one genesis, both signed: the copy that is not the one proved before is at fault."""
    path = kept(tmp_path / "kept", 5)
    other = Chain.copy(CHAIN, 4)
    other.write({"elsewhere": b"1"})
    other.write({"elsewhere": b"2"})
    result = go_on(path, CHAIN.blocks, other.blocks)
    assert result.first_difference is not None
    assert (result.first_difference.kind, result.first_difference.source) == (DifferenceKind.FORK, "peer 1")
    assert result.first_difference.block == 4
    assert result.sources[0].difference is None
    with pytest.raises(VerificationError, match="CHECKPOINT_FOREIGN"):
        go_on(path, other.blocks)


def test_a_copy_that_is_shorter_than_before_is_named(tmp_path: Path) -> None:
    result = go_on(kept(tmp_path / "kept", 5), CHAIN.blocks[:3])
    assert result.first_difference is not None
    assert result.first_difference.kind is DifferenceKind.ENDS_EARLY
    assert "an earlier verification reached block 4" in result.sentence


def test_a_copy_with_another_commit_hash_is_named(tmp_path: Path) -> None:
    """The commit hash stands for all flags and updates before: a peer that committed others is found."""
    block = CHAIN.block(4)
    block.metadata.metadata[4] = block.metadata.metadata[4][:-1] + b"\x00"
    blocks = [*CHAIN.blocks[:4], block.SerializeToString(), *CHAIN.blocks[5:]]
    result = go_on(kept(tmp_path / "kept", 5), blocks)
    assert result.first_difference is not None
    assert result.first_difference.kind is DifferenceKind.COMMIT_HASH


def test_a_transaction_of_the_earlier_part_cannot_be_used_again(tmp_path: Path) -> None:
    chain = Chain.copy(CHAIN, 4)
    chain.commit([chain.block(2).data.data[0]])
    result = go_on(kept(tmp_path / "kept", 4), chain.blocks)
    assert result.verdict is Verdict.PROVED
    assert result.codes["DUPLICATE_TXID"] == 1


def test_an_anchor_may_be_given_later(tmp_path: Path) -> None:
    path = kept(tmp_path / "kept", 4)
    assert go_on(path, CHAIN.blocks, anchor=None).verdict is Verdict.CONSISTENT_NOT_ANCHORED
    assert go_on(path, CHAIN.blocks).verdict is Verdict.PROVED


def test_the_file_names_what_it_belongs_to(tmp_path: Path) -> None:
    header = json.loads(kept(tmp_path / "kept", 4).read_bytes().splitlines()[0])
    assert header["channel"] == CHAIN.channel
    assert header["position"]["next_block"] == 4
