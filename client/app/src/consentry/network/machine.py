"""Prepare a machine for the Fabric engine: look at it, and install Fabric's official releases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from consentry.errors import ConfigurationError
from consentry.network.translation import translated
from fabric_native import Finding, State, examine, user_directory
from fabric_native.installing import FABRIC, FABRIC_CA, Installed, install, release_for


def examine_machine(directory: Path, binaries: Path | None = None) -> tuple[list[Finding], bool]:
    """Look at everything that the Fabric engine needs of this machine; nothing is started or written.

    Args:
        directory: Where the network is to live; it need not exist.
        binaries: Where Fabric's binaries are looked for first.

    Returns:
        The findings, and whether the Fabric engine can run here.
    """
    findings = examine(directory, binaries=binaries)
    return findings, all(finding.state is not State.FAILED for finding in findings)


@translated()
def install_fabric(
    *,
    authority: bool = False,
    archive: Path | None = None,
    sha256: str | None = None,
    mirror: str | None = None,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Installed:
    """Install the official release of Fabric, or of Fabric CA, for this user.

    Args:
        authority: Fabric CA instead of Fabric.
        archive: The release archive, already on this machine.
        sha256: The archive's digest where none is pinned.
        mirror: Address of a directory to download from.
        progress: Told of bytes done and, where known, of the total.

    Raises:
        ConsentryError: HOME_UNKNOWN, or as :func:`fabric_native.installing.install`.
    """
    directory = user_directory()
    if directory is None:
        raise ConfigurationError("HOME_UNKNOWN", "neither HOME nor XDG_DATA_HOME is set; set one of them")
    release = release_for(FABRIC_CA if authority else FABRIC)
    return install(release, directory, archive=archive, sha256=sha256, mirror=mirror, progress=progress)
