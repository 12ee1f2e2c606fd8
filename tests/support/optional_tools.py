"""The one table of tools that tests use where they find them.

A test that needs one carries the mark `optional_tool("<name>")`, or asks for the fixture `optional_tool` and
names the tool. `make test` ends with a line for each tool: run, or not run and why.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.chromium import find_chromium
from support.faults.clocks import clocks_allowed
from support.ordinary_user import find_interpreter
from support.other_pythons import find_python, other_versions
from support.postgresql import find_postgresql
from support.verapdf import find_verapdf

from fabric_native import BinariesNotFoundError, find_binaries, find_binary

_SOFTHSM_LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so")


@dataclass(frozen=True)
class OptionalTool:
    """One tool: how it is found and what its tests show."""

    name: str
    shows: str
    find: Callable[[], str]
    """Where it is; raises LookupError with the reason when it is not there."""


def _fabric_binaries() -> str:
    try:
        return str(find_binaries().peer.path)
    except BinariesNotFoundError as error:
        raise LookupError(str(error)) from error


def _fabric_ca() -> str:
    try:
        return str(find_binary("fabric-ca-server").path)
    except BinariesNotFoundError as error:
        raise LookupError(str(error)) from error


def _fabric_ca_client() -> str:
    server = Path(_fabric_ca())
    if not (client := server.with_name("fabric-ca-client")).is_file():
        raise LookupError(f"no fabric-ca-client beside {server}")
    return str(client)


def _node() -> str:
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        raise LookupError(f"no {' and no '.join(missing)} on the PATH; Node.js 20 or later has both")
    return str(shutil.which("node"))


def _other_pythons() -> str:
    found, reasons = [], []
    for version in other_versions():
        try:
            found.append(find_python(version))
        except LookupError as reason:
            reasons.append(str(reason))
    if not found:
        raise LookupError("; ".join(reasons))
    return ", ".join(found)


def _python_3_11() -> str:
    place = shutil.which("python3.11")
    if place is None or subprocess.run([place, "-V"], check=False, capture_output=True).returncode:
        raise LookupError("no python3.11 on the PATH that runs")
    return place


def _softhsm() -> str:
    if shutil.which("softhsm2-util") is None:
        raise LookupError("no softhsm2-util on the PATH; Debian has it as softhsm2")
    for place in _SOFTHSM_LIBRARIES:
        if Path(place).is_file():
            return place
    raise LookupError(f"no SoftHSM library in {', '.join(_SOFTHSM_LIBRARIES)}")


def _strace() -> str:
    place = shutil.which("strace")
    if place is None:
        raise LookupError("no strace on the PATH; it comes with every Linux distribution")
    if subprocess.run([place, "-o", os.devnull, "true"], check=False, capture_output=True).returncode:
        raise LookupError("strace may not trace processes here")
    return place


def _torch() -> str:
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        raise LookupError("PyTorch is not installed; bring it by .tools/bin/uv pip install torch")
    return str(Path(found.origin).parent)


def _bubblewrap() -> str:
    place = shutil.which("bwrap")
    if place is None:
        raise LookupError("no bwrap on the PATH; Linux distributions have it as bubblewrap")
    tried = subprocess.run(
        [place, "--unshare-all", "--ro-bind", "/", "/", "true"], check=False, capture_output=True
    )
    if tried.returncode:
        raise LookupError("bubblewrap may not make namespaces here")
    return place


def _tmpfs() -> str:
    place = shutil.which("mount")
    if place is None or os.geteuid() != 0:
        raise LookupError("mounting a small file system takes root")
    with tempfile.TemporaryDirectory() as directory:
        if subprocess.run(
            [place, "-t", "tmpfs", "tmpfs", directory], check=False, capture_output=True
        ).returncode:
            raise LookupError("file systems may not be mounted here")
        subprocess.run(["umount", directory], check=True)
    return place


def _network_namespaces() -> str:
    place = shutil.which("ip")
    if place is None or os.geteuid() != 0:
        raise LookupError("making network namespaces takes root and the program `ip`")
    name = f"consentry-{os.getpid()}"
    if subprocess.run([place, "netns", "add", name], check=False, capture_output=True).returncode:
        raise LookupError("network namespaces may not be made here")
    subprocess.run([place, "netns", "del", name], check=True)
    return place


def _clocks() -> str:
    if not clocks_allowed():
        raise LookupError("setting off another process's clock takes root and an x86-64 Linux kernel")
    return "/proc"


def _systemd_analyze() -> str:
    place = shutil.which("systemd-analyze")
    if place is None:
        raise LookupError("no systemd-analyze on the PATH; it comes with systemd")
    return place


OPTIONAL_TOOLS = (
    OptionalTool(
        "fabric-binaries",
        "fabric_native finds the official peer and orderer; `peer` manages the embedded engine's chaincode",
        _fabric_binaries,
    ),
    OptionalTool("fabric-ca", "the CA client works with the official Fabric CA server", _fabric_ca),
    OptionalTool(
        "fabric-ca-client",
        "Hyperledger's own command line enrols, registers and revokes at the embedded engine's CA",
        _fabric_ca_client,
    ),
    OptionalTool(
        "node", "Hyperledger's Node.js client and chaincode runtime work with the embedded engine", _node
    ),
    OptionalTool(
        "other-pythons", "contracts send the same bytes in other versions of Python", _other_pythons
    ),
    OptionalTool("chromium", "officers use the pages in a real browser", find_chromium),
    OptionalTool("python3.11", "fabric-sdk-py 1.0.0, which needs it, queries and invokes", _python_3_11),
    OptionalTool("softhsm", "transactions are signed by keys on a PKCS#11 token", _softhsm),
    OptionalTool("strace", "acknowledged transactions survive a power failure, by crash images", _strace),
    OptionalTool("postgresql", "the trail index works in PostgreSQL as in SQLite", find_postgresql),
    OptionalTool(
        "network-namespaces",
        "real nodes survive kills, lies, partitions, slow and full disks and wrong clocks",
        _network_namespaces,
    ),
    OptionalTool("clocks", "clocks of real nodes are a minute apart", _clocks),
    OptionalTool("torch", "PyTorch modules are registered, and their example program trains", _torch),
    OptionalTool("ordinary-user", "real Fabric runs as a user without privileges", find_interpreter),
    OptionalTool("bubblewrap", "hostile functions run beside the data and reach nothing", _bubblewrap),
    OptionalTool("systemd-analyze", "systemd itself reads a bundle's units", _systemd_analyze),
    OptionalTool("verapdf", "reports in PDF are PDF/A-2a by the PDF Association's own checker", find_verapdf),
    OptionalTool("tmpfs", "a full disk and a read-only one do no harm", _tmpfs),
)


def find_optional_tool(name: str) -> str:
    """Where a tool is.

    Raises:
        LookupError: it is not there; the reason is the sentence.
    """
    return next(tool for tool in OPTIONAL_TOOLS if tool.name == name).find()
