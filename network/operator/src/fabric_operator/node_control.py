"""A network's processes one by one, the same under either engine: its own nodes, and others in its care."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fabric_operator.errors import NetworkError
from fabric_operator.node_status import DIED, RUNNING, STOPPED, NodeStatus
from fabric_operator.processes import ProcessKeeper


class NodeControl:
    """What an engine's network inherits; it tells the names of its own nodes.

    Parameters:
        processes: of the network.
    """

    RESERVED: tuple[str, ...] = ()
    """Beginnings of names that only nodes have, those too that an operation may add."""

    def __init__(self, processes: ProcessKeeper) -> None:
        self._processes = processes

    def node_names(self) -> list[str]:
        """Names of the network's own nodes, in the order in which they start."""
        raise NotImplementedError

    def start_process(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Have another process running under the network's care; `down` ends it too.

        One that already runs with the same command and environment is kept, another one is replaced.

        Parameters:
            name: lower-case letters, digits, dots, dashes; not that of a node.
            command: program and arguments; `python` means the interpreter that runs this.
            environment: variables added to this process's own.

        Raises:
            ProcessError: PROCESS_NAME_INVALID, PROGRAM_NOT_FOUND.
            NetworkError: PROCESS_NAME_RESERVED.
        """
        self._require_foreign(name)
        self._processes.ensure(name, command, environment)

    def stop_process(self, name: str) -> None:
        """End a process that `start_process` started; one that does not run is no error.

        Raises:
            NetworkError: PROCESS_NAME_RESERVED.
        """
        self._require_foreign(name)
        self._processes.stop([name])

    def stop_node(self, name: str) -> None:
        """End a node in good order.

        Raises:
            NetworkError: NODE_UNKNOWN.
        """
        self.require_node(name)
        self._processes.stop([name])

    def kill_node(self, name: str) -> None:
        """End a node without warning, as a power failure would; it counts as died until it is started.

        Raises:
            NetworkError: NODE_UNKNOWN.
        """
        self.require_node(name)
        self._processes.kill(name)

    def log(self, name: str) -> Path:
        """The file with what a process printed.

        Raises:
            ProcessError: NODE_UNKNOWN, with the names that there are.
        """
        return self._processes.log_path(name)

    def require_node(self, name: str) -> None:
        """Check that there is such a node.

        Raises:
            NetworkError: NODE_UNKNOWN, with the names that there are.
        """
        if name not in self.node_names():
            known = ", ".join(self.node_names())
            raise NetworkError("NODE_UNKNOWN", f"no node {name!r}; there are {known}")

    def _states(self, detail: Callable[[str], str]) -> list[NodeStatus]:
        """State of every node, then of whatever else was started; `detail` tells more of one that runs."""
        recorded = [record.name for record in self._processes.recorded()]
        return [
            self._state(name, name in recorded, detail)
            for name in dict.fromkeys([*self.node_names(), *recorded])
        ]

    def _state(self, name: str, recorded: bool, detail: Callable[[str], str]) -> NodeStatus:
        record = self._processes.find(name)
        if record is not None:
            return NodeStatus(name, RUNNING, record.pid, detail(name))
        if recorded:
            return NodeStatus(name, DIED, None, "see its log")
        return NodeStatus(name, STOPPED, None, "")

    def _require_foreign(self, name: str) -> None:
        if name in self.node_names() or name.startswith(self.RESERVED):
            raise NetworkError("PROCESS_NAME_RESERVED", f"{name} is the network's own: choose another name")
