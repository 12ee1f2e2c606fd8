"""What an organization that wants to join says of itself: certificates and addresses, and no secret."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fabric_native.endpoints import Endpoints
from fabric_native.genesis import consenter
from fabric_native.nodes import Node, authority, orderer, peers
from fabric_native.paths import NetworkPaths
from fabric_protocol.channel_config import Consenter, OrganizationConfig
from fabric_protocol.errors import IdentityError
from fabric_protocol.identities import parse_certificate
from fabric_protocol.msp import build_msp_config
from fabric_protocol.strict_records import invalid, read_record
from fabric_protocol.topology import Organization

_LARGEST_PORT = 65535


@dataclass(frozen=True)
class MemberFile:
    """An organization from outside, as the others take it in.

    Parameters:
        organization: as the topology will have it.
        ports: of its nodes that others reach, by the names of `ports.json`.
        root: certificate (PEM) of its MSP.
        tls_root: certificate (PEM) that issued its nodes' TLS pairs.
        orderer_identity: certificate (PEM) with which its ordering node signs.
        orderer_tls: TLS certificate (PEM) of its ordering node.
    """

    organization: Organization
    ports: dict[str, int]
    root: bytes
    tls_root: bytes
    orderer_identity: bytes
    orderer_tls: bytes

    @property
    def config(self) -> OrganizationConfig:
        """What the channel's configuration is to say of it."""
        item = self.organization
        msp_config = build_msp_config(
            item.msp_id, root_certificates=[self.root], tls_root_certificates=[self.tls_root]
        )
        return OrganizationConfig(
            item.name, item.msp_id, msp_config, (self._at(orderer(item)),), (self._at(peers(item)[0]),)
        )

    @property
    def consenter(self) -> Consenter:
        """What the channel's configuration is to say of its ordering node; the channel numbers it."""
        return Consenter(
            host=str(self.organization.host),
            port=self.ports[orderer(self.organization).name],
            client_tls_certificate=self.orderer_tls,
            server_tls_certificate=self.orderer_tls,
            msp_id=self.organization.msp_id,
            identity=self.orderer_identity,
        )

    def _at(self, node: Node) -> str:
        return f"{self.organization.host}:{self.ports[node.name]}"

    def to_json(self) -> bytes:
        """As a file."""
        texts = {name: getattr(self, name).decode("ascii") for name in _CERTIFICATES}
        document = {"organization": self.organization.to_dict(), "ports": self.ports, **texts}
        return json.dumps(document, indent=1).encode("utf-8") + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> MemberFile:
        """Read what `to_json` wrote, on whoever's machine.

        Raises:
            TopologyError: TOPOLOGY_INVALID.
        """
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            raise invalid("the member file is not JSON") from None
        required: dict[str, type] = {"organization": dict, "ports": dict, **dict.fromkeys(_CERTIFICATES, str)}
        fields: dict[str, Any] = read_record(document, "member", required, {})
        organization = Organization.from_dict(fields["organization"], "member.organization")
        if organization.host is None:
            raise invalid("member.organization: field 'host' is missing: the others have to reach its nodes")
        for name in _CERTIFICATES:
            fields[name] = read_certificate(fields[name], f"member.{name}")
        check_ports(fields["ports"], [node.name for node in reached(organization)], "member.ports")
        return cls(**{**fields, "organization": organization})


def describe_member(paths: NetworkPaths, endpoints: Endpoints, organization: Organization) -> MemberFile:
    """What the organization that a directory belongs to says of itself."""
    files = paths.organization(organization.name)
    node = consenter(paths, endpoints, organization, 0)
    return MemberFile(
        organization=organization,
        ports={item.name: endpoints.ports[item.name] for item in reached(organization)},
        root=files.ca.certificate.read_bytes(),
        tls_root=files.tls_ca.certificate.read_bytes(),
        orderer_identity=node.identity,
        orderer_tls=node.server_tls_certificate,
    )


_CERTIFICATES = ("root", "tls_root", "orderer_identity", "orderer_tls")


def reached(organization: Organization) -> list[Node]:
    """The nodes of an organization that others reach."""
    return [authority(organization), orderer(organization), *peers(organization)]


def check_ports(ports: dict[str, Any], names: Sequence[str], where: str) -> None:
    """Refuse what is not a port for each of these nodes.

    Raises:
        TopologyError: TOPOLOGY_INVALID.
    """
    if sorted(ports) != sorted(names):
        raise invalid(f"{where}: expected {', '.join(names)}, got {', '.join(map(str, ports)) or 'none'}")
    for name, port in ports.items():
        if type(port) is not int or not 1 <= port <= _LARGEST_PORT:
            raise invalid(f"{where}.{name}: expected 1 to {_LARGEST_PORT}, got {port!r}")


def read_certificate(text: object, where: str) -> bytes:
    """A certificate (PEM) that came from another machine.

    Raises:
        TopologyError: TOPOLOGY_INVALID; also where its private key came with it.
    """
    try:
        data = str(text).encode("ascii")
        parse_certificate(data)
    except (IdentityError, UnicodeEncodeError):
        raise invalid(f"{where}: expected a certificate in PEM") from None
    if b"PRIVATE KEY" in data:
        raise invalid(f"{where}: holds a private key, which nobody else may have")
    return data
