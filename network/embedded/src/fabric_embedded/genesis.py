"""The genesis block of an embedded network: a real channel configuration, all that a verifier needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import ORDERER, peer_port
from fabric_operator.membership import organization_config
from fabric_protocol.channel_config import Consenter, genesis_block
from fabric_protocol.ordering_config import RAFT
from fabric_protocol.topology import Topology


def build_genesis_block(
    paths: NetworkPaths, topology: Topology, ports: Mapping[str, int], timestamp: datetime
) -> bytes:
    """M(Block) number 0 from the organizations' certificates.

    Parameters:
        paths: of a network whose key material exists.
        topology: its topology; its first organization runs the one ordering node.
        ports: its ports.
        timestamp: time of creation (UTC, aware).
    """
    endpoint = f"{topology.host}:{ports[ORDERER]}"
    organizations = [
        organization_config(paths, item, endpoint, f"{topology.host}:{ports[peer_port(item.name)]}")
        for item in topology.organizations
    ]
    # One process orders, whatever consensus the topology names for real Fabric.
    ordering = replace(topology.ordering, consensus=RAFT, consenters=(_consenter(paths, topology, ports),))
    block = genesis_block(topology.channel, organizations, ordering, timestamp=timestamp)
    serialized: bytes = block.SerializeToString(deterministic=True)
    return serialized


def _consenter(paths: NetworkPaths, topology: Topology, ports: Mapping[str, int]) -> Consenter:
    first = topology.organizations[0]
    files = paths.organization(first.name)
    tls = files.orderer_tls.certificate.read_bytes()
    return Consenter(
        host=topology.host,
        port=ports[ORDERER],
        client_tls_certificate=tls,
        server_tls_certificate=tls,
        msp_id=first.msp_id,
        identity=files.orderer.certificate.read_bytes(),
    )
