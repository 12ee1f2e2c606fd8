"""Which archive fits this platform, and which digest it must have."""

import pytest

from fabric_native import InstallationError
from fabric_native.installing import FABRIC, FABRIC_CA, release_for

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", "linux-amd64"),
        ("Linux", "aarch64", "linux-arm64"),
        ("Darwin", "arm64", "darwin-arm64"),
        ("Darwin", "x86_64", "darwin-amd64"),
    ],
)
def test_fabric_is_pinned_for_every_platform_that_it_is_released_for(
    system: str, machine: str, name: str
) -> None:
    release = release_for(FABRIC, system=system, machine=machine)
    assert release.file_name == f"hyperledger-fabric-{name}-3.1.5.tar.gz"
    assert release.expected_digest(None) == release.sha256
    assert len(release.sha256 or "") == 64


@pytest.mark.parametrize(
    ("system", "machine"), [("Windows", "AMD64"), ("Linux", "riscv64"), ("Linux", "s390x")]
)
def test_other_platforms_are_refused(system: str, machine: str) -> None:
    with pytest.raises(InstallationError) as caught:
        release_for(FABRIC, system=system, machine=machine)
    assert caught.value.code == "PLATFORM_UNSUPPORTED"


def test_of_fabric_ca_no_digest_is_known_so_the_user_states_it() -> None:
    release = release_for(FABRIC_CA, system="Linux", machine="x86_64")
    assert release.file_name == "hyperledger-fabric-ca-linux-amd64-1.5.21.tar.gz"
    with pytest.raises(InstallationError) as caught:
        release.expected_digest(None)
    assert caught.value.code == "DIGEST_UNKNOWN"
    assert release.expected_digest(f" sha256:{DIGEST.upper()}\n") == DIGEST


def test_a_stated_digest_never_overrides_a_pinned_one() -> None:
    release = release_for(FABRIC, system="Linux", machine="x86_64")
    assert release.expected_digest(release.sha256) == release.sha256
    with pytest.raises(InstallationError) as caught:
        release.expected_digest(DIGEST)
    assert caught.value.code == "DIGEST_DISAGREES"


@pytest.mark.parametrize("stated", ["", "abc", "zz" * 32, "ab" * 33])
def test_what_is_no_digest_is_refused(stated: str) -> None:
    with pytest.raises(InstallationError) as caught:
        release_for(FABRIC_CA, system="Linux", machine="x86_64").expected_digest(stated)
    assert caught.value.code == "DIGEST_MALFORMED"
