"""What a hostile function would try first. The gate runs it, in the sandbox, before any other function.

It answers what it could do: nothing, where the isolation holds. It is sent as source, like any function.
"""

import ctypes
import os
import pathlib
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

_NEW_USER = 0x10000000
_NEW_SEGMENT = 0o1600


def train(frame: Any, parameters: Any) -> dict[str, Any]:
    """Try everything; 1 for each thing that could be done."""
    libc = ctypes.CDLL(None)
    tries: dict[str, Callable[[], bool]] = {
        "network": lambda: bool(socket.create_connection(("127.0.0.1", parameters["port"]), 1)),
        "sockets": lambda: bool(socket.socket(socket.AF_UNIX)),
        "host-files": lambda: any(map(os.path.lexists, parameters["hidden"])),
        "writable-files": lambda: any(os.access(place, os.W_OK) for place in parameters["places"]),
        "writing": lambda: bool(pathlib.Path(parameters["file"]).write_bytes(b"x")),
        "signals": _signal_all,
        "programs": lambda: bool(subprocess.Popen([sys.executable, "-c", ""])),
        "processes": lambda: bool(os.fork()),
        "environment": lambda: parameters["secret"] in repr(dict(os.environ)),
        "memory": lambda: bool(bytearray(parameters["memory"])),
        "shared-memory": lambda: libc.shmget(0, 4096, _NEW_SEGMENT) >= 0,
        "rights": lambda: libc.unshare(_NEW_USER) == 0,
    }
    done = {name: int(_could(attempt)) for name, attempt in tries.items()}
    return {"done": done, "rows": {"count": [len(frame)]}}


def _signal_all() -> bool:
    os.kill(-1, 0)
    return True


def _could(attempt: Callable[[], bool]) -> bool:
    try:
        return attempt()
    except (OSError, MemoryError, AttributeError):
        return False
