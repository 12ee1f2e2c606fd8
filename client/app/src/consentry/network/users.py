"""Enrol people and services of an organization at its CA."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from consentry.ca_client import CaClient, new_enrolment_id
from consentry.errors import ConfigurationError
from consentry.network.translation import translated
from consentry.profile import NetworkProfile
from consentry.wallet import ROLE_ATTRIBUTE, Wallet, WalletIdentity
from fabric_embedded import EmbeddedNetwork


@translated()
def enroll_user(directory: Path, organization: str, label: str, roles: Sequence[str]) -> WalletIdentity:
    """Register and enrol an identity with roles, and put it into the organization's wallet.

    The enrolment id is random (DESIGN §8): who it is, the employer keeps off the ledger.

    Args:
        directory: The network's directory.
        organization: Short name, such as `northgate`.
        label: Name in the wallet, such as `steward`.
        roles: Roles of `consentry_records.roles`; none is allowed, and permits little.

    Raises:
        ConsentryError: ORGANIZATION_UNKNOWN, LABEL_TAKEN, or what the CA answered.
    """
    profile = NetworkProfile.load(directory)
    member = profile.organization_named(organization)
    if member.ca is None:
        raise ConfigurationError("CA_MISSING", f"network.json names no CA for {organization}")
    enrolment_id = new_enrolment_id()
    with CaClient(member.ca, member.msp_id) as ca:
        registrar = ca.enroll(*EmbeddedNetwork.load(directory).registrar(organization), attributes=())
        secret = ca.register(registrar, enrolment_id, {ROLE_ATTRIBUTE: ",".join(roles)})
        identity = ca.enroll(enrolment_id, secret)
    Wallet(profile.wallet_directory(organization)).put(label, identity)
    return identity
