"""Hyperledger's own Fabric CA server as a process on the loopback, for tests of the CA client."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from consentry.profile import AuthorityEndpoint
from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_authority, new_private_key

REGISTRAR = ("registrar", "registrar-secret-of-a-test")
_START_SECONDS = 60


@contextmanager
def fabric_ca(program: str, directory: Path) -> Iterator[AuthorityEndpoint]:
    """A server over TLS with one registrar; it is ended afterwards."""
    roots = _write_tls(directory)
    port = _free_port()
    command = [program, "start", "--home", str(directory), "--boot", ":".join(REGISTRAR)]
    command += ["--address", "127.0.0.1", "--port", str(port), "--ca.name", "test-ca"]
    command += ["--tls.enabled", "--tls.certfile", "tls.pem", "--tls.keyfile", "tls.key"]
    log = (directory / "log.txt").open("wb")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FABRIC_CA_")}
    environment["FABRIC_CA_SERVER_OPERATIONS_LISTENADDRESS"] = "127.0.0.1:0"
    with log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory, env=environment)
        try:
            _wait(process, port, directory / "log.txt")
            yield AuthorityEndpoint(f"https://127.0.0.1:{port}", "test-ca", roots)
        finally:
            process.terminate()
            process.wait(20)


def _write_tls(directory: Path) -> Path:
    start = datetime.now(UTC) - timedelta(hours=1)
    authority = new_authority("tls.example", start=start)
    key = new_private_key()
    certificate = issue(
        authority,
        common_name="ca",
        public_key=key.public_key(),
        start=start,
        ip_addresses=["127.0.0.1"],
        server=True,
    )
    (directory / "tls.pem").write_bytes(certificate_pem(certificate))
    (directory / "tls.key").touch(0o600)
    (directory / "tls.key").write_bytes(key_pem(key))
    roots = directory / "tls-roots.pem"
    roots.write_bytes(authority.pem)
    return roots


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"fabric-ca-server did not start: {log.read_text(errors='replace')[-2000:]}")
