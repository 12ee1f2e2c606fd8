"""The engines: which one made a network, and making one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from consentry.errors import ConfigurationError, ConsentryError
from fabric_embedded import EmbeddedNetwork
from fabric_native import NativeNetwork
from fabric_protocol.topology import Organization, Topology

EMBEDDED = "embedded"
FABRIC = "fabric"
ENGINES = (EMBEDDED, FABRIC)
PROFILE = "network.json"
# Serves a CA from the home directory that the Fabric engine appends.
OUR_AUTHORITY = ("python", "-m", "fabric_embedded", "ca")

Network = EmbeddedNetwork | NativeNetwork


def create_network(
    directory: Path,
    topology: Topology,
    engine: str,
    progress: Callable[[str], None],
    binaries: Path | None = None,
) -> Network:
    """Make a network's directory.

    Args:
        directory: Where it will live.
        topology: What it is.
        engine: One of :data:`ENGINES`.
        progress: Told what is being done, a line at a time.
        binaries: Where Fabric's binaries are looked for first; only the Fabric engine needs them.

    Raises:
        ConsentryError: ENGINE_UNKNOWN, and what the engine says.
    """
    require_engine(engine)
    progress("making key material and the genesis block")
    if engine == EMBEDDED:
        return EmbeddedNetwork.create(directory, topology)
    return NativeNetwork.create(
        directory, topology, progress, binaries=binaries, authority_fallback=OUR_AUTHORITY
    )


def load_network(directory: Path) -> Network:
    """The network that one of the engines made in a directory.

    Raises:
        ConfigurationError: NETWORK_MISSING, also for a network that this machine merely uses.
    """
    return (
        NativeNetwork.load(directory) if engine_of(directory) == FABRIC else EmbeddedNetwork.load(directory)
    )


def native_network(directory: Path) -> NativeNetwork:
    """The network of real Fabric in a directory.

    Raises:
        ConsentryError: OPERATION_NEEDS_FABRIC; ConfigurationError NETWORK_MISSING.
    """
    network = load_network(directory)
    if isinstance(network, NativeNetwork):
        return network
    raise ConsentryError(
        "OPERATION_NEEDS_FABRIC",
        f"{directory} is run by the embedded engine, whose members and chaincode are fixed: "
        "use a network of real Fabric (network up --engine fabric)",
    )


def operated(network: Network) -> tuple[Organization, ...]:
    """The organizations whose nodes a directory runs: all, or the one that a bundle is for."""
    return network.operated if isinstance(network, NativeNetwork) else network.topology.organizations


def engine_of(directory: Path) -> str:
    """Which engine runs a directory's network.

    Raises:
        ConfigurationError: NETWORK_MISSING, PROFILE_INVALID.
    """
    path = directory / PROFILE
    if not path.exists():
        raise ConfigurationError(
            "NETWORK_MISSING",
            f"{directory} holds no network; make one with: consentry --network {directory} network up",
        )
    try:
        return str(json.loads(path.read_bytes())["engine"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError("PROFILE_INVALID", f"{path} names no engine: {error}") from error


def require_engine(engine: str) -> None:
    """Check that there is such an engine.

    Raises:
        ConsentryError: ENGINE_UNKNOWN.
    """
    if engine not in ENGINES:
        raise ConsentryError("ENGINE_UNKNOWN", f"got engine {engine!r}; there are {' and '.join(ENGINES)}")
