"""Installed packages on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_embedded.errors import ChaincodeError
from fabric_embedded.lifecycle.package_store import PackageStore

IDS = ["a.b:" + "0" * 64, "other_1.0:" + "f" * 64]


def test_what_is_saved_is_there_for_the_next_engine(tmp_path: Path) -> None:
    directory = tmp_path / "packages"
    for package_id in reversed(IDS):
        PackageStore(directory).save(package_id, package_id.encode())
    store = PackageStore(directory)
    assert store.package_ids() == IDS
    assert [store.load(package_id) for package_id in IDS] == [package_id.encode() for package_id in IDS]


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    directory = tmp_path / "packages"
    PackageStore(directory).save(IDS[0], b"x")
    assert directory.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in directory.iterdir()] == [0o600]


def test_other_files_are_not_packages(tmp_path: Path) -> None:
    (tmp_path / "tmp123").write_bytes(b"half a package")
    (tmp_path / "x.tar.gz").write_bytes(b"x")
    assert PackageStore(tmp_path).package_ids() == []


@pytest.mark.parametrize("package_id", ["", "x", "../x:" + "0" * 64, IDS[1]])
def test_what_was_never_saved_is_not_there(tmp_path: Path, package_id: str) -> None:
    store = PackageStore(tmp_path)
    store.save(IDS[0], b"x")
    assert store.load(package_id) is None


def test_a_package_that_is_there_stays(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)
    store.save(IDS[0], b"first")
    store.save(IDS[0], b"second")
    assert store.load(IDS[0]) == b"first"


def test_a_full_or_missing_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ChaincodeError) as caught:
        PackageStore(tmp_path / "file").save(IDS[0], b"x")
    assert caught.value.code == "PACKAGE_UNWRITABLE"
    assert caught.value.message.startswith("could not save cc install package: ")


def test_a_label_too_long_for_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChaincodeError) as caught:
        PackageStore(tmp_path).save("a" * 300 + ":" + "0" * 64, b"x")
    assert caught.value.code == "PACKAGE_UNWRITABLE"
    assert list(tmp_path.iterdir()) == []
