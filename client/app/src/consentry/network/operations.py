"""Bring a network up, look at it, take it down, destroy it, and read its stored blocks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from consentry.errors import ConfigurationError, ConsentryError
from consentry.network.anchors import keep_anchor
from consentry.network.engines import (
    EMBEDDED,
    PROFILE,
    Network,
    create_network,
    engine_of,
    load_network,
    require_engine,
)
from consentry.network.ledger_setup import prepare_ledger
from consentry.network.presets import preset as named_preset
from consentry.network.topology_file import read_topology
from consentry.network.translation import translated
from fabric_embedded import read_blocks
from fabric_native import NativeNetwork
from fabric_operator.node_status import NodeStatus

_OWN_DIRECTORIES = ("anchors", "custody", "wallets")


@translated()
def bring_up(
    directory: Path,
    preset: str = "consortium",
    progress: Callable[[str], None] = lambda message: None,
    engine: str | None = None,
    *,
    topology: Path | None = None,
    binaries: Path | None = None,
) -> None:
    """Create the network if the directory has none, start it, and prepare its ledger; idempotent.

    Afterwards the regulator has written the ledger's settings, every hospital's decision service runs, and
    every organization's anchor (the genesis header's hash) is kept in `anchors/`.

    Args:
        directory: Where the network lives; made when absent.
        preset: Name of the topology for a new network, see :data:`consentry.network.presets.PRESETS`.
        progress: Told what is being done, a line at a time.
        engine: `embedded` or `fabric`; None is the engine of the network that is there, else `embedded`.
        topology: A file with one's own topology for a new network, in place of a preset.
        binaries: Where Fabric's binaries are looked for first.

    Raises:
        ConsentryError: PRESET_UNKNOWN, ENGINE_UNKNOWN, ENGINE_DIFFERS, or what the engine says.
    """
    if engine is not None:
        require_engine(engine)
    is_new = not (directory / PROFILE).exists()
    if is_new:
        network = _create(directory, preset, progress, engine, topology, binaries)
    else:
        _require_same_engine(directory, engine)
        network = load_network(directory)
    try:
        network.up(progress)
    except BaseException:
        if is_new:
            # The CAs that issued its certificates have been running since.
            network.down()
        raise
    prepare_ledger(network, progress)


@translated()
def create(
    directory: Path,
    preset: str = "consortium",
    progress: Callable[[str], None] = lambda message: None,
    engine: str | None = None,
    *,
    topology: Path | None = None,
    binaries: Path | None = None,
) -> None:
    """Make a network without starting it: keys, certificates, genesis block; see :func:`bring_up`.

    Raises:
        ConsentryError: NETWORK_EXISTS, PRESET_UNKNOWN, ENGINE_UNKNOWN, or what the engine says.
    """
    network = _create(directory, preset, progress, engine, topology, binaries)
    # The CAs that issued its certificates have been running since.
    network.down()


def _create(
    directory: Path,
    preset: str,
    progress: Callable[[str], None],
    engine: str | None,
    topology: Path | None,
    binaries: Path | None,
) -> Network:
    wanted = named_preset(preset) if topology is None else read_topology(topology)
    network = create_network(directory, wanted, engine or EMBEDDED, progress, binaries)
    _keep_anchors(network)
    return network


@translated()
def take_down(directory: Path) -> None:
    """Stop every process of the network; its files stay."""
    load_network(directory).down()


@translated()
def destroy(directory: Path) -> None:
    """Stop every process of the network and remove its files: ledger, keys, wallets, registers, anchors.

    What others put into the directory, reports for instance, stays.
    """
    load_network(directory).destroy()
    for name in _OWN_DIRECTORIES:
        shutil.rmtree(directory / name, ignore_errors=True)
    for path in directory.glob("index.sqlite*"):
        path.unlink()
    with suppress(OSError):
        directory.rmdir()


@translated()
def status(directory: Path) -> list[NodeStatus]:
    """What runs and what does not."""
    return load_network(directory).status()


@translated()
def restart_chaincode(directory: Path, organization: str, command: Sequence[str] | None = None) -> None:
    """Replace an organization's chaincode service, by the topology's own where no `command` is given.

    An organization can do this by itself in Fabric, too: chaincode is its own process. The demo uses it to
    play an organization whose chaincode was altered.
    """
    network = load_network(directory)
    network.stop_chaincode(organization)
    network.start_chaincode(organization, command)


@translated()
def export_blocks(directory: Path, target: Path) -> int:
    """Write the stored blocks as they are to `target`/NNNNNN.block.

    The embedded engine need not run; of real Fabric the first organization's peer must.

    Returns:
        int: How many blocks were written.
    """
    target.mkdir(parents=True, exist_ok=True)
    number = 0
    for number, data in enumerate(_stored_blocks(directory), start=1):
        (target / f"{number - 1:06d}.block").write_bytes(data)
    return number


def _stored_blocks(directory: Path) -> Iterator[bytes]:
    if (directory / PROFILE).exists():
        network = load_network(directory)
        if isinstance(network, NativeNetwork):
            return network.read_blocks()
    ledger = directory / "ledger"
    if not ledger.is_dir():
        raise ConfigurationError("LEDGER_MISSING", f"{ledger} does not exist; name a network's directory")
    return read_blocks(ledger)


def _require_same_engine(directory: Path, engine: str | None) -> None:
    found = engine_of(directory)
    if engine not in (None, found):
        raise ConsentryError(
            "ENGINE_DIFFERS",
            f"{directory} holds a network of the {found} engine, {engine} was asked for: name another "
            "directory, or leave --engine out",
        )


def _keep_anchors(network: Network) -> None:
    """Each organization keeps the genesis header's hash outside the ledger (DESIGN §9)."""
    for organization in network.topology.organizations:
        keep_anchor(network.directory, organization.name, network.anchor())
