"""What the environment of a chaincode process says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fabric_shim.conversation import Limits
from fabric_shim.errors import ConfigurationError
from fabric_shim.peer_settings import PeerTlsSettings, peer_address, peer_tls


@dataclass(frozen=True, kw_only=True)
class TlsSettings:
    """Key and certificates of a service, in PEM.

    Attributes:
        key: the service's private key.
        certificate: its certificate, followed by intermediates if there are any.
        client_authorities: certificates of the CAs whose peers may connect; ``None`` admits any client.
    """

    key: bytes = field(repr=False)
    certificate: bytes
    client_authorities: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a chaincode service runs.

    Attributes:
        package_id: the installed package's id, ``label:hash``; what peers expect in ``REGISTER``.
        address: where to listen, ``host:port``; port 0 takes a free one.
        tls: ``None`` serves without TLS.
        limits: what a transaction is allowed.
        grace_seconds: how long running transactions may take to end after SIGTERM.
        dials: ``address`` is a peer's and this process dials it, as chaincode that a peer launches does.
        peer_tls: TLS of a process that dials.
        operations_address: where to serve health and metrics, ``host:port``; ``None`` serves neither.
        reconnect_seconds: how long such a process tries to reach its peer before it gives up.
    """

    package_id: str
    address: str
    tls: TlsSettings | None
    limits: Limits = field(default_factory=Limits)
    grace_seconds: float = 5.0
    dials: bool = False
    peer_tls: PeerTlsSettings | None = None
    reconnect_seconds: float = 60.0
    operations_address: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> Settings:
        """Read the variables that Fabric's own chaincode services use, and our own.

        ``CORE_CHAINCODE_ID`` (or ``CHAINCODE_ID``), ``CHAINCODE_SERVER_ADDRESS``, ``CHAINCODE_TLS_DISABLED``
        (``true`` or ``false``, the default), ``CHAINCODE_TLS_KEY``, ``CHAINCODE_TLS_CERT``,
        ``CHAINCODE_CLIENT_CA_CERT`` (paths), ``CHAINCODE_TIME_WINDOW_SECONDS`` (60) and
        ``CHAINCODE_EXECUTE_TIMEOUT_SECONDS`` (60), ``CHAINCODE_CONCURRENT_TRANSACTIONS`` (5000),
        ``CHAINCODE_WAITING_TRANSACTIONS`` (1000), ``CHAINCODE_GRACE_SECONDS`` (5) and
        ``CHAINCODE_OPERATIONS_ADDRESS`` (none).

        A process that dials its peer has ``--peer.address`` among its arguments, or ``CORE_PEER_ADDRESS``
        and no address to listen on; see ``peer_settings``, and ``CHAINCODE_RECONNECT_SECONDS`` (60).

        Raises:
            ConfigurationError: a variable is missing or wrong, or a file cannot be read.
        """
        package_id = (
            environment.get("CORE_CHAINCODE_ID")
            or environment.get("CORE_CHAINCODE_ID_NAME")
            or _needed(environment, "CHAINCODE_ID")
        )
        limits = Limits(
            time_window_seconds=_seconds(environment, "CHAINCODE_TIME_WINDOW_SECONDS", 60),
            execute_timeout_seconds=_seconds(environment, "CHAINCODE_EXECUTE_TIMEOUT_SECONDS", 60),
            concurrent_transactions=_count(environment, "CHAINCODE_CONCURRENT_TRANSACTIONS", 5000),
            waiting_transactions=_count(environment, "CHAINCODE_WAITING_TRANSACTIONS", 1000),
        )
        operations = environment.get("CHAINCODE_OPERATIONS_ADDRESS") or None
        if operations is not None:
            _address("CHAINCODE_OPERATIONS_ADDRESS", operations)
        grace = _seconds(environment, "CHAINCODE_GRACE_SECONDS", 5)
        peer = peer_address(environment, arguments)
        if peer is not None:
            return cls(
                package_id=package_id,
                address=_address("the peer's address", peer),
                tls=None,
                limits=limits,
                grace_seconds=grace,
                dials=True,
                peer_tls=peer_tls(environment),
                reconnect_seconds=_seconds(environment, "CHAINCODE_RECONNECT_SECONDS", 60),
                operations_address=operations,
            )
        variable = "CHAINCODE_SERVER_ADDRESS"
        address = _address(variable, _needed(environment, variable))
        return cls(
            package_id=package_id,
            address=address,
            tls=_tls(environment),
            limits=limits,
            grace_seconds=grace,
            operations_address=operations,
        )


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        also = "CORE_CHAINCODE_ID or " if name == "CHAINCODE_ID" else ""
        raise ConfigurationError(f"the environment variable {also}{name} is not set; set it and start again")
    return value


def _address(name: str, text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ConfigurationError(f"{name} is {text!r}, expected host:port")
    return text


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ConfigurationError(f"{name} is {text!r}, expected a number of seconds above 0")
    return value


def _count(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 2**31:
        raise ConfigurationError(f"{name} is {text!r}, expected a whole number above 0")
    return int(text)


def _tls(environment: Mapping[str, str]) -> TlsSettings | None:
    disabled = environment.get("CHAINCODE_TLS_DISABLED", "false").lower()
    if disabled not in ("true", "false"):
        raise ConfigurationError(f"CHAINCODE_TLS_DISABLED is {disabled!r}, expected true or false")
    if disabled == "true":
        return None
    authorities = environment.get("CHAINCODE_CLIENT_CA_CERT", "")
    return TlsSettings(
        key=_file(environment, "CHAINCODE_TLS_KEY"),
        certificate=_file(environment, "CHAINCODE_TLS_CERT"),
        client_authorities=_file(environment, "CHAINCODE_CLIENT_CA_CERT") if authorities else None,
    )


def _file(environment: Mapping[str, str], name: str) -> bytes:
    path = Path(_needed(environment, name))
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise ConfigurationError(f"{name} names {path}: {reason}") from None
    if b"-----BEGIN " not in content:
        raise ConfigurationError(f"{name} names {path}, which holds no PEM text")
    return content
