"""A network in a directory, the same under either engine: up, down, its keys, its configuration."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from fabric_operator.errors import NetworkError
from fabric_operator.material import read_administrator, read_registrar
from fabric_operator.network_directory import NetworkDirectory
from fabric_operator.network_paths import NetworkPaths
from fabric_operator.node_control import NodeControl
from fabric_operator.processes import ProcessKeeper
from fabric_operator.proposals import Proposals
from fabric_operator.reconfiguration import change_configuration, read_ordering_nodes
from fabric_protocol.blocks import header_hash, parse_block
from fabric_protocol.topology import Topology


def silent(_message: str) -> None:
    """Report progress to nobody."""


def recorded_engine(profile: Path) -> str | None:
    """Name of the engine that wrote a network's `network.json`; None where there is none to be read."""
    try:
        document = json.loads(profile.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    engine = document.get("engine") if isinstance(document, dict) else None
    return engine if isinstance(engine, str) else None


class ManagedNetwork(NodeControl):
    """What an engine's network inherits.

    Parameters:
        paths: of a network that was made.
        topology: what it is.
        whole: what of its directory belongs to it.
        processes: who starts and ends its processes.
    """

    def __init__(
        self, paths: NetworkPaths, topology: Topology, whole: NetworkDirectory, processes: ProcessKeeper
    ) -> None:
        super().__init__(processes)
        self.directory = paths.directory
        self.topology = topology
        self._paths = paths
        self._whole = whole

    def up(self, progress: Callable[[str], None] = silent) -> None:
        """Start what does not run yet; returns when every organization can endorse.

        Interrupted or failed, it ends what it started itself.

        Parameters:
            progress: told a sentence for each step.

        Raises:
            NetworkError: PORT_TAKEN, NETWORK_BUSY.
            ProcessError: a process ended or did not get ready; with the tail of its log.
            OperatorError: of the engine; a node refused what its administrator asked.
        """
        started: list[str] = []
        begin = time.monotonic()
        with self._whole.locked():
            try:
                self._start_nodes(started, progress)
            except BaseException:
                self._processes.stop(started)
                raise
        progress(f"network ready after {time.monotonic() - begin:.1f} s")

    def down(self) -> None:
        """End every process, the clients first; ledgers and keys stay.

        Raises:
            NetworkError: NETWORK_BUSY.
        """
        with self._whole.locked():
            names = [record.name for record in self._processes.recorded()]
            groups = [list(group) for group in self._down_order()]
            own = {name for group in groups for name in group}
            for group in ([name for name in names if name not in own], *groups):
                self._processes.stop([name for name in group if name in names])

    def destroy(self) -> None:
        """End every process and remove the network's files; what others put into the directory stays.

        Raises:
            NetworkError: NETWORK_BUSY.
        """
        self.down()
        self._whole.remove()

    def registrar(self, organization: str) -> tuple[str, str]:
        """Enrolment id and secret of the registrar of an organization's CA (by name or MSP id).

        Raises:
            MaterialError: MATERIAL_UNREADABLE.
        """
        name = self.topology.organization(organization).name
        return read_registrar(self._paths.organization(name).registrar)

    def change_configuration(self, organizations: Sequence[str], change: Callable[[Any], Any]) -> int:
        """Change the channel's configuration, signed by these organizations' administrators, and wait until
        the peers that run here have the change.

        Parameters:
            organizations: names or MSP ids; the first one's administrator sends the update.
            change: makes the wanted tree (ConfigGroup) of the one in force.

        Returns:
            Number of the block that brought the configuration.

        Raises:
            NetworkError: CONFIG_CHANGE_REFUSED, ORDERER_UNREACHABLE; see `fabric_operator.reconfiguration`.
        """
        members = [self.topology.organization(name) for name in organizations]
        signers = [
            read_administrator(self._paths.organization(item.name).administrator, item.msp_id)
            for item in members
        ]
        nodes = read_ordering_nodes(self.directory)
        number = change_configuration(nodes, self.topology.channel, signers, change)
        self.await_block(number)
        return number

    def await_block(self, number: int) -> None:
        """Wait until the peers that run here have a block which the ordering nodes have given out.

        Where a peer is down, or slow beyond a minute, it gets the block later. An engine whose peers have a
        block before anybody is told of it has nothing to wait for.
        """

    def proposals(self, organization: str) -> Proposals:
        """Proposals of configuration updates, in the hands of an organization's administrator.

        Parameters:
            organization: name or MSP id; its administrator's key has to be here.

        Raises:
            MaterialError: MATERIAL_UNREADABLE.
        """
        member = self.topology.organization(organization)
        files = self._paths.organization(member.name)
        signer = read_administrator(files.administrator, member.msp_id)
        own = files.tls_ca.certificate.read_bytes()
        # What an organization signs it reads at its own ordering node, where that answers.
        nodes = sorted(read_ordering_nodes(self.directory), key=lambda node: node.roots != own)
        return Proposals(nodes, self.topology.channel, signer)

    def anchor(self) -> str:
        """Hex SHA-256 of the genesis block's header: what a verifier keeps outside the ledger."""
        block = parse_block(self._paths.genesis.read_bytes())
        return header_hash(block.header).hex()

    def _start_nodes(self, started: list[str], progress: Callable[[str], None]) -> None:
        """Start what does not run, telling `started` each name at once; return when all can be used."""
        raise NotImplementedError

    def _down_order(self) -> Iterable[Sequence[str]]:
        """The network's own nodes in groups, those first whose clients are gone by then."""
        raise NotImplementedError


def open_topology(paths: NetworkPaths, *, held: bool, kind: str) -> Topology:
    """The topology of a network that is about to be opened.

    Parameters:
        paths: of its directory.
        held: whether the engine finds its network there.
        kind: what the engine calls its networks.

    Raises:
        NetworkError: NETWORK_NOT_FOUND.
        TopologyError: the topology was altered into something else.
    """
    if not held:
        raise NetworkError("NETWORK_NOT_FOUND", f"{paths.directory} holds no {kind}: create one there first")
    return Topology.from_json(paths.topology.read_bytes())
