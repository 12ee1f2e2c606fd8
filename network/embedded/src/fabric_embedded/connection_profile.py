"""`network.json`: what a client needs to know of a network. Paths are relative to the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import ORDERER, ca_port, peer_port
from fabric_protocol.topology import Organization, Topology

ENGINE = "embedded"
# Certificates name localhost and the host's address; clients check the name.
SERVER_NAME = "localhost"


def build_profile(paths: NetworkPaths, topology: Topology, ports: Mapping[str, int]) -> bytes:
    """The connection profile of a network, as JSON bytes."""
    document = {
        "version": 1,
        "engine": ENGINE,
        "channel": topology.channel,
        "chaincode": topology.chaincode.name,
        "organizations": {
            organization.msp_id: _organization(paths, topology, organization, ports)
            for organization in topology.organizations
        },
        "orderers": [
            {
                "endpoint": f"{topology.host}:{ports[ORDERER]}",
                "tls_roots": _tls_roots(paths, topology.organizations[0]),
                "server_name": SERVER_NAME,
            }
        ],
    }
    return json.dumps(document, indent=1).encode("utf-8") + b"\n"


def holds_network(directory: Path) -> bool:
    """Whether a directory holds a network of this engine."""
    try:
        document = json.loads(NetworkPaths(directory).profile.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("engine") == ENGINE


def ca_name(organization: str) -> str:
    """Name of an organization's CA."""
    return f"{organization}-ca"


def _organization(
    paths: NetworkPaths, topology: Topology, organization: Organization, ports: Mapping[str, int]
) -> dict[str, object]:
    roots = _tls_roots(paths, organization)
    return {
        "name": organization.name,
        "kind": organization.kind,
        "peers": [
            {
                "endpoint": f"{topology.host}:{ports[peer_port(organization.name)]}",
                "tls_roots": roots,
                "server_name": SERVER_NAME,
            }
        ],
        "ca": {
            "url": f"https://{topology.host}:{ports[ca_port(organization.name)]}",
            "name": ca_name(organization.name),
            "tls_roots": roots,
        },
    }


def _tls_roots(paths: NetworkPaths, organization: Organization) -> str:
    certificate = paths.organization(organization.name).tls_ca.certificate
    return certificate.relative_to(paths.directory).as_posix()
