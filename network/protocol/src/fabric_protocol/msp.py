"""Membership service providers: who belongs to an organization, and in which role.

Source: fabric-behaviour §1 (`msp/mspimpl.go`, `msp/mspimplvalidate.go`, versions 1.4.3 and 3.0 of its rules).
Expiry is never a failure here: nodes check it where a proposal or envelope comes in (§1.4).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.msp import msp_principal_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import ConfigError, IdentityError, ProtocolError
from fabric_protocol.identities import Identity, parse_certificate, split_identity
from fabric_protocol.msp_authorities import MspAuthorities, path_identifier
from fabric_protocol.msp_config import build_msp_config, read_msp_config
from fabric_protocol.organizational_units import read_organizational_units
from fabric_protocol.principals import ROLE_NAMES
from fabric_protocol.verified_signatures import VerifiedSignatures

__all__ = ["Msp", "MspManager", "build_msp_config"]

_CACHED_IDENTITIES: Final = 4096
# Text after a PEM block is ignored, so anybody with a certificate could fill the caches with megabytes.
_LARGEST_CACHED: Final = 16 * 1024
_DEEPEST_COMBINATION: Final = 16
_Principal = msp_principal_pb2.MSPPrincipal


class _Refusal(NamedTuple):
    code: str
    message: str


@dataclass(frozen=True)
class _Standing:
    """What an MSP thinks of one identity."""

    refusal: _Refusal | None
    certificate_der: bytes
    certifier: bytes
    is_listed_administrator: bool


class Msp:
    """One organization's membership rules.

    Parameters:
        content: FabricMSPConfig.
        accepts_ed25519: whether Ed25519 identities are accepted (channel capability V3_0) besides ECDSA ones.

    Raises:
        ConfigError: MSP_CONFIG_INVALID, REVOCATION_LIST_INVALID.
    """

    def __init__(self, content: Any, *, accepts_ed25519: bool = True) -> None:
        self.msp_id: str = content.name
        self.root_certificates: tuple[bytes, ...] = tuple(content.root_certs)
        self.intermediate_certificates: tuple[bytes, ...] = tuple(content.intermediate_certs)
        self.tls_root_certificates: tuple[bytes, ...] = tuple(content.tls_root_certs)
        self.tls_intermediate_certificates: tuple[bytes, ...] = tuple(content.tls_intermediate_certs)
        self._key_types = (ec.EllipticCurvePublicKey, *[ed25519.Ed25519PublicKey] * accepts_ed25519)
        self._authorities = MspAuthorities(content)
        self._units = read_organizational_units(content, self._authorities)
        self._cached_standing = lru_cache(maxsize=_CACHED_IDENTITIES)(self._judge)
        self._administrators: frozenset[bytes] = frozenset()
        self._administrators = frozenset(self._read_administrator(pem) for pem in content.admins)
        if not self._administrators and "admin" not in self._units.roles:
            raise self._invalid("administrators must be declared when no admin ou classification is set")

    @classmethod
    def from_config(cls, config: Any, *, accepts_ed25519: bool = True) -> "Msp":
        """Set up from an MSPConfig.

        Raises:
            ConfigError: MSP_TYPE_UNSUPPORTED, MSP_CONFIG_INVALID, REVOCATION_LIST_INVALID.
        """
        return cls(read_msp_config(config), accepts_ed25519=accepts_ed25519)

    def deserialize(self, serialized: bytes) -> Identity:
        """Read an identity of this MSP; its certificate comes out in low-S.

        Not validated: `validate` does that. An ECDSA certificate that leads to no root fails already here.

        Raises:
            IdentityError: IDENTITY_MALFORMED, MSP_UNKNOWN (another MSP's), CERTIFICATE_INVALID,
                CERTIFICATE_NOT_TRUSTED, CHAIN_AMBIGUOUS.
        """
        msp_id, pem = split_identity(serialized)
        if msp_id != self.msp_id:
            raise IdentityError(
                "MSP_UNKNOWN", f"expected an identity of {self.msp_id}, got one of {msp_id!r}"
            )
        certificate = parse_certificate(pem)
        try:
            return Identity(msp_id, self._authorities.low_s(certificate), serialized)
        except ProtocolError as error:
            raise IdentityError(error.code, error.message) from error

    def validate(self, identity: Identity) -> None:
        """Check that an identity belongs to this MSP: key type, chain, revocation, organizational units.

        Raises:
            IdentityError: MSP_UNKNOWN, KEY_NOT_ACCEPTED, CERTIFICATE_INVALID, CERTIFICATE_NOT_TRUSTED,
                CHAIN_AMBIGUOUS, CERTIFICATE_IS_AUTHORITY, ISSUER_NOT_LEAF, CERTIFICATE_REVOKED,
                ORGANIZATIONAL_UNITS_INVALID.
        """
        if identity.msp_id != self.msp_id:
            raise IdentityError(
                "MSP_UNKNOWN", f"expected an identity of {self.msp_id}, got one of {identity.msp_id!r}"
            )
        refusal = self._standing_of(identity).refusal
        if refusal is not None:
            raise IdentityError(*refusal)

    def satisfies(self, identity: Identity, principal: Any) -> bool:
        """Whether an identity is what a principal asks for.

        Parameters:
            identity: of any MSP; one of another never satisfies.
            principal: MSPPrincipal; one that cannot be read, or of an unsupported kind, is never satisfied.
        """
        if identity.msp_id != self.msp_id:
            return False
        try:
            return self._matches(identity, self._standing_of(identity), principal, _DEEPEST_COMBINATION)
        except DecodeError:
            return False

    def _matches(self, identity: Identity, standing: _Standing, principal: Any, depth: int) -> bool:
        kind, content = principal.principal_classification, principal.principal
        if kind == _Principal.ROLE:
            return self._has_role(identity, standing, content)
        if kind == _Principal.ORGANIZATION_UNIT:
            return standing.refusal is None and self._has_unit(identity, standing, content)
        if kind == _Principal.IDENTITY:
            return standing.refusal is None and self._is_identity(standing, content)
        if kind == _Principal.ANONYMITY:
            asked = msp_principal_pb2.MSPIdentityAnonymity.FromString(content).anonymity_type
            return bool(asked == msp_principal_pb2.MSPIdentityAnonymity.NOMINAL)
        if kind == _Principal.COMBINED and depth:
            parts = msp_principal_pb2.CombinedPrincipal.FromString(content).principals
            return bool(parts) and all(self._matches(identity, standing, part, depth - 1) for part in parts)
        return False

    def _has_role(self, identity: Identity, standing: _Standing, content: bytes) -> bool:
        asked = msp_principal_pb2.MSPRole.FromString(content)
        if asked.msp_identifier != self.msp_id:
            return False
        role = ROLE_NAMES.get(asked.role)
        if role == "admin" and standing.is_listed_administrator:
            return True
        if role is None or standing.refusal is not None:
            return False
        return role == "member" or self._units.has_role(role, identity.organizational_units)

    def _has_unit(self, identity: Identity, standing: _Standing, content: bytes) -> bool:
        asked = msp_principal_pb2.OrganizationUnit.FromString(content)
        return (
            asked.msp_identifier == self.msp_id
            and asked.organizational_unit_identifier in identity.organizational_units
            and asked.certifiers_identifier == standing.certifier
        )

    def _is_identity(self, standing: _Standing, content: bytes) -> bool:
        try:
            return self.deserialize(content).certificate_der == standing.certificate_der
        except IdentityError:
            return False

    def _standing_of(self, identity: Identity) -> _Standing:
        is_small = len(identity.serialized) <= _LARGEST_CACHED
        return self._cached_standing(identity) if is_small else self._judge(identity)

    def _judge(self, identity: Identity) -> _Standing:
        refusal, der, certifier = None, identity.certificate_der, b""
        try:
            certificate = self._authorities.low_s(identity.certificate)
            der = certificate.public_bytes(Encoding.DER)
            if not isinstance(identity.public_key, self._key_types):
                raise IdentityError(
                    "KEY_NOT_ACCEPTED",
                    f"MSP {self.msp_id} does not accept identities with a key of this type: use ECDSA P-256",
                )
            chain = self._authorities.identity_chain(certificate)
            certifier = path_identifier(chain[1:])
            self._units.check(identity.organizational_units, certifier)
        except ProtocolError as error:
            refusal = _Refusal(error.code, error.message)
        except ValueError:
            refusal = _Refusal("CERTIFICATE_INVALID", "the certificate's content cannot be read")
        return _Standing(refusal, der, certifier, der in self._administrators)

    def _read_administrator(self, pem: bytes) -> bytes:
        try:
            certificate = self._authorities.low_s(parse_certificate(pem))
            identity = Identity(self.msp_id, certificate, b"")
            if not self._units.roles:
                self.validate(identity)
        except ProtocolError as error:
            raise self._invalid(f"a listed administrator is not valid: {error}") from error
        units = identity.organizational_units
        if self._units.roles and not any(self._units.has_role(role, units) for role in ("client", "admin")):
            raise self._invalid("a listed administrator has neither the client nor the admin unit")
        return identity.certificate_der

    def _invalid(self, what: str) -> ConfigError:
        return ConfigError("MSP_CONFIG_INVALID", f"MSP {self.msp_id}: {what}")


class MspManager:
    """The MSPs of a channel, with a bounded cache of the identities seen. May be used from several threads.

    Attributes:
        signatures: checks signatures, each once.
        msp_ids: the ids of the MSPs, sorted.

    Parameters:
        msps: with distinct ids.

    Raises:
        ConfigError: MSP_DUPLICATED, two MSPs with one id.
    """

    def __init__(self, msps: Iterable[Msp]) -> None:
        self._msps: dict[str, Msp] = {}
        for msp in msps:
            if msp.msp_id in self._msps:
                raise ConfigError("MSP_DUPLICATED", f"two MSPs have the id {msp.msp_id!r}")
            self._msps[msp.msp_id] = msp
        self._read = lru_cache(maxsize=_CACHED_IDENTITIES)(self._deserialize)
        self.signatures = VerifiedSignatures()
        self.msp_ids = tuple(sorted(self._msps))

    def msp(self, msp_id: str) -> Msp:
        """The MSP with an id.

        Raises:
            IdentityError: MSP_UNKNOWN.
        """
        try:
            return self._msps[msp_id]
        except KeyError:
            raise IdentityError("MSP_UNKNOWN", f"MSP {msp_id!r} is unknown") from None

    def deserialize(self, serialized: bytes) -> Identity:
        """Read an identity of one of the MSPs, not validated; the same object for the same bytes.

        Raises:
            IdentityError: as `Msp.deserialize`.
        """
        is_small = len(serialized) <= _LARGEST_CACHED
        outcome = self._read(serialized) if is_small else self._deserialize(serialized)
        if isinstance(outcome, _Refusal):
            raise IdentityError(*outcome)
        return outcome

    def validate(self, identity: Identity) -> None:
        """Check that an identity belongs to its MSP.

        Raises:
            IdentityError: as `Msp.validate`.
        """
        self.msp(identity.msp_id).validate(identity)

    def satisfies(self, identity: Identity, principal: Any) -> bool:
        """Whether an identity is what a principal (MSPPrincipal) asks for; never one of an unknown MSP."""
        msp = self._msps.get(identity.msp_id)
        return msp is not None and msp.satisfies(identity, principal)

    def _deserialize(self, serialized: bytes) -> Identity | _Refusal:
        try:
            msp_id, _ = split_identity(serialized)
            return self.msp(msp_id).deserialize(serialized)
        except IdentityError as error:
            return _Refusal(error.code, error.message)
