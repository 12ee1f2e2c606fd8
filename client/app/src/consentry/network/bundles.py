"""An organization's part of a network on its own machine: written as a bundle, joined to the rest there."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from consentry.network.engines import native_network
from consentry.network.ledger_setup import own_services, prepare_ledger
from consentry.network.translation import translated
from fabric_native import Machine, NativeNetwork

_OWN_FILES = ("anchors/{}.txt", "wallets/{}", "custody/{}")


@translated()
def export_organization(
    directory: Path,
    organization: str,
    target: Path,
    *,
    at: Path | None = None,
    binaries: Path | None = None,
    python: Path | None = None,
) -> None:
    """Write what one organization needs to run its part of a network of real Fabric on its own machine.

    With it go its keys, its ledgers where it has any, its anchor, wallets and register of subjects; of the
    others only certificates go. The network is down meanwhile, and must not be started here again.

    Args:
        directory: The whole network's directory.
        organization: Short name, such as `northgate`.
        target: Directory of the bundle, new or empty.
        at: Where the bundle will lie on that machine; None is `target`.
        binaries: Directory of Fabric's binaries on that machine; None is where they are on this one.
        python: Interpreter that has Consentry installed on that machine; None is this one.

    Raises:
        ConsentryError: OPERATION_NEEDS_FABRIC, ORGANIZATION_UNKNOWN, DIRECTORY_IN_USE, NETWORK_RUNS,
            BUNDLE_NOT_WHOLE, BINARIES_MISSING.
    """
    network = native_network(directory)
    member = network.topology.organization(organization)
    machine = Machine(
        directory=(at or target).absolute(),
        binaries=binaries or network.binaries,
        python=python or Path(sys.executable),
    )
    network.export_bundle(member.name, target, machine, own_services(machine.directory, member))
    try:
        _copy_own_files(network, member.name, target)
    except BaseException:
        shutil.rmtree(target)
        raise


@translated()
def join_network(directory: Path, progress: Callable[[str], None]) -> None:
    """Have a bundle's nodes, started by systemd or containers, take part; returns when they can be used.

    Args:
        directory: The bundle.
        progress: Told what is being done, a line at a time.

    Raises:
        ConsentryError: OPERATION_NEEDS_FABRIC, OTHERS_MISSING, or what a node says.
    """
    network = native_network(directory)
    network.join(progress)
    prepare_ledger(network, progress, decides=False)


def _copy_own_files(network: NativeNetwork, name: str, target: Path) -> None:
    for path in (Path(pattern.format(name)) for pattern in _OWN_FILES):
        source = network.directory / path
        if source.is_dir():
            shutil.copytree(source, target / path)
        elif source.exists():
            (target / path.parent).mkdir(mode=0o700, exist_ok=True)
            shutil.copy(source, target / path)
