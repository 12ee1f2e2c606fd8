"""The external builder by which a peer takes chaincode packages of type ccaas: detect, build, release.

The peer runs it as a program of its own with an almost empty environment, so it imports nothing of ours.
Source: Fabric `core/container/externalbuilder` (arguments, directories), `ccaas_builder` (content).
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

_CONNECTION = "connection.json"
STEPS = ("detect", "build", "release")


def scripts(interpreter: str, program: Path = Path(__file__)) -> dict[str, bytes]:
    """The builder's programs by name: each runs this file, or a copy of it, with `interpreter`.

    Python starts isolated and without site packages: faster, and nothing from the peer's environment counts.
    """
    command = f"{shlex.quote(interpreter)} -I -S {shlex.quote(str(program.absolute()))}"
    return {step: f'#!/bin/sh\nexec {command} {step} "$@"\n'.encode() for step in STEPS}


def detect(_source: Path, metadata: Path) -> int:
    """0 when the package is of type ccaas, so that this builder takes it."""
    document = json.loads((metadata / "metadata.json").read_text(encoding="utf-8"))
    return 0 if str(document.get("type", "")).lower() == "ccaas" else 1


def build(source: Path, _metadata: Path, output: Path) -> int:
    """Keep what the package says of the service's address."""
    shutil.copyfile(source / _CONNECTION, output / _CONNECTION)
    return 0


def release(built: Path, output: Path) -> int:
    """Put it where the peer looks for it."""
    server = output / "chaincode" / "server"
    server.mkdir(parents=True)
    shutil.copyfile(built / _CONNECTION, server / _CONNECTION)
    return 0


def main(arguments: list[str]) -> int:
    """Run a step; 1 says no, with the reason on standard error."""
    try:
        step, *directories = arguments
        steps: dict[str, Callable[..., int]] = {"detect": detect, "build": build, "release": release}
        return steps[step](*map(Path, directories))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"the chaincode package cannot be used: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
