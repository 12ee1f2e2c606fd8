"""What an organization from outside has to know of a network to make its own part of it: nothing secret."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from fabric_native.member_file import check_ports, reached, read_certificate
from fabric_native.node_processes import Nodes
from fabric_protocol.blocks import header_hash, parse_block
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.errors import ProtocolError
from fabric_protocol.strict_records import invalid, read_record
from fabric_protocol.topology import Topology


@dataclass(frozen=True)
class Invitation:
    """A network, as whoever wants to join needs it.

    Parameters:
        topology: of the network as it is.
        ports: of the nodes that others reach, by the names of `ports.json`.
        genesis: the channel's first block.
        tls_roots: by organization's name the certificate (PEM) that issued its nodes' TLS pairs.
    """

    topology: Topology
    ports: dict[str, int]
    genesis: bytes
    tls_roots: dict[str, bytes]

    @property
    def anchor(self) -> str:
        """Hex SHA-256 of the genesis block's header, to be compared with what the others know."""
        return header_hash(parse_block(self.genesis).header).hex()

    def to_json(self) -> bytes:
        """As a file."""
        document = {
            "topology": self.topology.to_dict(),
            "ports": self.ports,
            "genesis": base64.b64encode(self.genesis).decode("ascii"),
            "tls_roots": {name: pem.decode("ascii") for name, pem in self.tls_roots.items()},
        }
        return json.dumps(document, indent=1).encode("utf-8") + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> Invitation:
        """Read what `to_json` wrote, on whoever's machine.

        Raises:
            TopologyError: TOPOLOGY_INVALID.
        """
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            raise invalid("the invitation is not JSON") from None
        required: dict[str, type] = {"topology": dict, "ports": dict, "genesis": str, "tls_roots": dict}
        fields = read_record(document, "invitation", required, {})
        topology = Topology.from_dict(fields["topology"])
        ports, roots = fields["ports"], fields["tls_roots"]
        names = _reached(topology)
        check_ports(ports, names, "invitation.ports")
        if sorted(roots) != sorted(item.name for item in topology.organizations):
            raise invalid("invitation.tls_roots: expected a certificate for each organization")
        found = {name: read_certificate(text, f"invitation.tls_roots.{name}") for name, text in roots.items()}
        return cls(topology, ports, _genesis(fields["genesis"], topology.channel), found)


def invite(nodes: Nodes) -> Invitation:
    """The invitation to a network, from anybody's part of it."""
    organizations = nodes.topology.organizations
    return Invitation(
        topology=nodes.topology,
        ports={name: nodes.ports[name] for name in _reached(nodes.topology)},
        genesis=nodes.paths.genesis.read_bytes(),
        tls_roots={
            item.name: nodes.paths.organization(item.name).tls_ca.certificate.read_bytes()
            for item in organizations
        },
    )


def _reached(topology: Topology) -> list[str]:
    return [node.name for item in topology.organizations for node in reached(item)]


def _genesis(text: str, channel: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
        found = ChannelConfig.from_block(parse_block(data)).channel_id
    except (binascii.Error, ProtocolError):
        raise invalid("invitation.genesis: expected the channel's first block, in base64") from None
    if found != channel:
        raise invalid(f"invitation.genesis: expected the first block of {channel}, got that of {found}")
    return data
