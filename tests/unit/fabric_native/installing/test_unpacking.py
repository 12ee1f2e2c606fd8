"""Only files and directories of a release come out of an archive, and only below the target."""

import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.release_archives import regular, release_archive, write_archive

from fabric_native import InstallationError
from fabric_native.installing.unpacking import unpack


def _special(kind: bytes, name: str, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def test_files_keep_their_content_and_whether_they_can_be_run(tmp_path: Path) -> None:
    unpack(release_archive(tmp_path / "a.tar.gz"), tmp_path / "out")
    assert (tmp_path / "out/bin/peer").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/config/core.yaml").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "out/config/core.yaml").read_bytes() == b"peer: {}\n"


@pytest.mark.parametrize(
    "member",
    [
        regular("../evil", b"x"),
        regular("bin/../../evil", b"x"),
        regular("/evil", b"x"),
        regular("bin\\..\\evil", b"x"),
        regular("home/evil", b"x"),
        _special(tarfile.SYMTYPE, "bin/peer", "/etc/passwd"),
        _special(tarfile.LNKTYPE, "bin/peer", "../../etc/passwd"),
        _special(tarfile.CHRTYPE, "bin/device"),
        _special(tarfile.BLKTYPE, "bin/device"),
        _special(tarfile.FIFOTYPE, "bin/pipe"),
    ],
    ids=lambda member: f"{member[0].type!r} {member[0].name}",
)
def test_what_leads_out_or_is_no_file_is_refused(
    tmp_path: Path, member: tuple[tarfile.TarInfo, bytes]
) -> None:
    target = tmp_path / "deep" / "out"
    with pytest.raises(InstallationError) as caught:
        unpack(write_archive(tmp_path / "a.tar.gz", [member]), target)
    assert caught.value.code == "ARCHIVE_REFUSED"
    assert not target.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz"]


def test_a_member_that_comes_twice_is_refused(tmp_path: Path) -> None:
    twice = [regular("bin/peer", b"one"), regular("bin/./peer", b"two")]
    with pytest.raises(InstallationError, match="twice"):
        unpack(write_archive(tmp_path / "a.tar.gz", twice), tmp_path / "out")
    assert (tmp_path / "out/bin/peer").read_bytes() == b"one"


def test_an_archive_with_too_many_members_is_refused(tmp_path: Path) -> None:
    many = [regular(f"bin/{number}", b"") for number in range(2_001)]
    with pytest.raises(InstallationError, match="2000 members"):
        unpack(write_archive(tmp_path / "a.tar.gz", many), tmp_path / "out")


@given(st.integers(min_value=0), st.integers(0, 255))
def test_a_damaged_archive_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, where: int, value: int
) -> None:
    room = tmp_path_factory.mktemp("damaged")
    path = write_archive(room / "a.tar.gz", [regular("bin/peer", b"content" * 9)])
    content = bytearray(path.read_bytes())
    content[where % len(content)] = value
    path.write_bytes(content)
    try:
        unpack(path, room / "out")
        refused = None
    except InstallationError as error:
        refused = error.code
    assert refused in (None, "ARCHIVE_REFUSED")
    assert {path.name for path in room.iterdir()} <= {"a.tar.gz", "out"}


def test_no_archive_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"<html>not found</html>")
    with pytest.raises(InstallationError) as caught:
        unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    assert caught.value.code == "ARCHIVE_REFUSED"
