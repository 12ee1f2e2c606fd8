"""Enrol people and services of an organization at its CA, and revoke them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from consentry.ca_client import CaClient, new_enrolment_id
from consentry.errors import ConfigurationError, InputRejected
from consentry.network.engines import load_network
from consentry.network.translation import translated
from consentry.profile import NetworkProfile
from consentry.wallet import Wallet, WalletIdentity
from consentry_records.roles import (
    MAXIMUM_PROJECTS,
    PROJECT_ATTRIBUTE,
    ROLE_ATTRIBUTE,
    ROLES,
    parse_projects,
)


@translated()
def enroll_user(
    directory: Path, organization: str, label: str, roles: Sequence[str], projects: Sequence[str] = ()
) -> WalletIdentity:
    """Register and enrol an identity with roles, and put it into the organization's wallet.

    The enrolment id is random (DESIGN §8): who it is, the employer keeps off the ledger.

    Args:
        directory: The network's directory.
        organization: Short name, such as `northgate`.
        label: Name in the wallet, such as `steward`.
        roles: Roles of `consentry_records.roles`; none is allowed, and permits little.
        projects: Projects that the identity is a member of, such as `heart-2027`, for grants to members only.

    Raises:
        ConsentryError: ROLE_UNKNOWN, PROJECT_INVALID, ORGANIZATION_UNKNOWN, LABEL_TAKEN, or what the CA
            answered.
    """
    attributes = _attributes(roles, projects)
    profile = NetworkProfile.load(directory)
    enrolment_id = new_enrolment_id()
    with _authority(profile, organization) as ca:
        registrar = ca.enroll(*load_network(directory).registrar(organization), attributes=())
        secret = ca.register(registrar, enrolment_id, attributes)
        identity = ca.enroll(enrolment_id, secret)
    Wallet(profile.wallet_directory(organization)).put(label, identity)
    return identity


def _attributes(roles: Sequence[str], projects: Sequence[str]) -> dict[str, str]:
    """What the certificate says of its holder; the ledger would pass over what it does not know."""
    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise InputRejected(
            "ROLE_UNKNOWN", f"there is no role {unknown[0]!r}; the roles are {', '.join(ROLES)}"
        )
    attributes = {ROLE_ATTRIBUTE: ",".join(roles)}
    if projects:
        value = ",".join(projects)
        if parse_projects(value) != tuple(sorted(set(projects))):
            raise InputRejected(
                "PROJECT_INVALID",
                f"a project is named in lower case with hyphens, such as heart-2027, at most "
                f"{MAXIMUM_PROJECTS} of them; got {value!r}",
            )
        attributes[PROJECT_ATTRIBUTE] = value
    return attributes


@translated()
def revoke_user(directory: Path, organization: str, label: str) -> bytes:
    """Revoke an identity of an organization's wallet, with all of its certificates, at the organization's CA.

    The CA issues nothing to it any more. The ledger goes on accepting its certificate until the list that is
    returned stands in the organization's MSP in the channel configuration
    (:func:`consentry.network.publish_revocations`).

    Args:
        directory: The network's directory.
        organization: Short name, such as `northgate`.
        label: Name in the wallet, such as `steward`; it stays there, for what it signed can still be read.

    Returns:
        The CA's list of revoked certificates (PEM).

    Raises:
        ConsentryError: ORGANIZATION_UNKNOWN, IDENTITY_NOT_FOUND, or what the CA answered.
    """
    profile = NetworkProfile.load(directory)
    identity = Wallet(profile.wallet_directory(organization)).get(label)
    with _authority(profile, organization) as ca:
        registrar = ca.enroll(*load_network(directory).registrar(organization), attributes=())
        ca.revoke(registrar, identity.certificate)
        return ca.gencrl(registrar)


def _authority(profile: NetworkProfile, organization: str) -> CaClient:
    member = profile.organization_named(organization)
    if member.ca is None:
        raise ConfigurationError("CA_MISSING", f"network.json names no CA for {organization}")
    return CaClient(member.ca, member.msp_id)


def wallet_identity(directory: Path, organization: str, label: str, role: str) -> WalletIdentity:
    """Somebody of an organization with a role, enrolled on first use."""
    wallet = Wallet(NetworkProfile.load(directory).wallet_directory(organization))
    if label in wallet.labels():
        return wallet.get(label)
    return enroll_user(directory, organization, label, [role])
