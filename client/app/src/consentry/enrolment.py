"""Keeping an identity enrolled: its certificate is replaced before it ends."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from consentry.errors import ConfigurationError, EnrolmentError
from consentry.identity import WalletIdentity
from consentry.profile import NetworkProfile
from consentry.wallet import Wallet

if TYPE_CHECKING:
    import httpx

RENEWED_WITHIN = timedelta(days=30)

_log = logging.getLogger(__name__)


def kept_enrolled(
    profile: NetworkProfile,
    wallet: Wallet,
    label: str,
    now: datetime,
    *,
    transport: httpx.BaseTransport | None = None,
) -> WalletIdentity:
    """Return an identity of a wallet, with a new key and certificate once 30 days or less are left.

    A key on a token is followed by a new one there. Where renewing fails, the old identity is returned with a
    warning in the log.

    Raises:
        InputRejected, ConfigurationError: as `Wallet.get`.
    """
    identity = wallet.get(label)
    if timedelta(0) < identity.expires_at - now <= RENEWED_WITHIN:
        try:
            return renew(profile, wallet, label, transport=transport)
        except (EnrolmentError, ConfigurationError) as error:
            _log.warning("%s was not renewed: %s", label, error)
    warning = identity.expiry_warning(now)
    if warning is not None:
        _log.warning("%s: %s", label, warning)
    return identity


def renew(
    profile: NetworkProfile, wallet: Wallet, label: str, *, transport: httpx.BaseTransport | None = None
) -> WalletIdentity:
    """Re-enrol an identity at its organization's CA with a new key, and replace it in the wallet; return it.

    Raises:
        ConfigurationError: CA_MISSING, network.json names none; WALLET_LOCKED, the token refused.
        EnrolmentError: CA_REFUSED, CA_UNREACHABLE, CA_ANSWER_INVALID; the old identity stays.
    """
    # Loaded by those who renew: the HTTP client takes longer than the rest of what connecting needs.
    from consentry.ca_client import CaClient
    from consentry.token_keys import renew_on_token

    identity = wallet.get(label)
    authority = profile.organization(identity.msp_id).ca
    if authority is None:
        raise ConfigurationError("CA_MISSING", f"network.json names no CA for {identity.msp_id}")
    with CaClient(authority, identity.msp_id, transport=transport) as ca:
        if identity.is_on_token:
            return renew_on_token(wallet, label, lambda key: ca.reenroll_key(identity, key))
        renewed = ca.reenroll(identity)
    wallet.put(label, renewed, replace=True)
    return renewed
