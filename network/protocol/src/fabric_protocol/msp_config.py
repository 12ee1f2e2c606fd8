"""The configuration message of an MSP: an organization's certificate authorities and its rules for roles.

Source: fabric-behaviour §1.2 (`msp/msp_config.proto`).
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from fabric_protos.msp import msp_config_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import ConfigError, IdentityError
from fabric_protocol.identities import parse_certificate
from fabric_protocol.revocation import parse_revocation_list

NODE_ROLES: Final = ("client", "peer", "admin", "orderer")
"""The organizational units that tell roles apart, by the names that Fabric's tools use."""

_FABRIC_TYPE: Final = 0
_MSP_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,249}")


def build_msp_config(
    msp_id: str,
    *,
    root_certificates: Sequence[bytes],
    tls_root_certificates: Sequence[bytes] = (),
    intermediates: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    admins: Sequence[bytes] = (),
) -> Any:
    """Describe an organization (MSPConfig), with NodeOUs on.

    Each identity then has exactly one of the organizational units client, peer, admin, orderer.

    Parameters:
        msp_id: 1 to 249 letters, digits, dots and hyphens.
        root_certificates: PEM, at least one.
        tls_root_certificates: PEM; whoever connects to the organization's nodes trusts them.
        intermediates: PEM.
        crls: PEM or DER.
        admins: PEM of identities that are administrators besides those with the admin OU.

    Raises:
        ConfigError: MSP_CONFIG_INVALID or REVOCATION_LIST_INVALID, naming what does not fit.
    """
    if not _MSP_ID.fullmatch(msp_id):
        raise ConfigError(
            "MSP_CONFIG_INVALID", f"expected letters, digits, '.', '-' as MSP id, got {msp_id!r}"
        )
    if not root_certificates:
        raise ConfigError("MSP_CONFIG_INVALID", f"{msp_id}: expected at least one root certificate")
    for pem in (*root_certificates, *tls_root_certificates, *intermediates, *admins):
        _require_certificate(msp_id, pem)
    for data in crls:
        parse_revocation_list(data)
    content = msp_config_pb2.FabricMSPConfig(
        name=msp_id,
        root_certs=root_certificates,
        intermediate_certs=intermediates,
        admins=admins,
        revocation_list=crls,
        crypto_config=msp_config_pb2.FabricCryptoConfig(
            signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
        ),
        tls_root_certs=tls_root_certificates,
        fabric_node_ous=_node_units(),
    )
    return msp_config_pb2.MSPConfig(type=_FABRIC_TYPE, config=content.SerializeToString(deterministic=True))


def read_msp_config(config: Any) -> Any:
    """The FabricMSPConfig inside an MSPConfig.

    Raises:
        ConfigError: MSP_TYPE_UNSUPPORTED, an Idemix or unknown one; MSP_CONFIG_INVALID, not readable, without
            name or root certificate.
    """
    if config.type != _FABRIC_TYPE:
        raise ConfigError(
            "MSP_TYPE_UNSUPPORTED",
            f"expected an MSP of type 0 (X.509), got type {config.type}: not supported",
        )
    content = msp_config_pb2.FabricMSPConfig()
    try:
        content.ParseFromString(config.config)
    except DecodeError:
        raise ConfigError("MSP_CONFIG_INVALID", "the MSP's configuration is not a FabricMSPConfig") from None
    if not content.name or not content.root_certs:
        raise ConfigError("MSP_CONFIG_INVALID", "an MSP needs a name and at least one root certificate")
    return content


def _node_units() -> Any:
    units = {
        f"{role}_ou_identifier": msp_config_pb2.FabricOUIdentifier(organizational_unit_identifier=role)
        for role in NODE_ROLES
    }
    return msp_config_pb2.FabricNodeOUs(enable=True, **units)


def _require_certificate(msp_id: str, pem: bytes) -> None:
    try:
        parse_certificate(pem)
    except IdentityError as error:
        raise ConfigError("MSP_CONFIG_INVALID", f"{msp_id}: {error}") from error
