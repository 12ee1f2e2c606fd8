"""Clients killed while they wait leave nothing behind: no place, no waiter, no socket."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import support.waiting_client
from support.embedded import User
from support.hostile_messages import Requests

from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import OPERATIONS
from fabric_gateway import Contract
from fabric_operator.ports import read_ports

_CLIENTS = 3
_CALLS_OF_EACH_KIND = 10
_PATIENCE_SECONDS = 60


def test_killed_clients_give_their_places_back(
    network: EmbeddedNetwork, users: dict[str, User], contract: Callable[[str], Contract]
) -> None:
    contract("alpha").submit("basic:put", "long", "x" * 100_000)
    calls, sockets = _open_calls(network), _sockets(network)
    clients = [_client(network, Requests(users["alpha"], b"", "")) for _ in range(_CLIENTS)]
    try:
        _until(lambda: _open_calls(network) >= calls + 3 * _CLIENTS * _CALLS_OF_EACH_KIND)
        contract("alpha").submit("basic:put", "meanwhile", "x" * 100_000)
    finally:
        for client in clients:
            client.kill()
            client.communicate()
    _until(lambda: _open_calls(network) <= calls)
    _until(lambda: _sockets(network) <= sockets)
    assert contract("alpha").submit("basic:put", "afterwards", "1") == b"1"


def _client(network: EmbeddedNetwork, requests: Requests) -> subprocess.Popen[str]:
    profile: Any = json.loads((network.directory / "network.json").read_bytes())
    peer = profile["organizations"]["AlphaMSP"]["peers"][0]
    kinds = {
        "/protos.Deliver/Deliver": requests.follow(),
        "/gateway.Gateway/CommitStatus": requests.commit_status(bytes),
        "/gateway.Gateway/ChaincodeEvents": requests.events(bytes),
    }
    plan = {
        "endpoint": peer["endpoint"],
        "server_name": peer["server_name"],
        "tls_roots": str(network.directory / peer["tls_roots"]),
        "calls": [(method, data.hex()) for method, data in kinds.items()] * _CALLS_OF_EACH_KIND,
    }
    client = subprocess.Popen(
        [sys.executable, support.waiting_client.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(json.dumps(plan) + "\n")
    client.stdin.flush()
    assert client.stdout.readline().startswith("ready")
    return client


def _open_calls(network: EmbeddedNetwork) -> int:
    url = f"http://127.0.0.1:{read_ports(NetworkPaths(network.directory).ports)[OPERATIONS]}/metrics"
    lines = httpx.get(url, trust_env=False).text.splitlines()
    return sum(
        int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("grpc_server_open_calls{")
    )


def _sockets(network: EmbeddedNetwork) -> int:
    pid = json.loads((network.directory / "run" / "engine.json").read_bytes())["pid"]
    count = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            count += entry.readlink().name.startswith("socket:")
    return count


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "a killed client still holds something"
        time.sleep(0.05)
