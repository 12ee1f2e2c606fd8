"""Downloading a release from a local server that drops connections and answers wrongly."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.faulty_server import FaultyServer, serving
from support.release_archives import release_archive, release_of

from fabric_native import InstallationError
from fabric_native.installing import Installed, install
from fabric_native.installing import installation as installation_module
from fabric_native.installing.download import download


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return release_archive(tmp_path / "release.tar.gz").read_bytes()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    def quick(url: str, target: Path, progress: Callable[[int, int | None], None]) -> None:
        download(url, target, progress, pause=0.001)

    monkeypatch.setattr(installation_module, "download", quick)


def _install(server: FaultyServer, directory: Path, seen: list[tuple[int, int | None]]) -> Installed:
    return install(
        release_of(server.content),
        directory,
        mirror=server.url,
        progress=lambda done, total: seen.append((done, total)),
    )


def test_a_download_shows_its_progress_and_leaves_only_the_release(tmp_path: Path, content: bytes) -> None:
    seen: list[tuple[int, int | None]] = []
    with serving(content) as server:
        done = _install(server, tmp_path / "target", seen)
    assert done.binaries[0].version == "3.1.5"
    assert seen[0] == (0, len(content))
    assert seen[-1] == (len(content), len(content))
    assert sorted(path.name for path in (tmp_path / "target").iterdir()) == ["bin", "config"]


@pytest.mark.parametrize(
    "faults",
    [
        ("drop",),
        ("drop", "drop", "drop"),
        ("error", "error"),
        ("drop", "ignore-range"),
        ("drop", "wrong-range"),
        ("drop", "no-range-header"),
        ("drop", "past-end"),
        ("drop", "error", "drop"),
    ],
    ids=" ".join,
)
def test_faults_on_the_way_do_not_matter(tmp_path: Path, content: bytes, faults: tuple[str, ...]) -> None:
    with serving(content, *faults) as server:
        done = _install(server, tmp_path / "target", [])
    assert done.binaries[0].version == "3.1.5"


def test_after_a_dropped_connection_only_the_rest_is_asked_for(tmp_path: Path, content: bytes) -> None:
    with serving(content, "drop") as server:
        _install(server, tmp_path / "target", [])
    assert server.ranges == [None, f"bytes={len(content) // 2}-"]
    assert server.sent == len(content)


def test_a_later_run_goes_on_where_an_earlier_one_failed(tmp_path: Path, content: bytes) -> None:
    directory = tmp_path / "target"
    with serving(content, "drop", *["error"] * 4) as server:
        with pytest.raises(InstallationError) as caught:
            _install(server, directory, [])
        assert caught.value.code == "DOWNLOAD_FAILED"
        assert "next run" in str(caught.value)
        _install(server, directory, [])
    assert server.ranges[-1] == f"bytes={len(content) // 2}-"
    assert server.sent == len(content)


def test_a_run_that_was_stopped_after_the_last_byte_asks_only_whether_it_was_the_last(
    tmp_path: Path, content: bytes
) -> None:
    release = release_of(content)
    downloads = tmp_path / "target" / "downloads"
    downloads.mkdir(parents=True)
    (downloads / release.file_name).write_bytes(content)
    with serving(content) as server:
        _install(server, tmp_path / "target", [])
    assert server.sent == 0


def test_a_wrong_digest_is_refused_and_nothing_is_left(tmp_path: Path, content: bytes) -> None:
    altered = content[:-1] + bytes([content[-1] ^ 1])
    with serving(altered) as server, pytest.raises(InstallationError) as caught:
        install(release_of(content), tmp_path / "target", mirror=server.url)
    assert caught.value.code == "DIGEST_WRONG"
    assert not (tmp_path / "target").exists()


def test_a_wrong_part_from_an_earlier_run_is_not_kept_for_ever(tmp_path: Path, content: bytes) -> None:
    release = release_of(content)
    downloads = tmp_path / "target" / "downloads"
    downloads.mkdir(parents=True)
    (downloads / release.file_name).write_bytes(b"something else")
    with serving(content) as server:
        with pytest.raises(InstallationError, match="deleted"):
            _install(server, tmp_path / "target", [])
        _install(server, tmp_path / "target", [])


def test_a_missing_file_is_not_asked_for_again(tmp_path: Path, content: bytes) -> None:
    with serving(content, "missing") as server, pytest.raises(InstallationError, match="404") as caught:
        _install(server, tmp_path / "target", [])
    assert caught.value.code == "DOWNLOAD_FAILED"
    assert len(server.ranges) == 1
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    "mirror", ["http://127.0.0.1:1", "ftp://127.0.0.1/fabric", "http://[half", "nothing"]
)
def test_an_address_that_does_not_answer_is_one_sentence(tmp_path: Path, content: bytes, mirror: str) -> None:
    with pytest.raises(InstallationError) as caught:
        install(release_of(content), tmp_path / "target", mirror=mirror)
    assert caught.value.code == "DOWNLOAD_FAILED"
    assert not (tmp_path / "target").exists()


def test_without_a_known_digest_nothing_is_asked_for(tmp_path: Path, content: bytes) -> None:
    with serving(content) as server, pytest.raises(InstallationError) as caught:
        install(replace(release_of(content), sha256=None), tmp_path / "target", mirror=server.url)
    assert caught.value.code == "DIGEST_UNKNOWN"
    assert server.ranges == []
