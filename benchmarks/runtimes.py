"""The chaincode runtimes that are compared: ours and the official ones, each with the same contract.

The official Go runtime takes part where somebody has built the contract with it: a program that serves
`bench:put`, `get`, `domain`, `write_many` and `read_many` as `runtime_chaincode.py` does and reads the same
environment, named by `CONSENTRY_GO_CHAINCODE` or found on the PATH as `consentry-bench-chaincode`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_GO_VARIABLE, _GO_NAME = "CONSENTRY_GO_CHAINCODE", "consentry-bench-chaincode"
OURS, NODE, GO = "fabric_shim", "Node", "Go"


@dataclass(frozen=True)
class Runtime:
    """One runtime.

    Attributes:
        name: `OURS`, `NODE` or `GO`.
        command: runs the contract as a service that its environment describes.
    """

    name: str
    command: tuple[str, ...]


def runtimes() -> list[Runtime]:
    """Those that are here, ours first; a line for each that is not."""
    found = []
    finders: dict[str, Callable[[], tuple[str, ...]]] = {OURS: _ours, NODE: _node, GO: _go}
    for name, find in finders.items():
        try:
            found.append(Runtime(name, find()))
        except LookupError as reason:
            print(f"the official {name} runtime: not run; {reason}")
    return found


def _ours() -> tuple[str, ...]:
    return sys.executable, str(_HERE / "runtime_chaincode.py")


def _node() -> tuple[str, ...]:
    packages = next(iter(sorted((_HERE.parent / ".tools").glob("node-packages-*/node_modules"))), None)
    if shutil.which("node") is None or packages is None:
        raise LookupError("it takes Node.js, and its packages, which `make test` installs")
    return "sh", str(_HERE / "node_chaincode" / "serve.sh"), str(packages)


def _go() -> tuple[str, ...]:
    program = os.environ.get(_GO_VARIABLE) or shutil.which(_GO_NAME)
    if program is None:
        raise LookupError(f"{_GO_VARIABLE} names no program, and no {_GO_NAME} is on the PATH")
    if not os.access(program, os.X_OK):
        raise LookupError(f"{_GO_VARIABLE} names {program}, which cannot be run")
    return (program,)
