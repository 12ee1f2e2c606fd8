"""Against Fabric's own binaries, where they are found."""

from collections.abc import Callable

from fabric_native import find_binaries


def test_the_official_binaries_tell_the_version_that_we_expect(optional_tool: Callable[[str], str]) -> None:
    optional_tool("fabric-binaries")
    assert find_binaries().orderer.version == "3.1.5"
