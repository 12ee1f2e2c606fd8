"""Who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consentry.channel_members import current_member
from consentry.errors import ConsentryError
from consentry.web.errors import PageRefused
from consentry_records.roles import ROLE_ATTRIBUTE, parse_roles
from fabric_protocol.identities import Identity, parse_identity
from fabric_protocol.msp import MspManager


@dataclass(frozen=True, slots=True)
class Officer:
    """A signed-in member of the serving organization.

    Attributes:
        msp_id: MSP id of the organization.
        enrolment_id: the certificate's common name, a random id.
        roles: roles that the certificate gives, sorted.
        certificate_digest: hex SHA-256 of the certificate.
        serialized: the identity as it travels, to be checked again with every request.
        proof_digest: digest of the signed challenge by which the officer signed in (``sha256:…``); None with
            a client certificate.
    """

    msp_id: str
    enrolment_id: str
    roles: tuple[str, ...]
    certificate_digest: str
    serialized: bytes
    proof_digest: str | None = None

    @classmethod
    def of(cls, identity: Identity, proof_digest: str | None = None) -> Officer:
        """The officer that a validated identity names."""
        return cls(
            msp_id=identity.msp_id,
            enrolment_id=identity.common_name,
            roles=parse_roles(identity.attributes.get(ROLE_ATTRIBUTE)),
            certificate_digest=identity.certificate_digest.hex(),
            serialized=identity.serialized,
            proof_digest=proof_digest,
        )


def own_member(members: MspManager, serialized: bytes, now: float, msp_id: str) -> Identity:
    """Return the identity of a member of the serving organization, valid and not revoked now.

    Raises:
        PageRefused: CALLER_UNKNOWN; OTHER_ORGANIZATION.
    """
    try:
        identity = current_member(members, serialized, now)
    except ConsentryError as error:
        if error.code != "CALLER_UNKNOWN":
            raise
        raise PageRefused(401, error.code, error.message) from error
    if identity.msp_id != msp_id:
        raise PageRefused(403, "OTHER_ORGANIZATION", f"got a member of {identity.msp_id}, expected {msp_id}")
    return identity


def certificate_end(officer: Officer) -> datetime:
    """When an officer's certificate ends (UTC)."""
    return parse_identity(officer.serialized).certificate.not_valid_after_utc
