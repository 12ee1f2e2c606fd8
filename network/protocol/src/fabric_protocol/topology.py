"""A network as data: its organizations, its channel, its chaincode. Both engines take the same.

It is kept as JSON; whatever does not fit is refused by name. Source: DESIGN §4, §5; names as fabric-behaviour
§11.2 and §12 want them.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fabric_protocol.collections import Collection
from fabric_protocol.errors import ProtocolError, TopologyError
from fabric_protocol.ordering_config import OrderingConfig
from fabric_protocol.policy_building import application_policy
from fabric_protocol.policy_language import parse_policy
from fabric_protocol.strict_records import invalid, read_record, read_texts

_CHANNEL: Final = re.compile(r"[a-z][a-z0-9.-]{0,248}")
# Names become directories and group names: no dots, so that no name leads out of its directory.
_ORGANIZATION: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_MSP_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_CHAINCODE: Final = re.compile(r"[a-zA-Z0-9]+(?:[-_][a-zA-Z0-9]+)*")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_MOST_PEERS: Final = 9
_LEVELDB: Final = "leveldb"
_VERSION: Final = re.compile(r"[A-Za-z0-9_.+-]+")


@dataclass(frozen=True)
class Organization:
    """One organization of the network.

    Parameters:
        name: lower-case letters, digits, hyphens; names its directory and its group in the channel.
        msp_id: id of its MSP.
        kind: label for users of the topology, e.g. "hospital", "regulator"; engines ignore it.
        peers: how many peers it runs, 1 to 9; only real Fabric runs more than one.
        country: where it is (ISO 3166-1, two capital letters), if that matters; engines ignore it.
        host: name or address at which its nodes are reached, where that is not the topology's; only real
            Fabric runs on more than one machine.

    Raises:
        TopologyError: TOPOLOGY_INVALID.
    """

    name: str
    msp_id: str
    kind: str
    peers: int = 1
    country: str | None = None
    host: str | None = None

    def __post_init__(self) -> None:
        _match(_ORGANIZATION, self.name, "organization.name", "lower-case letters, digits, '-'")
        _match(_MSP_ID, self.msp_id, f"organization {self.name}.msp_id", "letters, digits, '.', '-'")
        _match(_KIND, self.kind, f"organization {self.name}.kind", "lower-case letters, digits, '-'")
        if not 1 <= self.peers <= _MOST_PEERS:
            raise invalid(f"organization {self.name}.peers: expected 1 to {_MOST_PEERS}, got {self.peers}")
        if self.country is not None:
            _match(_COUNTRY, self.country, f"organization {self.name}.country", "two capital letters")
        if self.host is not None:
            _match(_HOST, self.host, f"organization {self.name}.host", "a host name or an IPv4 address")

    def to_dict(self) -> dict[str, Any]:
        """As a JSON document."""
        written = {"name": self.name, "msp_id": self.msp_id, "kind": self.kind, "peers": self.peers}
        more = {"country": self.country, "host": self.host}
        return {**written, **{name: value for name, value in more.items() if value is not None}}

    @classmethod
    def from_dict(cls, document: object, where: str = "organization") -> "Organization":
        """Read what `to_dict` wrote.

        Raises:
            TopologyError: TOPOLOGY_INVALID.
        """
        required: dict[str, type] = {"name": str, "msp_id": str, "kind": str}
        optional: dict[str, type] = {"peers": int, "country": str, "host": str}
        return cls(**read_record(document, where, required, optional))


@dataclass(frozen=True)
class CollectionDefinition:
    """One private data collection, its policies as text.

    Parameters:
        name: of the collection.
        members: policy text of ORs: whose peers hold the data.
        member_only_read: chaincode may read for members' clients only.
        member_only_write: chaincode may write for members' clients only.
        endorsement: policy text for writes; None leaves it to the chaincode's policy.
        block_to_live: blocks after which data expires; 0 keeps it.
        maximum_peer_count: to how many other member peers an endorser hands the data; a member organization
            with several peers needs as many as it has besides the endorser.

    Raises:
        TopologyError: TOPOLOGY_INVALID.
    """

    name: str
    members: str
    member_only_read: bool = True
    member_only_write: bool = True
    endorsement: str | None = None
    block_to_live: int = 0
    maximum_peer_count: int = 0

    def __post_init__(self) -> None:
        self.collection()

    def collection(self) -> Collection:
        """The collection as a chaincode definition takes it."""
        try:
            endorsement = None if self.endorsement is None else application_policy(self.endorsement)
            return Collection(
                name=self.name,
                member_orgs_policy=parse_policy(self.members),
                member_only_read=self.member_only_read,
                member_only_write=self.member_only_write,
                endorsement_policy=endorsement,
                block_to_live=self.block_to_live,
                maximum_peer_count=self.maximum_peer_count,
            )
        except ProtocolError as error:
            raise invalid(f"collection {self.name}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """As a JSON document."""
        return {
            "name": self.name,
            "members": self.members,
            "member_only_read": self.member_only_read,
            "member_only_write": self.member_only_write,
            "endorsement": self.endorsement,
            "block_to_live": self.block_to_live,
            "maximum_peer_count": self.maximum_peer_count,
        }

    @classmethod
    def from_dict(cls, document: object, where: str = "collection") -> "CollectionDefinition":
        """Read what `to_dict` wrote.

        Raises:
            TopologyError: TOPOLOGY_INVALID.
        """
        required: dict[str, type] = {"name": str, "members": str}
        optional: dict[str, type] = {
            "member_only_read": bool,
            "member_only_write": bool,
            "endorsement": str,
            "block_to_live": int,
            "maximum_peer_count": int,
        }
        return cls(**read_record(document, where, required, optional))


@dataclass(frozen=True)
class ChaincodeDefinition:
    """The chaincode that the network runs.

    Parameters:
        name: letters and digits, joined by single hyphens or underscores.
        policy: its endorsement policy as text, or a channel policy's path.
        command: argument list that runs one chaincode service.
        version: letters, digits, and `_.+-`.
        sequence: of its definition, at least 1.
        collections: with distinct names.

    Raises:
        TopologyError: TOPOLOGY_INVALID.
    """

    name: str
    policy: str
    command: tuple[str, ...]
    version: str = "1.0"
    sequence: int = 1
    collections: tuple[CollectionDefinition, ...] = ()

    def __post_init__(self) -> None:
        _match(_CHAINCODE, self.name, "chaincode.name", "letters and digits, joined by '-' or '_'")
        _match(_VERSION, self.version, "chaincode.version", "letters, digits, '_', '.', '+', '-'")
        if self.sequence < 1:
            raise invalid(f"chaincode.sequence: expected at least 1, got {self.sequence}")
        if not self.command or not self.command[0]:
            raise invalid("chaincode.command: expected a program and its arguments")
        _distinct([collection.name for collection in self.collections], "chaincode.collections", "name")
        self.validation_parameter()

    def validation_parameter(self) -> bytes:
        """M(ApplicationPolicy) of the endorsement policy."""
        try:
            return application_policy(self.policy)
        except ProtocolError as error:
            raise invalid(f"chaincode.policy: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """As a JSON document."""
        return {
            "name": self.name,
            "version": self.version,
            "sequence": self.sequence,
            "policy": self.policy,
            "collections": [collection.to_dict() for collection in self.collections],
            "command": list(self.command),
        }

    @classmethod
    def from_dict(cls, document: object, where: str = "chaincode") -> "ChaincodeDefinition":
        """Read what `to_dict` wrote.

        Raises:
            TopologyError: TOPOLOGY_INVALID.
        """
        optional: dict[str, type] = {"version": str, "sequence": int, "collections": list}
        required: dict[str, type] = {"name": str, "policy": str, "command": list}
        fields = read_record(document, where, required, optional)
        fields["command"] = read_texts(fields["command"], f"{where}.command")
        fields["collections"] = tuple(
            CollectionDefinition.from_dict(item, f"{where}.collections[{index}]")
            for index, item in enumerate(fields.get("collections", []))
        )
        return cls(**fields)


@dataclass(frozen=True)
class Topology:
    """A whole network.

    Parameters:
        channel: id of its one channel.
        organizations: at least one, with distinct names and MSP ids.
        chaincode: what it runs.
        ordering: how it orders.
        host: address that its nodes listen on and are reached at, where their organization has none of its
            own; nodes listen there in any case with what is for their own machine only.
        state_database: where peers keep state; "leveldb", which is by keys and ranges, is the only one.

    Raises:
        TopologyError: TOPOLOGY_INVALID.
    """

    channel: str
    organizations: tuple[Organization, ...]
    chaincode: ChaincodeDefinition
    ordering: OrderingConfig = field(default_factory=OrderingConfig)
    host: str = "127.0.0.1"
    state_database: str = _LEVELDB

    def __post_init__(self) -> None:
        _match(_CHANNEL, self.channel, "topology.channel", "lower-case letters, digits, '.', '-'")
        if not self.organizations:
            raise invalid("topology.organizations: expected at least one")
        names = [organization.name for organization in self.organizations]
        _distinct(names, "topology.organizations", "name")
        msp_ids = [organization.msp_id for organization in self.organizations]
        _distinct(msp_ids, "topology.organizations", "msp_id")
        if not self.host:
            raise invalid("topology.host: expected an address, got an empty text")
        if self.state_database.lower() != _LEVELDB:
            raise invalid(
                f"topology.state_database: {self.state_database!r} is not supported: peers keep state in "
                f"{_LEVELDB!r}, and the trail index answers what CouchDB's queries would; leave it out"
            )

    def organization(self, name: str) -> Organization:
        """The organization with a name or an MSP id.

        Raises:
            TopologyError: ORGANIZATION_UNKNOWN.
        """
        for organization in self.organizations:
            if name in (organization.name, organization.msp_id):
                return organization
        known = ", ".join(organization.name for organization in self.organizations)
        raise TopologyError("ORGANIZATION_UNKNOWN", f"no organization {name!r}; known are {known}")

    def host_of(self, name: str) -> str:
        """Where the nodes of the organization with this name or MSP id are reached.

        Raises:
            TopologyError: ORGANIZATION_UNKNOWN.
        """
        return self.organization(name).host or self.host

    def to_dict(self) -> dict[str, Any]:
        """As a JSON document."""
        return {
            "channel": self.channel,
            "organizations": [organization.to_dict() for organization in self.organizations],
            "chaincode": self.chaincode.to_dict(),
            "ordering": self.ordering.to_dict(),
            "host": self.host,
            "state_database": self.state_database,
        }

    @classmethod
    def from_dict(cls, document: object) -> "Topology":
        """Read what `to_dict` wrote.

        Raises:
            TopologyError: TOPOLOGY_INVALID.
        """
        required: dict[str, type] = {"channel": str, "organizations": list, "chaincode": dict}
        fields = read_record(
            document, "topology", required, {"ordering": dict, "host": str, "state_database": str}
        )
        fields["organizations"] = tuple(
            Organization.from_dict(item, f"topology.organizations[{index}]")
            for index, item in enumerate(fields["organizations"])
        )
        fields["chaincode"] = ChaincodeDefinition.from_dict(fields["chaincode"], "topology.chaincode")
        fields["ordering"] = OrderingConfig.from_dict(fields.get("ordering", {}), "topology.ordering")
        return cls(**fields)

    def to_json(self) -> str:
        """As JSON text for a file, indented, ending in a newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Topology":
        """Read a file that `to_json` wrote.

        Raises:
            TopologyError: TOPOLOGY_INVALID.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise invalid("the topology is not JSON") from None
        return cls.from_dict(document)


def _match(pattern: re.Pattern[str], value: str, where: str, expected: str) -> None:
    if not pattern.fullmatch(value):
        raise invalid(f"{where}: expected {expected}, got {value!r}")


def _distinct(values: Sequence[str], where: str, what: str) -> None:
    repeated = [value for value in values if values.count(value) > 1]
    if repeated:
        raise invalid(f"{where}: two entries have the {what} {repeated[0]!r}")
