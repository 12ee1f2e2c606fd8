"""Chaincode that a real peer launches by itself, through an external builder with a `run` program.

Source: Fabric `core/container/externalbuilder` (`RunConfig` in `chaincode.json`, arguments of the programs).
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

from support import basic_chaincode

from fabric_native import NativeNetwork

RECONNECT_SECONDS = "2"
_TAKES_PYTHON = {
    "detect": """grep -q '"type":"python"' "$2/metadata.json" && exit 0""",
    "build": """grep -q '"type":"python"' "$2/metadata.json" && exec cp "$1/launch.py" "$3/launch.py" """,
    "release": """test -f "$1/launch.py" && exit 0""",
}
_LAUNCH = f'''
import json, os, sys
from pathlib import Path

place = Path(sys.argv[1])
told = json.loads((place / "chaincode.json").read_text())
files = {{}}
for name in ("client_cert", "client_key", "root_cert"):
    files[name] = place / f"{{name}}.pem"
    files[name].write_text(told[name])
    files[name].chmod(0o600)
os.environ |= {{
    "CORE_CHAINCODE_ID_NAME": told["chaincode_id"],
    "CORE_PEER_TLS_ENABLED": "true",
    "CORE_PEER_TLS_ROOTCERT_FILE": str(files["root_cert"]),
    "CORE_TLS_CLIENT_KEY_FILE": str(files["client_key"]),
    "CORE_TLS_CLIENT_CERT_FILE": str(files["client_cert"]),
    "CHAINCODE_RECONNECT_SECONDS": "{RECONNECT_SECONDS}",
}}
program = {str(Path(basic_chaincode.__file__).absolute())!r}
os.execv({sys.executable!r}, [{sys.executable!r}, program, "--peer.address", told["peer_address"]])
'''


def let_peers_launch(network: NativeNetwork, organization: str) -> None:
    """Before the network is up first: an organization's peer is to launch the chaincode, and builders may."""
    programs = network.directory / "builder" / "bin"
    for name, taken in _TAKES_PYTHON.items():
        program = programs / name
        program.rename(programs / f"{name}-ccaas")
        _write(program, f'{taken}\nexec "$0-ccaas" "$@"')
    _write(programs / "run", f'exec {sys.executable} "$1/launch.py" "$2"')
    data = _archive(
        {
            "code.tar.gz": _archive({"launch.py": _LAUNCH.encode()}),
            "metadata.json": json.dumps(
                {"label": "launched_1.0", "path": "", "type": "python"}, separators=(",", ":")
            ).encode(),
        }
    )
    service = network.directory / "organizations" / organization / f"chaincode-{organization}"
    (service / "package.tar.gz").write_bytes(data)
    (service / "package-id.txt").write_text(f"launched_1.0:{hashlib.sha256(data).hexdigest()}\n")


def _write(program: Path, text: str) -> None:
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o700)


def _archive(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()
