"""What a peer that launches chaincode tells the process (Fabric's ``dockercontroller · GetEnv``)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fabric_shim.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class PeerTlsSettings:
    """TLS towards the peer, in PEM.

    Attributes:
        root_certificates: who may have issued the peer's certificate.
        key: private key of the chaincode; ``None`` without mutual TLS.
        certificate: its certificate; ``None`` without mutual TLS.
    """

    root_certificates: bytes
    key: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = None


def peer_address(environment: Mapping[str, str], arguments: Sequence[str]) -> str | None:
    """Address of the peer to dial: ``--peer.address`` (one dash or two) or ``CORE_PEER_ADDRESS``.

    The argument wins over a service's ``CHAINCODE_SERVER_ADDRESS``, and that over the variable: peers have
    the variable for themselves, and what they start may inherit it.
    """
    for position, argument in enumerate(arguments):
        name, equals, value = argument.lstrip("-").partition("=")
        if name == "peer.address" and argument.startswith("-"):
            return value if equals else "".join(arguments[position + 1 : position + 2])
    if environment.get("CHAINCODE_SERVER_ADDRESS"):
        return None
    return environment.get("CORE_PEER_ADDRESS") or None


def peer_tls(environment: Mapping[str, str]) -> PeerTlsSettings | None:
    """TLS as ``CORE_PEER_TLS_ENABLED`` and the variables beside it say; ``None`` without.

    ``CORE_PEER_TLS_ROOTCERT_FILE``; for mutual TLS ``CORE_TLS_CLIENT_KEY_FILE`` and
    ``CORE_TLS_CLIENT_CERT_FILE`` (PEM), or ``…_PATH`` (files of base64 of PEM).

    Raises:
        ConfigurationError: a variable is missing or wrong, or a file cannot be read.
    """
    enabled = environment.get("CORE_PEER_TLS_ENABLED", "false").lower()
    if enabled not in ("true", "false"):
        raise ConfigurationError(f"CORE_PEER_TLS_ENABLED is {enabled!r}, expected true or false")
    if enabled == "false":
        return None
    roots = _read("CORE_PEER_TLS_ROOTCERT_FILE", environment.get("CORE_PEER_TLS_ROOTCERT_FILE", ""))
    key, certificate = (_client_file(environment, f"CORE_TLS_CLIENT_{part}") for part in ("KEY", "CERT"))
    if (key is None) != (certificate is None):
        raise ConfigurationError("mutual TLS needs CORE_TLS_CLIENT_KEY_FILE and CORE_TLS_CLIENT_CERT_FILE")
    return PeerTlsSettings(root_certificates=roots, key=key, certificate=certificate)


def _client_file(environment: Mapping[str, str], name: str) -> bytes | None:
    if path := environment.get(f"{name}_FILE"):
        return _read(f"{name}_FILE", path)
    if path := environment.get(f"{name}_PATH"):
        return _read(f"{name}_PATH", path, encoded=True)
    return None


def _read(name: str, path: str, *, encoded: bool = False) -> bytes:
    if not path:
        raise ConfigurationError(f"the environment variable {name} is not set; set it and start again")
    try:
        content = Path(path).read_bytes()
        if encoded:
            content = base64.b64decode(content, validate=False)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise ConfigurationError(f"{name} names {path}: {reason}") from None
    except binascii.Error:
        raise ConfigurationError(f"{name} names {path}, which holds no base64") from None
    if b"-----BEGIN " not in content:
        raise ConfigurationError(f"{name} names {path}, which holds no PEM text")
    return content
