"""Configuration of an organization's Fabric CA server: one for identities, one for TLS, in one process.

Source: Fabric CA `cmd/fabric-ca-server/config.go`, `lib/caconfig.go`. JSON is YAML, so it is written as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fabric_native.endpoints import Endpoints
from fabric_native.nodes import Node
from fabric_native.paths import NetworkPaths
from fabric_native.ports import OPERATIONS
from fabric_operator.private_files import KeyPair

FILE_NAME = "fabric-ca-server-config.yaml"
TLS_DIRECTORY = "tls-ca"
TLS_PROFILE = "tls"
REGISTRAR = "registrar"
_VALID = "8760h"
_UNLIMITED = -1


def ca_name(organization: str) -> str:
    """Name of an organization's CA."""
    return f"{organization}-ca"


def tls_ca_name(organization: str) -> str:
    """Name of an organization's TLS CA, at the same address."""
    return f"{organization}-tls-ca"


def authority_configs(paths: NetworkPaths, node: Node, endpoints: Endpoints, secret: str) -> dict[str, bytes]:
    """The server's configuration files, by path below its home directory.

    Parameters:
        paths: of the network.
        node: the CA.
        endpoints: of the network.
        secret: of the registrar, the first identity of both CAs.
    """
    organization, home = paths.organization(node.organization), paths.node(node)
    host, port = endpoints.listener(node)
    server = {
        "address": host,
        "port": port,
        "loglevel": "warning",
        "tls": {
            "enabled": True,
            "certfile": str(home.tls.certificate),
            "keyfile": str(home.tls.key),
        },
        "cafiles": [f"{TLS_DIRECTORY}/{FILE_NAME}"],
        "operations": _operations(home.tls, organization.tls_ca, endpoints.internal(node, OPERATIONS)),
        "metrics": {"provider": "prometheus"},
        **_authority(ca_name(node.organization), organization.ca, secret),
    }
    tls = _authority(tls_ca_name(node.organization), organization.tls_ca, secret)
    return {FILE_NAME: _document(server), f"{TLS_DIRECTORY}/{FILE_NAME}": _document(tls)}


def _authority(name: str, root: KeyPair, secret: str) -> dict[str, Any]:
    registrar = {
        "name": REGISTRAR,
        "pass": secret,
        "type": "client",
        "affiliation": "",
        "attrs": {
            "hf.Registrar.Roles": "*",
            "hf.Registrar.DelegateRoles": "*",
            "hf.Registrar.Attributes": "*",
            "hf.Revoker": True,
            "hf.GenCRL": True,
            "hf.AffiliationMgr": True,
        },
    }
    usages = ["signing", "key encipherment", "server auth", "client auth", "key agreement"]
    return {
        "ca": {"name": name, "keyfile": str(root.key), "certfile": str(root.certificate)},
        "registry": {"maxenrollments": _UNLIMITED, "identities": [registrar]},
        "db": {"type": "sqlite3", "datasource": "fabric-ca-server.db"},
        "signing": {
            "default": {"usage": ["digital signature"], "expiry": _VALID},
            "profiles": {TLS_PROFILE: {"usage": usages, "expiry": _VALID}},
        },
        "crl": {"expiry": _VALID},
        "idemix": {"rhpoolsize": 1},
    }


def _operations(tls: KeyPair, clients: KeyPair, address: str) -> dict[str, Any]:
    return {
        "listenAddress": address,
        "tls": {
            "enabled": True,
            "cert": {"file": str(tls.certificate)},
            "key": {"file": str(tls.key)},
            # Health is open; log levels and metrics take a client certificate.
            "clientAuthRequired": False,
            "clientRootCAs": {"files": [str(clients.certificate)]},
        },
    }


def _document(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode("utf-8") + b"\n"
