"""The official Node.js client as a process of its own, driven by JSON lines (`interop/node/client.js`)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from support.embedded import User
from support.node_packages import NODE_SOURCES

from fabric_embedded.network import EmbeddedNetwork
from fabric_protocol.certificates import key_pem


class NodeError(Exception):
    """What the Node.js client threw: its class's name, code, details."""

    def __init__(self, thrown: dict[str, Any]) -> None:
        super().__init__(thrown["message"])
        self.name: str = thrown["name"]
        self.message: str = thrown["message"]
        self.code: int | None = thrown.get("code")
        self.details: Any = thrown.get("details")
        self.transaction_id: str | None = thrown.get("transactionId")
        self.cause: str | None = thrown.get("cause")


class NodeClient:
    """A running client; each call is one command and its answer."""

    def __init__(self, packages: Path, files: Path) -> None:
        self._files = files
        self._defaults: dict[str, Any] = {"channel": "testing", "chaincode": "basic", "contract": "basic"}
        self._process = subprocess.Popen(
            ["node", str(NODE_SOURCES / "client.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NODE_PATH": str(packages / "node_modules")},
        )

    def __enter__(self) -> NodeClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            assert self._process.stdout is not None
            self._process.stdout.close()

    def open(self, name: str, network: EmbeddedNetwork, user: User, **options: Any) -> None:
        """Connect a user, under a name for later calls, to the peer of the user's own organization."""
        profile = json.loads((network.directory / "network.json").read_text())
        peer = profile["organizations"][user.msp_id]["peers"][0]
        certificate, key = self._files / f"{name}.pem", self._files / f"{name}.key"
        certificate.write_bytes(user.certificate)
        key.touch(mode=0o600)
        key.write_bytes(key_pem(user.key))  # type: ignore[arg-type]
        self.call(
            "open",
            name=name,
            endpoint=peer["endpoint"],
            tlsRoots=str(network.directory / peer["tls_roots"]),
            serverName=peer["server_name"],
            mspId=user.msp_id,
            certificate=str(certificate),
            key=str(key),
            **options,
        )

    def call(self, command: str, **fields: Any) -> Any:
        """Run one command and return its result.

        Raises:
            NodeError: the client threw.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": command, **self._defaults, **fields}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the Node.js client ended with {self._process.poll()}"
        answer = json.loads(line)
        if "error" in answer:
            raise NodeError(answer["error"])
        return answer["result"]

    def run(self, command: str, user: str, function: str, *arguments: str, **fields: Any) -> Any:
        """Run a command that calls a function of the chaincode as a user."""
        return self.call(command, **{"as": user}, function=function, arguments=list(arguments), **fields)
