"""Installing from a file that the user brought: nothing of a refused one is left, what was there stays."""

import fcntl
import os
from dataclasses import replace
from pathlib import Path

import pytest
from support.release_archives import regular, release_archive, release_of, script, write_archive

from fabric_native import InstallationError, find_binaries
from fabric_native.installing import FABRIC_CA, Release, install


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return release_archive(tmp_path / "brought.tar.gz")


@pytest.fixture
def release(archive: Path) -> Release:
    return release_of(archive.read_bytes())


def test_the_executables_are_where_they_are_looked_for(
    tmp_path: Path, archive: Path, release: Release
) -> None:
    directory = tmp_path / "data" / "consentry" / "fabric-3.1.5"
    done = install(release, directory, archive=archive)
    assert [binary.version for binary in done.binaries] == ["3.1.5", "3.1.5"]
    found = find_binaries(environment={"XDG_DATA_HOME": str(tmp_path / "data")})
    assert found.peer == done.binaries[0]
    assert sorted(path.name for path in directory.iterdir()) == ["bin", "config"]


def test_installing_again_replaces(tmp_path: Path, archive: Path, release: Release) -> None:
    directory = tmp_path / "target"
    install(release, directory, archive=archive)
    (directory / "bin/peer").write_text("damaged")
    install(release, directory, archive=archive)
    assert (directory / "bin/peer").read_bytes() == script("3.1.5")


def test_a_wrong_digest_is_refused_and_nothing_is_made(
    tmp_path: Path, archive: Path, release: Release
) -> None:
    wrong = replace(release, sha256="0" * 64)
    with pytest.raises(InstallationError) as caught:
        install(wrong, tmp_path / "target", archive=archive)
    assert caught.value.code == "DIGEST_WRONG"
    assert release.sha256 is not None
    assert release.sha256 in str(caught.value)
    assert not (tmp_path / "target").exists()


def test_an_archive_of_another_version_is_refused_and_the_old_one_stays(
    tmp_path: Path, archive: Path, release: Release
) -> None:
    directory = tmp_path / "target"
    install(release, directory, archive=archive)
    other = release_archive(tmp_path / "other.tar.gz", "2.5.9")
    with pytest.raises(InstallationError) as caught:
        install(release_of(other.read_bytes()), directory, archive=other)
    assert caught.value.code == "ARCHIVE_UNFIT"
    assert "2.5.9" in str(caught.value)
    assert (directory / "bin/peer").read_bytes() == script("3.1.5")
    assert sorted(path.name for path in directory.iterdir()) == ["bin", "config"]


def test_a_hostile_archive_with_the_right_digest_leaves_nothing(tmp_path: Path) -> None:
    hostile = write_archive(
        tmp_path / "hostile.tar.gz", [regular("bin/peer", b"x"), regular("../evil", b"x")]
    )
    with pytest.raises(InstallationError) as caught:
        install(release_of(hostile.read_bytes()), tmp_path / "target", archive=hostile)
    assert caught.value.code == "ARCHIVE_REFUSED"
    assert [path.name for path in tmp_path.iterdir()] == ["hostile.tar.gz"]


def test_fabric_ca_is_taken_with_the_digest_that_the_user_states(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "ca.tar.gz", [regular("bin/fabric-ca-server", script("1.5.21"))])
    digest = release_of(archive.read_bytes()).sha256
    release = Release(FABRIC_CA, "1.5.21", "linux-amd64", None)
    done = install(release, tmp_path / "target", archive=archive, sha256=digest)
    assert [binary.name for binary in done.binaries] == ["fabric-ca-server"]
    with pytest.raises(InstallationError) as caught:
        install(release, tmp_path / "target", archive=archive)
    assert caught.value.code == "DIGEST_UNKNOWN"


def test_a_missing_archive_is_named(tmp_path: Path, release: Release) -> None:
    with pytest.raises(InstallationError, match="nowhere") as caught:
        install(release, tmp_path / "target", archive=tmp_path / "nowhere.tar.gz")
    assert caught.value.code == "ARCHIVE_MISSING"
    assert not (tmp_path / "target").exists()


def test_two_installations_do_not_mix(tmp_path: Path, archive: Path, release: Release) -> None:
    directory = tmp_path / "target"
    directory.mkdir()
    handle = os.open(directory, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(InstallationError) as caught:
            install(release, directory, archive=archive)
    finally:
        os.close(handle)
    assert caught.value.code == "INSTALLATION_BUSY"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, archive: Path, release: Release) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InstallationError, match="file") as caught:
        install(release, tmp_path / "file" / "target", archive=archive)
    assert caught.value.code == "DIRECTORY_UNWRITABLE"
