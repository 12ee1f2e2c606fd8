"""Finding Fabric's binaries: small scripts stand in for them, for the search is under test, not Fabric."""

from pathlib import Path

import pytest

from fabric_native import BinariesNotFoundError, find_binaries, find_binary, user_directory


def _install(directory: Path, name: str, output: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\nprintf '{output}'\n")
    path.chmod(0o755)
    return path


def _install_both(directory: Path, output: str) -> None:
    for name in ("peer", "orderer"):
        _install(directory, name, output)


def test_the_named_directory_comes_before_path(tmp_path: Path) -> None:
    _install_both(tmp_path / "named", "peer:\\n Version: v3.1.5\\n")
    _install_both(tmp_path / "path", "peer:\\n Version: 3.1.5\\n")
    found = find_binaries(tmp_path / "named", environment={"PATH": str(tmp_path / "path")})
    assert found.peer.path == tmp_path / "named" / "peer"
    assert found.orderer.version == "3.1.5"


def test_the_per_user_directory_is_the_last_place(tmp_path: Path) -> None:
    place = tmp_path / ".local" / "share" / "consentry" / "fabric-3.1.5" / "bin"
    _install_both(place, " Version: 3.1.5\\n")
    assert find_binaries(environment={"HOME": str(tmp_path)}).peer.path == place / "peer"


def test_a_missing_binary_is_named_with_every_place(tmp_path: Path) -> None:
    _install(tmp_path / "path", "peer", " Version: 3.1.5\\n")
    with pytest.raises(BinariesNotFoundError, match="orderer") as caught:
        find_binaries(tmp_path / "named", environment={"PATH": str(tmp_path / "path")})
    assert caught.value.code == "BINARIES_MISSING"
    assert str(tmp_path / "named") in str(caught.value)
    assert str(tmp_path / "path") in str(caught.value)


@pytest.mark.parametrize("output", ["Version: 2.5.9\\n", "", "Version: development build\\n"])
def test_another_version_is_refused_with_what_it_answered(tmp_path: Path, output: str) -> None:
    _install_both(tmp_path, output)
    with pytest.raises(BinariesNotFoundError) as caught:
        find_binaries(tmp_path, environment={})
    assert caught.value.code == "VERSION_UNFIT"


def test_a_fit_one_further_on_is_taken(tmp_path: Path) -> None:
    _install_both(tmp_path / "old", "Version: 2.5.9\\n")
    _install_both(tmp_path / "new", "Version: 3.1.5\\n")
    environment = {"PATH": f"{tmp_path / 'old'}:{tmp_path / 'new'}"}
    assert find_binaries(environment=environment).peer.path == tmp_path / "new" / "peer"


def test_a_fabric_ca_has_a_version_of_its_own(tmp_path: Path) -> None:
    _install(tmp_path, "fabric-ca-server", " Version: 1.5.21\\n")
    assert find_binary("fabric-ca-server", tmp_path, environment={}).version == "1.5.21"
    with pytest.raises(BinariesNotFoundError, match="consentry network install-fabric"):
        find_binary("peer", tmp_path, environment={})


def test_the_per_user_directory_follows_the_environment(tmp_path: Path) -> None:
    assert user_directory({"HOME": "/home/a"}) == Path("/home/a/.local/share/consentry/fabric-3.1.5")
    assert user_directory({"XDG_DATA_HOME": "/data", "HOME": "/home/a"}) == Path(
        "/data/consentry/fabric-3.1.5"
    )
    assert user_directory({}) is None
