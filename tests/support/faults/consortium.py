"""The consortium of the presets on real Fabric, every organization in a network namespace of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.faults.plan import HOSPITALS, ORGANIZATIONS, TWINNED
from support.faults.switchboard import Switchboard

from consentry.network.ledger_setup import decision_command, prepare_ledger
from consentry.network.presets import consortium
from fabric_native import NativeNetwork
from fabric_native.nodes import Kind, network_nodes
from fabric_native.paths import NetworkPaths
from fabric_native.ports import node_ports
from fabric_operator.ports import read_ports
from fabric_operator.processes import ProcessKeeper
from fabric_operator.run_records import RunRecord

SMALL_DISK = ("peer-lakeside", "192m")
TWIN = "twin"
"""A second machine of an organization, with the same keys."""


@dataclass(frozen=True)
class NamespacedKeeper(ProcessKeeper):
    """Starts each process, CAs excepted, in its organization's namespace."""

    switchboard: Switchboard | None = None

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> RunRecord:
        """As the keeper of the engine, with another beginning of the command."""
        return super().start(name, (*self._inside(name), *command), environment)

    def ensure(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Keep what runs, whatever its command was; start what does not."""
        if self.find(name) is not None:
            return False
        self.stop([name])
        self.start(name, command, environment)
        return True

    def _inside(self, name: str) -> tuple[str, ...]:
        owner = next((item for item in ORGANIZATIONS if name.endswith(item)), None)
        if name.startswith(TWIN) and self.switchboard is not None:
            return self.switchboard.inside(TWIN)
        if owner is None or name.startswith(Kind.AUTHORITY) or self.switchboard is None:
            return ()
        return self.switchboard.inside(owner)


@dataclass(frozen=True)
class FaultyConsortium:
    """The consortium with the means to hurt it."""

    network: NativeNetwork
    switchboard: Switchboard
    keeper: NamespacedKeeper

    def data(self, node: str) -> Path:
        """Where a node keeps its ledger."""
        return _data(self.network, node)

    def signal(self, name: str, number: int) -> None:
        """Send a signal to one process of the network."""
        record = self.keeper.find(name)
        assert record is not None, f"{name} does not run"
        os.kill(record.pid, number)

    def kill(self, name: str) -> None:
        """kill -9."""
        self.keeper.kill(name)

    def start_decider(self, organization: str, before: Sequence[str] = ()) -> None:
        """Start a decision service, in place of one that runs."""
        name = f"decide-{organization}"
        self.keeper.stop([name])
        self.network.start_process(
            name, (*before, *decision_command(self.network.directory, organization)), {}
        )

    def restore(self, progress: Callable[[str], None]) -> None:
        """Start whatever does not run, as whoever supervises it would, and wait until it can be used."""
        for organization in HOSPITALS:
            name = f"decide-{organization}"
            if self.keeper.find(name) is None:
                progress(f"  {name} is started again; it had said: {self.keeper.log_tail(name)[-300:]}")
                self.start_decider(organization)
        for node in network_nodes(self.network.topology):
            if self.keeper.find(node.name) is None:
                progress(f"  {node.name} is started again")
                self.network.start_node(node.name)


@contextlib.contextmanager
def faulty_consortium(directory: Path, progress: Callable[[str], None]) -> Iterator[FaultyConsortium]:
    """A consortium that is up, with its decision services; everything is ended and unmounted afterwards."""
    network = NativeNetwork.create(directory, consortium(), progress)
    ports = read_ports(NetworkPaths(network.directory).ports)
    owned: dict[str, list[int]] = {name: [] for name in ORGANIZATIONS}
    for node in network_nodes(network.topology):
        if node.kind != Kind.AUTHORITY:
            owned[node.organization] += [ports[name] for name in node_ports(node)]
    with Switchboard(owned, {TWIN: TWINNED}) as switchboard, _small_disk(network):
        keeper = NamespacedKeeper(**vars(network._processes), switchboard=switchboard)
        object.__setattr__(network._nodes, "processes", keeper)
        network._processes = keeper
        # The forwarders of this namespace listen on every port.
        network._require_ports = lambda: None  # type: ignore[method-assign]
        try:
            network.up(progress)
            prepare_ledger(network, progress)
            yield FaultyConsortium(network, switchboard, keeper)
        finally:
            for record in keeper.recorded():
                if keeper.find(record.name) is not None:
                    os.kill(record.pid, signal.SIGCONT)
            network.down()


@contextlib.contextmanager
def _small_disk(network: NativeNetwork) -> Iterator[None]:
    node, size = SMALL_DISK
    place = _data(network, node)
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _data(network: NativeNetwork, name: str) -> Path:
    node = next(item for item in network_nodes(network.topology) if item.name == name)
    return NetworkPaths(network.directory).node(node).data
