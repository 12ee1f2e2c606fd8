"""Configuration of peers and ordering nodes: `core.yaml`, `orderer.yaml`, and their environments.

What is left out has the default that Fabric's code gives it. JSON is YAML, so the files are written as JSON.
Source: Fabric `core/peer/config.go`, `gossip/*/config.go`, `orderer/common/localconfig/config.go`; DESIGN §4.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fabric_native.endpoints import Endpoints
from fabric_native.nodes import Kind, Node, peers
from fabric_native.paths import NetworkPaths
from fabric_native.ports import ADMIN, CHAINCODE_LISTENER, OPERATIONS
from fabric_operator.private_files import replace_private
from fabric_protocol.topology import Organization

TIME_WINDOW = "60s"
BUILDER_NAME = "ccaas"
_CONCURRENT = 20_000
_TLS_ROOTS = "tls-roots.pem"


def write_config(paths: NetworkPaths, endpoints: Endpoints, node: Node) -> None:
    """Write the configuration files of a peer or an ordering node, in place of those that are there."""
    for name, content in config_files(paths, endpoints, node, paths).items():
        replace_private(paths.node(node).directory / name, content)


def config_files(
    paths: NetworkPaths, endpoints: Endpoints, node: Node, material: NetworkPaths
) -> dict[str, bytes]:
    """Names, in the node's directory, and contents of the configuration of a peer or an ordering node.

    Parameters:
        paths: where the node will run.
        endpoints: of the network.
        node: which.
        material: where its certificates lie now.
    """
    if node.kind == Kind.ORDERER:
        return {"orderer.yaml": _document(orderer_config(paths, endpoints, node))}
    organizations = [material.organization(item.name) for item in endpoints.topology.organizations]
    roots = b"".join(files.tls_ca.certificate.read_bytes() for files in organizations)
    return {"core.yaml": _document(peer_config(paths, endpoints, node)), _TLS_ROOTS: roots}


def node_environment(paths: NetworkPaths, node: Node) -> dict[str, str]:
    """Environment of a peer or an ordering node."""
    # Gateways send to all orderers; each would say of every transaction that it has it already.
    return {
        "FABRIC_CFG_PATH": str(paths.node(node).directory),
        "FABRIC_LOGGING_SPEC": "warn:orderer.common.broadcast=error",
    }


def peer_config(paths: NetworkPaths, endpoints: Endpoints, node: Node) -> dict[str, Any]:
    """Content of a peer's `core.yaml`."""
    organization = endpoints.topology.organization(node.organization)
    files, address = paths.node(node), endpoints.address(node)
    host, port = endpoints.listener(node)
    return {
        "peer": {
            "id": node.name,
            "networkId": endpoints.topology.channel,
            "listenAddress": f"{host}:{port}",
            "address": address,
            "chaincodeListenAddress": endpoints.internal(node, CHAINCODE_LISTENER),
            "localMspId": organization.msp_id,
            "mspConfigPath": str(files.msp),
            "fileSystemPath": str(files.data),
            "BCCSP": _SOFTWARE_KEYS,
            "tls": {
                "enabled": True,
                "cert": {"file": str(files.tls.certificate)},
                "key": {"file": str(files.tls.key)},
                # All organizations' from the start: a peer that joins dials the others' before it has taken
                # their roots from the channel, and tries again after seconds only.
                "rootcert": {"file": str(files.directory / _TLS_ROOTS)},
            },
            "gateway": {
                "enabled": True,
                "endorsementTimeout": "30s",
                "broadcastTimeout": "30s",
                "dialTimeout": "10s",
            },
            "gossip": _gossip(organization, node, endpoints),
            "authentication": {"timewindow": TIME_WINDOW},
            "handlers": _HANDLERS,
            "discovery": {"enabled": True, "authCacheEnabled": True, "authCacheMaxSize": 1000},
            "limits": {
                "concurrency": dict.fromkeys(
                    ("endorserService", "deliverService", "gatewayService"), _CONCURRENT
                )
            },
            "keepalive": _KEEPALIVE,
            "deliveryclient": {"blockGossipEnabled": False, "reConnectBackoffThreshold": "5s"},
            "maxRecvMsgSize": 100 * 2**20,
            "maxSendMsgSize": 100 * 2**20,
        },
        "vm": {"endpoint": ""},
        "chaincode": {**_CHAINCODE, "externalBuilders": [{"name": BUILDER_NAME, "path": str(paths.builder)}]},
        "ledger": _LEDGER,
        "operations": _peer_operations(paths, node, endpoints.internal(node, OPERATIONS)),
        "metrics": {"provider": "prometheus"},
    }


def orderer_config(paths: NetworkPaths, endpoints: Endpoints, node: Node) -> dict[str, Any]:
    """Content of an ordering node's `orderer.yaml`."""
    files, (host, port) = paths.node(node), endpoints.listener(node)
    roots = [str(paths.organization(node.organization).tls_ca.certificate)]
    tls = {"Enabled": True, "Certificate": str(files.tls.certificate), "PrivateKey": str(files.tls.key)}
    return {
        "General": {
            "ListenAddress": host,
            "ListenPort": port,
            "TLS": {**tls, "RootCAs": roots, "ClientAuthRequired": False},
            "Cluster": {
                "ClientCertificate": str(files.tls.certificate),
                "ClientPrivateKey": str(files.tls.key),
                "SendBufferSize": 100,
            },
            "LocalMSPDir": str(files.msp),
            "LocalMSPID": endpoints.topology.organization(node.organization).msp_id,
            "BCCSP": _SOFTWARE_KEYS,
            "Authentication": {"TimeWindow": TIME_WINDOW},
        },
        "FileLedger": {"Location": str(files.data)},
        "Consensus": {"WALDir": str(files.data / "wal"), "SnapDir": str(files.data / "snapshots")},
        "ChannelParticipation": {"Enabled": True, "MaxRequestBodySize": "16 MB"},
        "Admin": {
            "ListenAddress": endpoints.internal(node, ADMIN),
            "TLS": {**tls, "ClientAuthRequired": True, "ClientRootCAs": roots},
        },
        "Operations": {
            "ListenAddress": endpoints.internal(node, OPERATIONS),
            "TLS": {**tls, "ClientAuthRequired": False, "ClientRootCAs": roots},
        },
        "Metrics": {"Provider": "prometheus"},
    }


_SOFTWARE_KEYS: dict[str, Any] = {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}}
_CHAINCODE: dict[str, Any] = {
    "installTimeout": "60s",
    "startuptimeout": "60s",
    "executetimeout": "30s",
    "mode": "net",
    "system": dict.fromkeys(("_lifecycle", "cscc", "lscc", "qscc"), "enable"),
    "runtimeParams": {
        "useWriteBatch": True,
        "maxSizeWriteBatch": 1000,
        "useGetMultipleKeys": True,
        "maxSizeGetMultipleKeys": 1000,
    },
}
# Left out, clients' intervals are 10 s, for which ordering nodes hang up ("too_many_pings").
_KEEPALIVE: dict[str, Any] = {
    "interval": "7200s",
    "timeout": "20s",
    "minInterval": "10s",
    "client": {"interval": "60s", "timeout": "20s"},
    "deliveryClient": {"interval": "60s", "timeout": "20s"},
}
_LEDGER: dict[str, Any] = {
    "state": {"stateDatabase": "goleveldb", "totalQueryLimit": 100_000},
    "history": {"enableHistoryDatabase": True},
    "pvtdataStore": {"purgeInterval": 1},
}
_HANDLERS: dict[str, Any] = {
    "authFilters": [{"name": "DefaultAuth"}, {"name": "ExpirationCheck"}, {"name": "TimeWindowCheck"}],
    "decorators": [{"name": "DefaultDecorator"}],
    "endorsers": {"escc": {"name": "DefaultEndorsement"}},
    "validators": {"vscc": {"name": "DefaultValidation"}},
}


def _document(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode("utf-8") + b"\n"


def _gossip(organization: Organization, node: Node, endpoints: Endpoints) -> dict[str, Any]:
    own = endpoints.address(node)
    others = [endpoints.address(peer) for peer in peers(organization) if peer != node]
    return {
        "bootstrap": others or [own],
        "endpoint": own,
        "externalEndpoint": own,
        # Every peer takes blocks from the ordering nodes itself.
        "useLeaderElection": False,
        "orgLeader": True,
        "reconnectInterval": "1s",
        # What chaincodes a peer has, its peers hear at these beats: by default each is 4 s.
        "publishStateInfoInterval": "1s",
        "requestStateInfoInterval": "1s",
        "pvtData": {
            "pullRetryThreshold": "60s",
            "transientstoreMaxBlockRetention": 20_000,
            "pushAckTimeout": "3s",
            "btlPullMargin": 10,
            "reconcileBatchSize": 10,
            "reconcileSleepInterval": "1m",
            "reconciliationEnabled": True,
            # Else an invalid transaction with private data that nobody has stops a peer for a minute.
            "skipPullingInvalidTransactionsDuringCommit": True,
            "implicitCollectionDisseminationPolicy": {
                "requiredPeerCount": 0,
                "maxPeerCount": max(1, len(others)),
            },
        },
        "state": {"enabled": False},
    }


def _peer_operations(paths: NetworkPaths, node: Node, address: str) -> dict[str, Any]:
    files = paths.node(node)
    return {
        "listenAddress": address,
        "tls": {
            "enabled": True,
            "cert": {"file": str(files.tls.certificate)},
            "key": {"file": str(files.tls.key)},
            # Health is open; log levels and metrics take a client certificate.
            "clientAuthRequired": False,
            "clientRootCAs": {"files": [str(paths.organization(node.organization).tls_ca.certificate)]},
        },
    }
