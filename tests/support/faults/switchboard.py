"""Network namespaces, one an organization, and the only wires between them, which can be cut.

Every namespace has its own loopback and nothing else. A node reaches another organization's port at the same
127.0.0.1:port as at home: a forwarder listens there and connects in the other namespace. A cut wire carries
nothing and breaks nothing, as a network that drops packets: connections hang until it heals.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import TypeVar

HOME = "home"
"""The namespace in which the test itself runs."""
_CLONE_NEWNET = 0x40000000
_CHUNK = 1 << 16
_Value = TypeVar("_Value")


def namespace_name(organization: str) -> str:
    """A namespace of this process's own."""
    return f"consentry-{os.getpid()}-{organization}"


class Switchboard:
    """Namespaces of organizations and the wires between them.

    Parameters:
        ports: organization → ports that its nodes listen on.
        twins: name of one more namespace → the organization whose nodes are in it a second time.
    """

    def __init__(self, ports: Mapping[str, Iterable[int]], twins: Mapping[str, str]) -> None:
        self._ports = {name: tuple(numbers) for name, numbers in ports.items()}
        self._twins = dict(twins)
        self._diverted: dict[tuple[str, str], str] = {}
        self._files: dict[str, int] = {}
        self._wires: dict[frozenset[str], asyncio.Event] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="switchboard", daemon=True)
        # One thread enters namespaces; a socket stays in the one in which it was made.
        self._entering = ThreadPoolExecutor(1)
        self._tasks: dict[asyncio.Task[None], tuple[str, str, int]] = {}
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> Switchboard:
        self._files[HOME] = os.open("/proc/self/ns/net", os.O_RDONLY)
        for organization in (*self._ports, *self._twins):
            name = namespace_name(organization)
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
            # A peer looks for an address that is not the loopback's; this one leads nowhere.
            _run("ip", "-n", name, "link", "add", "nowhere", "type", "bridge")
            _run("ip", "-n", name, "address", "add", "10.99.0.1/24", "dev", "nowhere")
            _run("ip", "-n", name, "link", "set", "nowhere", "up")
            self._files[organization] = os.open(f"/run/netns/{name}", os.O_RDONLY)
        for pair in combinations(self._files, 2):
            self._wires[frozenset(pair)] = asyncio.Event()
            self._wires[frozenset(pair)].set()
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._entering.shutdown()
        for organization in (*self._ports, *self._twins):
            with contextlib.suppress(subprocess.CalledProcessError):
                _run("ip", "netns", "del", namespace_name(organization))
        for file in self._files.values():
            os.close(file)

    def inside(self, organization: str) -> tuple[str, ...]:
        """What to put before a command so that it runs in an organization's namespace."""
        return ("ip", "netns", "exec", namespace_name(organization))

    def cut(self, side: Iterable[str]) -> None:
        """Let nothing pass between these organizations and all others; the test reaches them all."""
        self._change(side, asyncio.Event.clear)

    def heal(self) -> None:
        """Let everything pass again, what waited first."""
        self._change(self._ports, asyncio.Event.set)

    def divert(self, callers: Collection[str], twin: str) -> None:
        """Lead these organizations, and no others, to an organization's twin; connections so far break."""
        owner = self._twins[twin]
        self._diverted = {(caller, owner): twin for caller in callers}
        self.disconnect(self._ports[owner])

    def disconnect(self, ports: Collection[int]) -> None:
        """Break all connections to these ports; new ones can be made at once."""

        def end() -> None:
            for task, (_, _, port) in self._tasks.items():
                if port in ports:
                    task.cancel()

        self._loop.call_soon_threadsafe(end)

    def listens(self, organization: str, port: int) -> bool:
        """Whether somebody takes connections at home in an organization's namespace."""
        made = asyncio.run_coroutine_threadsafe(self._in(organization, lambda: _reaches(port)), self._loop)
        return made.result()

    def _change(self, side: Iterable[str], change: Callable[[asyncio.Event], None]) -> None:
        chosen = set(side)
        for pair, event in self._wires.items():
            crossing = len(pair & chosen) == 1 or change is asyncio.Event.set
            if HOME not in pair and crossing:
                self._loop.call_soon_threadsafe(change, event)

    async def _listen(self) -> None:
        for here in self._files:
            for there, ports in self._ports.items():
                if there == self._twins.get(here, here):
                    continue
                for port in ports:
                    listener = await self._in(here, lambda port=port: _listening(port))
                    forwarder = self._forwarder(here, there, port)
                    self._servers.append(await asyncio.start_server(forwarder, sock=listener))

    def _forwarder(self, here: str, there: str, port: int) -> Callable[..., object]:
        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks[task] = (here, there, port)
            goal = self._diverted.get((here, there), there)
            # A broken connection is no failure: the task ends as if it had come to its end.
            with contextlib.suppress(asyncio.CancelledError):
                await self._carry(reader, writer, goal, port, self._wires[frozenset((here, goal))])
            writer.close()
            del self._tasks[task]

        return forward

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        goal: str,
        port: int,
        wire: asyncio.Event,
    ) -> None:
        await wire.wait()
        outgoing = await self._in(goal, _unconnected)
        try:
            await self._loop.sock_connect(outgoing, ("127.0.0.1", port))
        except OSError:
            outgoing.close()
            return
        there_reader, there_writer = await asyncio.open_connection(sock=outgoing)
        await asyncio.gather(_pump(reader, there_writer, wire), _pump(there_reader, writer, wire))

    async def _in(self, organization: str, make: Callable[[], _Value]) -> _Value:
        def enter() -> _Value:
            _set_namespace(self._files[organization])
            try:
                return make()
            finally:
                _set_namespace(self._files[HOME])

        return await self._loop.run_in_executor(self._entering, enter)

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: asyncio.Event) -> None:
    try:
        while data := await reader.read(_CHUNK):
            await wire.wait()
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _listening(port: int) -> socket.socket:
    listener = _unconnected()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def _reaches(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _unconnected() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    return made


def _set_namespace(file: int) -> None:
    # os.setns is new in Python 3.12.
    if ctypes.CDLL(None, use_errno=True).setns(file, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
