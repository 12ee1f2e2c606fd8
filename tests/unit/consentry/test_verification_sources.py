"""Block files in a directory."""

from pathlib import Path

import pytest

from consentry.verification import DirectorySource, IterableSource, VerificationError


def write(directory: Path, *names: str) -> None:
    for name in names:
        (directory / name).write_bytes(name.encode())


def test_files_come_by_number_and_others_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "000010.block", "000002.block", "notes.txt", "x.block", "peer-000003.block")
    source = DirectorySource(tmp_path)
    assert list(source.blocks()) == [b"000002.block", b"000010.block"]
    assert list(source.blocks(3)) == [b"000010.block"]
    assert source.name == str(tmp_path)
    assert list(DirectorySource(tmp_path, "peer", "peer-").blocks()) == [b"peer-000003.block"]


def test_a_directory_without_blocks_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        VerificationError, match=r"No NNNNNN\.block files in .*consentry network export-blocks"
    ) as caught:
        list(DirectorySource(tmp_path).blocks())
    assert caught.value.code == "BLOCKS_NOT_FOUND"


def test_two_files_of_one_number_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "01.block", "001.block")
    with pytest.raises(VerificationError, match="holds block 1 twice") as caught:
        list(DirectorySource(tmp_path).blocks())
    assert caught.value.code == "BLOCKS_AMBIGUOUS"


def test_any_reader_can_be_a_source() -> None:
    source = IterableSource("peer", lambda start: (bytes([number]) for number in range(start, 3)))
    assert list(source.blocks(1)) == [b"\x01", b"\x02"]
