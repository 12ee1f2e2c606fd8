"""`network.json`: what a client needs to know of a network, the same under either engine.

Paths in it are relative to the file. Source: DESIGN §2.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric_protocol.topology import Topology

# Certificates name localhost and the host's address; clients check the name.
SERVER_NAME = "localhost"


@dataclass(frozen=True)
class OrganizationEndpoints:
    """How an organization's nodes are reached.

    Parameters:
        peers: "host:port" of each.
        ca_url: of its CA, "https://…".
        ca_name: the CA's name at that URL.
        tls_roots: path of the organization's TLS roots, relative to the profile.
        orderers: "host:port" of each ordering node; none where another organization's are used.
    """

    peers: Sequence[str]
    ca_url: str
    ca_name: str
    tls_roots: str
    orderers: Sequence[str] = ()


def network_profile(engine: str, topology: Topology, endpoints: Mapping[str, OrganizationEndpoints]) -> bytes:
    """The connection profile of a network, as JSON bytes.

    Parameters:
        engine: "embedded" or "fabric".
        topology: the network.
        endpoints: by name of the organization.
    """
    document = {
        "version": 1,
        "engine": engine,
        "channel": topology.channel,
        "chaincode": topology.chaincode.name,
        "organizations": {
            item.msp_id: {
                "name": item.name,
                "kind": item.kind,
                "peers": [_node(peer, endpoints[item.name]) for peer in endpoints[item.name].peers],
                "ca": {
                    "url": endpoints[item.name].ca_url,
                    "name": endpoints[item.name].ca_name,
                    "tls_roots": endpoints[item.name].tls_roots,
                },
            }
            for item in topology.organizations
        },
        "orderers": [
            _node(orderer, endpoints[item.name])
            for item in topology.organizations
            for orderer in endpoints[item.name].orderers
        ],
    }
    return json.dumps(document, indent=1).encode("utf-8") + b"\n"


def _node(endpoint: str, organization: OrganizationEndpoints) -> dict[str, Any]:
    return {"endpoint": endpoint, "tls_roots": organization.tls_roots, "server_name": SERVER_NAME}
