"""An S3 server of a test's own, on loopback: moto in a process; what it keeps is in its memory only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 60
# The system chooses the port as the server binds it: one chosen before could be somebody else's by then.
_PROGRAM = """
import threading
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
threading.Event().wait()
"""


@contextmanager
def s3_server() -> Iterator[str]:
    """Run a new server; its URL."""
    command = [sys.executable, "-W", "ignore", "-c", _PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()
            server.wait(_SECONDS)
