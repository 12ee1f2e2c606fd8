"""Keys and certificates of the organizations of a test ledger, made once per MSP id and process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from fabric_protocol.certificates import (
    CertificateAuthority,
    certificate_pem,
    issue,
    new_authority,
    new_private_key,
)
from fabric_protocol.channel_config import (
    ChannelConfig,
    Consenter,
    OrderingConfig,
    OrganizationConfig,
    genesis_block,
)
from fabric_protocol.identities import Identity, parse_identity, serialize_identity
from fabric_protocol.msp_config import build_msp_config

START: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Beginning of the validity of every certificate here; they hold for thirty years."""

_VALID_DAYS: Final = 30 * 365


@dataclass(frozen=True)
class Signatory:
    """Someone who can sign: an identity and its private key."""

    identity: Identity
    private_key: ec.EllipticCurvePrivateKey

    @property
    def msp_id(self) -> str:
        """MSP id of its organization."""
        return self.identity.msp_id

    @property
    def serialized(self) -> bytes:
        """``M(SerializedIdentity)``."""
        return self.identity.serialized


@dataclass(frozen=True)
class TestOrganization:
    """One organization: its CA and its peer."""

    msp_id: str
    authority: CertificateAuthority
    peer: Signatory

    def enrol(self, common_name: str, role: str, attributes: Mapping[str, str] | None = None) -> Signatory:
        """A new identity of this organization.

        Args:
            common_name: CN of the certificate's subject.
            role: ``client``, ``peer``, ``admin`` or ``orderer``.
            attributes: signed into the certificate.
        """
        return _enrol(self.authority, self.msp_id, common_name, role, attributes)


@lru_cache(maxsize=64)
def organization(msp_id: str) -> TestOrganization:
    """The organization of an MSP id; the same for every ledger, for making keys takes longer than a test."""
    authority = new_authority(f"ca.{msp_id}"[:64], start=START, valid_days=_VALID_DAYS)
    return TestOrganization(msp_id, authority, _enrol(authority, msp_id, "peer0", "peer", None))


def channel_config(channel_id: str, msp_ids: Sequence[str]) -> tuple[Any, ChannelConfig]:
    """Genesis block of a channel of these organizations, and the configuration in it."""
    certificate = organization(msp_ids[0]).authority.pem
    consenter = Consenter(
        host="127.0.0.1", port=7050, client_tls_certificate=certificate, server_tls_certificate=certificate
    )
    configs = [
        OrganizationConfig(
            name=msp_id,
            msp_id=msp_id,
            msp_config=build_msp_config(msp_id, root_certificates=[organization(msp_id).authority.pem]),
            orderer_endpoints=("127.0.0.1:7050",),
        )
        for msp_id in msp_ids
    ]
    block = genesis_block(
        channel_id, configs, OrderingConfig(consenters=(consenter,)), timestamp=START, nonce=bytes(24)
    )
    return block, ChannelConfig.from_block(block)


def _enrol(
    authority: CertificateAuthority,
    msp_id: str,
    common_name: str,
    role: str,
    attributes: Mapping[str, str] | None,
) -> Signatory:
    private_key = new_private_key()
    certificate = issue(
        authority,
        common_name=common_name,
        public_key=private_key.public_key(),
        organizational_units=(role,),
        attributes=attributes,
        start=START,
        valid_days=_VALID_DAYS - 1,
    )
    serialized = serialize_identity(msp_id, certificate_pem(certificate))
    return Signatory(parse_identity(serialized), private_key)
