"""Bring a network up, look at it, take it down, destroy it, and read its stored blocks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from consentry.errors import ConfigurationError, ConsentryError
from consentry.network.ledger_setup import prepare_ledger
from consentry.network.presets import preset as named_preset
from consentry.network.translation import translated
from fabric_embedded import EmbeddedNetwork, NodeStatus, read_blocks
from fabric_native import BinariesNotFoundError, find_binaries

EMBEDDED = "embedded"
FABRIC = "fabric"
_PROFILE = "network.json"
_OWN_DIRECTORIES = ("anchors", "custody", "wallets")


@translated()
def bring_up(
    directory: Path,
    preset: str = "consortium",
    progress: Callable[[str], None] = lambda message: None,
    engine: str = EMBEDDED,
) -> None:
    """Create the network if the directory has none, start it, and prepare its ledger; idempotent.

    Afterwards the regulator has written the ledger's settings, every hospital's decision service runs, and
    every organization's anchor (the genesis header's hash) is kept in `anchors/`.

    Args:
        directory: Where the network lives; made when absent.
        preset: Name of the topology for a new network, see :data:`consentry.network.presets.PRESETS`.
        progress: Told what is being done, a line at a time.
        engine: `embedded`; `fabric` is not supported yet and says so.

    Raises:
        ConsentryError: PRESET_UNKNOWN, ENGINE_UNKNOWN or ENGINE_NOT_SUPPORTED.
    """
    refuse_other_engines(engine)
    if (directory / _PROFILE).exists():
        network = EmbeddedNetwork.load(directory)
    else:
        progress("making key material and the genesis block")
        network = EmbeddedNetwork.create(directory, named_preset(preset))
        _keep_anchors(network)
    network.up(progress)
    prepare_ledger(network, progress)


@translated()
def take_down(directory: Path) -> None:
    """Stop every process of the network; its files stay."""
    _load(directory).down()


@translated()
def destroy(directory: Path) -> None:
    """Stop every process of the network and remove its files: ledger, keys, wallets, registers, anchors.

    What others put into the directory, reports for instance, stays.
    """
    _load(directory).destroy()
    for name in _OWN_DIRECTORIES:
        shutil.rmtree(directory / name, ignore_errors=True)
    for path in directory.glob("index.sqlite*"):
        path.unlink()
    with suppress(OSError):
        directory.rmdir()


@translated()
def status(directory: Path) -> list[NodeStatus]:
    """What runs and what does not."""
    return _load(directory).status()


@translated()
def restart_chaincode(directory: Path, organization: str, command: Sequence[str] | None = None) -> None:
    """Replace an organization's chaincode service, by the topology's own where no `command` is given.

    An organization can do this by itself in Fabric, too: chaincode is its own process. The demo uses it to
    play an organization whose chaincode was altered.
    """
    network = _load(directory)
    network.stop_chaincode(organization)
    network.start_chaincode(organization, command)


@translated()
def export_blocks(directory: Path, target: Path) -> int:
    """Write the stored blocks as they are to `target`/NNNNNN.block; the engine need not run.

    Returns:
        int: How many blocks were written.
    """
    ledger = directory / "ledger"
    if not ledger.is_dir():
        raise ConfigurationError("LEDGER_MISSING", f"{ledger} does not exist; name a network's directory")
    target.mkdir(parents=True, exist_ok=True)
    number = 0
    for number, data in enumerate(read_blocks(ledger), start=1):
        (target / f"{number - 1:06d}.block").write_bytes(data)
    return number


def refuse_other_engines(engine: str) -> None:
    """Say what is missing for an engine that cannot be started."""
    if engine == EMBEDDED:
        return
    if engine != FABRIC:
        raise ConsentryError("ENGINE_UNKNOWN", f"got engine {engine!r}; there are {EMBEDDED} and {FABRIC}")
    try:
        found = f"its peer was found at {find_binaries().peer.path}"
    except BinariesNotFoundError as error:
        found = str(error)
    raise ConsentryError(
        "ENGINE_NOT_SUPPORTED",
        f"this release does not start real Fabric yet ({found}); use --engine {EMBEDDED}, or write "
        f"{_PROFILE} for a network that runs already",
    )


def _load(directory: Path) -> EmbeddedNetwork:
    if not (directory / _PROFILE).exists():
        raise ConfigurationError(
            "NETWORK_MISSING",
            f"{directory} holds no network; make one with: consentry --network {directory} network up",
        )
    return EmbeddedNetwork.load(directory)


def _keep_anchors(network: EmbeddedNetwork) -> None:
    """Each organization keeps the genesis header's hash outside the ledger (DESIGN §9)."""
    anchors = network.directory / "anchors"
    anchors.mkdir(mode=0o700, exist_ok=True)
    for organization in network.topology.organizations:
        path = anchors / f"{organization.name}.txt"
        path.write_text(f"{network.anchor()}\n", encoding="ascii")
        path.chmod(0o600)
