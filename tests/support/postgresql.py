"""A PostgreSQL server of a test's own, on loopback; nothing of it is left afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PASSWORD = "only-for-this-test"
_SECONDS = 60
_ATTEMPTS = 5


def find_postgresql() -> str:
    """The directory of the server's programs.

    Raises:
        LookupError: they are not on this machine.
    """
    on_path = shutil.which("postgres")
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if on_path is None and not packaged:
        raise LookupError("no PostgreSQL server; it comes with every Linux distribution (Debian: postgresql)")
    return str(Path(on_path).parent if on_path is not None else packaged[-1].parent)


@contextmanager
def postgresql_server(programs: str) -> Iterator[str]:
    """Run a new server; the SQLAlchemy URL of its database."""
    with tempfile.TemporaryDirectory(prefix="consentry-postgresql-") as made:
        directory = Path(made)
        password = directory / "password"
        password.write_text(_PASSWORD)
        # PostgreSQL refuses to run as root.
        user = {"user": "nobody"} if os.geteuid() == 0 else {}
        if user:
            for path in (directory, password):
                shutil.chown(path, "nobody")
        data = directory / "data"
        command = [f"{programs}/initdb", "-D", data, "-U", "trail", "-A", "scram-sha-256", "-N"]
        options = {"check": True, "capture_output": True, "timeout": _SECONDS, "cwd": made, **user}
        subprocess.run([*command, f"--pwfile={password}"], **options)  # type: ignore[call-overload]
        with _started(programs, data, user) as port:
            yield f"postgresql://trail:{_PASSWORD}@127.0.0.1:{port}/postgres"


@contextmanager
def _started(programs: str, data: Path, user: dict[str, str]) -> Iterator[int]:
    """Run the server on a port that was free; on another one if somebody else was quicker."""
    log = data.with_name("log")
    for attempt in range(_ATTEMPTS):
        port = _free_port()
        arguments = ["-D", data, "-p", str(port), "-k", data.parent, "-c", "listen_addresses=127.0.0.1"]
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [f"{programs}/postgres", *arguments],
                stderr=output,
                cwd=data.parent,
                **user,  # type: ignore[call-overload]
            ) as server,
        ):
            try:
                if _is_ready(server, log):
                    yield port
                    return
            finally:
                server.terminate()
                server.wait(_SECONDS)
        if b"in use" not in log.read_bytes() or attempt == _ATTEMPTS - 1:
            raise RuntimeError(f"PostgreSQL did not start on port {port}: {log.read_text()[-500:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _is_ready(server: subprocess.Popen[bytes], log: Path) -> bool:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if b"ready to accept connections" in log.read_bytes():
            return True
        time.sleep(0.05)
    return False
