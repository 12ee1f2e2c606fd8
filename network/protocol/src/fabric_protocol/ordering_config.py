"""What a channel says about ordering: consensus, how blocks are cut, who orders.

Source: fabric-behaviour §6.2, §11.2, §11.3 (`orderer/configuration.proto`, `common/configuration.proto`).
"""

from dataclasses import dataclass
from typing import Any, Final

from fabric_protocol.durations import parse_duration
from fabric_protocol.errors import ConfigError, IdentityError
from fabric_protocol.identities import parse_certificate
from fabric_protocol.strict_records import invalid, read_record

RAFT: Final = "etcdraft"
BFT: Final = "BFT"

_LARGEST_PORT: Final = 65535
_LARGEST_COUNT: Final = 2**32 - 1


@dataclass(frozen=True)
class Consenter:
    """One ordering node.

    Parameters:
        host: name or address that other ordering nodes dial.
        port: 1 to 65535.
        client_tls_certificate: PEM, of its TLS certificate as a client.
        server_tls_certificate: PEM, of its TLS certificate as a server.
        consenter_id: distinct number; BFT block signatures name it.
        msp_id: its organization; empty where a Raft configuration does not say.
        identity: PEM of its signing certificate; empty where a Raft configuration does not say.
    """

    host: str
    port: int
    client_tls_certificate: bytes
    server_tls_certificate: bytes
    consenter_id: int = 1
    msp_id: str = ""
    identity: bytes = b""

    def to_dict(self) -> dict[str, Any]:
        """As a JSON document; certificates as PEM text."""
        return {
            "host": self.host,
            "port": self.port,
            "client_tls_certificate": self.client_tls_certificate.decode("ascii"),
            "server_tls_certificate": self.server_tls_certificate.decode("ascii"),
            "consenter_id": self.consenter_id,
            "msp_id": self.msp_id,
            "identity": self.identity.decode("ascii"),
        }

    @classmethod
    def from_dict(cls, document: object, where: str = "consenter") -> "Consenter":
        """Read what `to_dict` wrote.

        Raises:
            TopologyError: TOPOLOGY_INVALID.
        """
        texts = ("client_tls_certificate", "server_tls_certificate", "identity")
        required: dict[str, type] = {"host": str, "port": int, **dict.fromkeys(texts[:2], str)}
        optional: dict[str, type] = {"consenter_id": int, "msp_id": str, "identity": str}
        fields = read_record(document, where, required, optional)
        try:
            for name in texts:
                fields[name] = fields.get(name, "").encode("ascii")
        except UnicodeEncodeError:
            raise invalid(f"{where}: certificates are PEM texts") from None
        if not 1 <= fields["port"] <= _LARGEST_PORT:
            raise invalid(f"{where}.port: expected 1 to {_LARGEST_PORT}, got {fields['port']}")
        return cls(**fields)


@dataclass(frozen=True)
class OrderingConfig:
    """How a channel orders.

    Parameters:
        consensus: "etcdraft" or "BFT".
        max_message_count: transactions at which a block is cut.
        absolute_max_bytes: largest transaction accepted, in bytes (with BFT: at which a block is cut).
        preferred_max_bytes: size at which Raft cuts a block, in bytes; a larger transaction is alone.
        batch_timeout: Go duration after which a block is cut (with BFT: RequestBatchMaxInterval).
        consenters: the ordering nodes; a topology leaves them to whoever creates the network.

    Raises:
        ConfigError: ORDERING_INVALID, DURATION_INVALID.
    """

    consensus: str = RAFT
    max_message_count: int = 500
    absolute_max_bytes: int = 10 * 2**20
    preferred_max_bytes: int = 2 * 2**20
    batch_timeout: str = "10ms"
    consenters: tuple[Consenter, ...] = ()

    def __post_init__(self) -> None:
        if self.consensus not in (RAFT, BFT):
            raise _refused(f"consensus {self.consensus!r} is not supported: use {RAFT!r} or {BFT!r}")
        counts = {
            "max_message_count": self.max_message_count,
            "absolute_max_bytes": self.absolute_max_bytes,
            "preferred_max_bytes": self.preferred_max_bytes,
        }
        for name, value in counts.items():
            if not 1 <= value <= _LARGEST_COUNT:
                raise _refused(f"{name}: expected 1 to {_LARGEST_COUNT}, got {value}")
        if self.preferred_max_bytes > self.absolute_max_bytes:
            raise _refused("preferred_max_bytes must not exceed absolute_max_bytes")
        parse_duration(self.batch_timeout)
        if len({consenter.consenter_id for consenter in self.consenters}) != len(self.consenters):
            raise _refused("two consenters have the same consenter_id")

    def require_consenters(self) -> None:
        """Check that a channel can be built: ordering nodes with what their consensus needs.

        Raises:
            ConfigError: ORDERING_INVALID.
        """
        if not self.consenters:
            raise _refused("expected at least one consenter")
        for consenter in self.consenters:
            needed = [consenter.client_tls_certificate, consenter.server_tls_certificate]
            if self.consensus == BFT:
                needed.append(consenter.identity)
            try:
                for pem in needed:
                    parse_certificate(pem)
            except IdentityError as error:
                raise _refused(f"consenter {consenter.consenter_id}: {error}") from error
            if self.consensus == BFT and not (consenter.msp_id and consenter.consenter_id >= 1):
                raise _refused("a BFT consenter needs an msp_id and a consenter_id of at least 1")

    def to_dict(self) -> dict[str, Any]:
        """As a JSON document."""
        return {
            "consensus": self.consensus,
            "max_message_count": self.max_message_count,
            "absolute_max_bytes": self.absolute_max_bytes,
            "preferred_max_bytes": self.preferred_max_bytes,
            "batch_timeout": self.batch_timeout,
            "consenters": [consenter.to_dict() for consenter in self.consenters],
        }

    @classmethod
    def from_dict(cls, document: object, where: str = "ordering") -> "OrderingConfig":
        """Read what `to_dict` wrote; every field may be left out.

        Raises:
            TopologyError: TOPOLOGY_INVALID.
        """
        optional: dict[str, type] = {
            "consensus": str,
            "max_message_count": int,
            "absolute_max_bytes": int,
            "preferred_max_bytes": int,
            "batch_timeout": str,
            "consenters": list,
        }
        fields = read_record(document, where, {}, optional)
        consenters = tuple(
            Consenter.from_dict(item, f"{where}.consenters[{index}]")
            for index, item in enumerate(fields.pop("consenters", []))
        )
        try:
            return cls(**fields, consenters=consenters)
        except ConfigError as error:
            raise invalid(f"{where}: {error}") from error


def _refused(what: str) -> ConfigError:
    return ConfigError("ORDERING_INVALID", f"ordering: {what}")
