"""Who proposed the transaction, as the peer authenticated him."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import parse_identity, split_identity
from fabric_protocol.signatures import verify
from fabric_shim.errors import ContractError


@dataclass(frozen=True)
class Caller:
    """The creator of the proposal; the peer has checked signature and certificate before the chaincode runs.

    Attributes:
        msp_id: id of the organization's membership service, e.g. ``NorthgateMSP``.
        certificate_pem: the X.509 certificate in PEM, as the creator sent it.
        common_name: CN of the certificate's subject (with Fabric CA the enrolment id).
        attributes: attributes that the CA signed into the certificate (OID 1.2.3.4.5.6.7.8.1), read-only.
        serialized: ``M(SerializedIdentity)``, the bytes that identify the creator everywhere in Fabric.
    """

    msp_id: str
    certificate_pem: bytes
    common_name: str
    attributes: Mapping[str, str]
    serialized: bytes

    def attribute(self, name: str) -> str | None:
        """Value of one attribute, or ``None`` if the certificate has none of that name."""
        return self.attributes.get(name)

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature over ``message`` is the caller's: ECDSA over its SHA-256 in DER low-S, or
        Ed25519.
        """
        try:
            verify(parse_identity(self.serialized).public_key, signature, message)
        except ProtocolError:
            return False
        return True


# A client sends the same certificate with every proposal, and parsing one costs more than the rest of a call.
@lru_cache(maxsize=1024)
def read_caller(serialized: bytes) -> Caller:
    """Parse ``M(SerializedIdentity)``.

    Raises:
        ContractError: ``CALLER_INVALID`` if the bytes hold no X.509 identity.
    """
    try:
        identity = parse_identity(serialized)
        return Caller(
            msp_id=identity.msp_id,
            certificate_pem=split_identity(serialized)[1],
            common_name=identity.common_name,
            attributes=MappingProxyType(identity.attributes),
            serialized=serialized,
        )
    except ProtocolError:
        raise ContractError(
            "CALLER_INVALID", "the proposal's creator is not an X.509 identity; enrol at a CA and try again"
        ) from None
