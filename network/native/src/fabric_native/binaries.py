"""Find the official Fabric binaries: a named directory, then PATH, then the per-user directory."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fabric_native.errors import BinariesNotFoundError

FABRIC_VERSION = "3.1.5"
CA_VERSION = "1.5.21"
REQUIRED = ("peer", "orderer")
# Names that are looked for, and the version that each must answer.
VERSIONS: Mapping[str, str] = MappingProxyType(
    {"peer": FABRIC_VERSION, "orderer": FABRIC_VERSION, "fabric-ca-server": CA_VERSION}
)
_VERSION_SECONDS = 10.0
_REMEDY = "Get it with: consentry network install-fabric{}; or name the directory that holds it."


@dataclass(frozen=True)
class Binary:
    """One executable of Fabric.

    Args:
        name: Its name, `peer`, `orderer` or `fabric-ca-server`.
        path: Where it is.
        version: What it answers to `version`, such as `3.1.5`.
    """

    name: str
    path: Path
    version: str


@dataclass(frozen=True)
class FabricBinaries:
    """The binaries that a native network needs, all of :data:`FABRIC_VERSION`."""

    peer: Binary
    orderer: Binary


def find_binaries(
    directory: Path | None = None, *, environment: Mapping[str, str] | None = None
) -> FabricBinaries:
    """Find `peer` and `orderer` of Fabric v3.1.5.

    Args:
        directory: Looked at first when given.
        environment: Where PATH, HOME and XDG_DATA_HOME are read; the process's own by default.

    Raises:
        BinariesNotFoundError: BINARIES_MISSING or VERSION_UNFIT, with every place looked at and how to
            get them.
    """
    return FabricBinaries(*(find_binary(name, directory, environment=environment) for name in REQUIRED))


def find_binary(
    name: str, directory: Path | None = None, *, environment: Mapping[str, str] | None = None
) -> Binary:
    """Find one executable of :data:`VERSIONS`; arguments and errors as for :func:`find_binaries`."""
    return _find(name, list(_places(directory, os.environ if environment is None else environment)))


def user_directory(environment: Mapping[str, str] | None = None) -> Path | None:
    """The per-user directory in whose `bin` the binaries are looked for last; None without HOME."""
    environment = os.environ if environment is None else environment
    home = environment.get("HOME", "")
    data = environment.get("XDG_DATA_HOME") or (str(Path(home) / ".local" / "share") if home else "")
    return Path(data) / "consentry" / f"fabric-{FABRIC_VERSION}" if data else None


def _places(directory: Path | None, environment: Mapping[str, str]) -> Iterator[Path]:
    if directory is not None:
        yield directory
    for entry in environment.get("PATH", "").split(os.pathsep):
        if entry:
            yield Path(entry)
    user = user_directory(environment)
    if user is not None:
        yield user / "bin"


def _find(name: str, places: Sequence[Path]) -> Binary:
    expected = VERSIONS[name]
    remedy = _REMEDY.format(" --ca" if expected == CA_VERSION else "")
    unfit: list[str] = []
    for place in places:
        found = shutil.which(name, path=str(place))
        if found is None:
            continue
        version = _version(Path(found))
        if version == expected:
            return Binary(name, Path(found), version)
        unfit.append(f"{found} answers {version or 'no version'}")
    if unfit:
        raise BinariesNotFoundError(
            "VERSION_UNFIT", f"Fabric's {name} must be version {expected}; {'; '.join(unfit)}. {remedy}"
        )
    raise BinariesNotFoundError(
        "BINARIES_MISSING",
        f"Fabric's {name} {expected} was not found in {', '.join(map(str, places)) or 'any place'}. {remedy}",
    )


def _version(path: Path) -> str | None:
    """The version that an executable tells, or None when it tells none."""
    try:
        # The caller named the place or put it on PATH; the argument is fixed.
        done = subprocess.run(  # noqa: S603
            [str(path), "version"], capture_output=True, text=True, timeout=_VERSION_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    match = re.search(r"^\s*Version:\s*v?(\d+\.\d+\.\d+)\s*$", done.stdout, re.MULTILINE)
    return match.group(1) if match else None
