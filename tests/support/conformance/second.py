"""A second probe chaincode, deployed by the administrators while the network runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.conformance.engines import ALPHA, BETA, PROBE

from fabric_operator.ports import choose_ports
from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_authority, new_private_key
from fabric_protocol.chaincode_package import ChaincodeConnection, ChaincodePackage, build_package
from fabric_protocol.policies import application_policy

POLICY = application_policy(f"AND('{ALPHA}.peer', '{BETA}.peer')")


@contextmanager
def second_service(label: str, directory: Path) -> Iterator[ChaincodePackage]:
    """A service that both peers dial, with certificates of its own, and the package that names it."""
    start = datetime.now(UTC) - timedelta(hours=1)
    authority = new_authority("chaincode", start=start)
    pairs = {}
    for name in ("server", "client"):
        key = new_private_key()
        certificate = issue(
            authority,
            common_name=name,
            public_key=key.public_key(),
            start=start,
            ip_addresses=["127.0.0.1"],
            server=name == "server",
            client=name == "client",
        )
        pairs[name] = (certificate_pem(certificate), key_pem(key))
    root = certificate_pem(authority.certificate)
    address = f"127.0.0.1:{choose_ports([label], '127.0.0.1')[label]}"
    package = build_package(
        label,
        ChaincodeConnection(
            address=address,
            client_certificate=pairs["client"][0].decode(),
            client_key=pairs["client"][1].decode(),
            root_certificate=root.decode(),
        ),
    )
    files = {"CERT": pairs["server"][0], "KEY": pairs["server"][1]}
    environment = {"CORE_CHAINCODE_ID": package.package_id, "CHAINCODE_SERVER_ADDRESS": address}
    for name, content in files.items():
        environment[f"CHAINCODE_TLS_{name}"] = str(
            _private(directory / f"{label}-{name.lower()}.pem", content)
        )
    environment["CHAINCODE_TLS_DISABLED"] = "false"
    environment["CHAINCODE_CLIENT_CA_CERT"] = str(_private(directory / f"{label}-root.pem", root))
    with _process(environment):
        yield package


@contextmanager
def _process(environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(PROBE, env=os.environ | environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert "ready on" in process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _private(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path
