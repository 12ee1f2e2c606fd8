"""An embedded network in a directory: create, up, down, destroy (signatures first; being filled in)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fabric_protocol.topology import Topology


@dataclass(frozen=True)
class NodeStatus:
    """One process of the network: `state` is "running", "stopped" or "died"."""

    name: str
    state: str
    pid: int | None
    detail: str


def _silent(message: str) -> None:
    """Report progress to nobody."""


class EmbeddedNetwork:
    """A network's directory and processes."""

    directory: Path
    topology: Topology

    @classmethod
    def create(cls, directory: Path, topology: Topology) -> EmbeddedNetwork:
        """Make key material, genesis block, ports and profile; refuses a directory that holds a network."""
        raise NotImplementedError

    @classmethod
    def load(cls, directory: Path) -> EmbeddedNetwork:
        """Open a network that `create` made."""
        raise NotImplementedError

    def up(self, progress: Callable[[str], None] = _silent) -> None:
        """Start engine and chaincode services; returns when a transaction can be served."""
        raise NotImplementedError

    def down(self) -> None:
        """Stop everything; state stays."""
        raise NotImplementedError

    def destroy(self) -> None:
        """Stop everything and remove the directory."""
        raise NotImplementedError

    def status(self) -> list[NodeStatus]:
        """What runs."""
        raise NotImplementedError

    def start_process(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start another process under the network's care (a decision service, for instance)."""
        raise NotImplementedError

    def stop_process(self, name: str) -> None:
        """End a process that `start_process` started."""
        raise NotImplementedError

    def start_chaincode(self, organization: str, command: Sequence[str] | None = None) -> None:
        """Start (or replace) an organization's chaincode service; returns when its peer has connected."""
        raise NotImplementedError

    def stop_chaincode(self, organization: str) -> None:
        """End an organization's chaincode service."""
        raise NotImplementedError

    def registrar(self, organization: str) -> tuple[str, str]:
        """Enrolment id and secret of the organization's CA registrar."""
        raise NotImplementedError

    def anchor(self) -> str:
        """Hex SHA-256 of the genesis block's header."""
        raise NotImplementedError
