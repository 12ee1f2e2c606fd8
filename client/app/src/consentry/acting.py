"""Which network, and who acts: from arguments or the environment, for programs and the command alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from consentry.enrolment import kept_enrolled
from consentry.errors import ConfigurationError, InputRejected
from consentry.identity import WalletIdentity
from consentry.profile import FILE_NAME, NetworkProfile
from consentry.secret_input import wallet_of

NETWORK_VARIABLE = "CONSENTRY_NETWORK"
AS_VARIABLE = "CONSENTRY_AS"
INDEX_VARIABLE = "CONSENTRY_INDEX"


def load_profile(network: Path | str | None, environment: Mapping[str, str]) -> NetworkProfile:
    """Read network.json, or the one in a directory; by default what CONSENTRY_NETWORK names.

    Raises:
        ConfigurationError: NETWORK_MISSING, PROFILE_INVALID.
    """
    place = network if network is not None else environment.get(NETWORK_VARIABLE)
    if not place:
        raise ConfigurationError(
            "NETWORK_MISSING",
            f"no network is named; pass {FILE_NAME} or its directory, or set {NETWORK_VARIABLE}",
        )
    path = Path(place)
    if not (path / FILE_NAME if path.is_dir() else path).is_file():
        raise ConfigurationError(
            "NETWORK_MISSING",
            f"{path} has no {FILE_NAME}; start a network with `consentry network up`, or name another one",
        )
    return NetworkProfile.load(path)


def wallet_identity(
    profile: NetworkProfile, who: str, now: datetime, environment: Mapping[str, str]
) -> WalletIdentity:
    """Return who acts, "organization/label" of the wallet beside network.json, kept enrolled.

    Raises:
        InputRejected: IDENTITY_MISSING, or the wallet has no such identity.
        ConfigurationError: ORGANIZATION_UNKNOWN, or the wallet is exposed, damaged or locked.
    """
    organization, label = split_name(who)
    member = profile.organization_named(organization)
    return kept_enrolled(profile, wallet_of(profile, member.name, environment), label, now)


def split_name(who: str) -> tuple[str, str]:
    """Split "organization/label".

    Raises:
        InputRejected: IDENTITY_MISSING.
    """
    organization, slash, label = who.partition("/")
    if not (organization and slash and label):
        raise InputRejected(
            "IDENTITY_MISSING",
            f"say who acts: ORGANIZATION/LABEL, e.g. northgate/steward, by --as or {AS_VARIABLE}",
        )
    return organization, label
