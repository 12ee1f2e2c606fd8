"""A connection to an organization's peers: the first of them that answers."""

from __future__ import annotations

from consentry.identity import WalletIdentity
from consentry.profile import OrganizationProfile
from fabric_gateway import Clock, Endpoint, Gateway, Timeouts, utc_clock


def organization_gateway(
    organization: OrganizationProfile,
    identity: WalletIdentity,
    *,
    clock: Clock = utc_clock,
    timeouts: Timeouts | None = None,
) -> Gateway:
    """Connect to an organization's peers in the order of network.json; while one does not answer, the next
    is asked.

    Args:
        organization: whose peers.
        identity: who asks; any member of the channel.
        clock: gives proposals their timestamps.
        timeouts: of each step; None: the gateway's own.

    Raises:
        ConfigurationError: PROFILE_INVALID, a file of TLS roots cannot be read.
    """
    first, *others = (
        Endpoint(peer.endpoint, peer.read_tls_roots(), peer.server_name) for peer in organization.peers
    )
    return Gateway.connect(
        first.address,
        identity=identity.serialized,
        signer=identity.signer,
        tls_roots=first.tls_roots,
        server_name=first.server_name,
        fallbacks=others,
        clock=clock,
        timeouts=timeouts,
    )
