"""Make an organization's revocations count on the ledger."""

from __future__ import annotations

from pathlib import Path

from consentry.network.engines import load_network
from consentry.network.translation import translated
from consentry.profile import NetworkProfile
from fabric_protocol.config_editing import with_revocation_list


@translated()
def publish_revocations(directory: Path, organization: str, revocations: bytes) -> int:
    """Put a CA's list of revoked certificates into the organization's MSP in the channel configuration.

    The organization's administrator signs; nobody else has to. From the block on that brings the change,
    peers and ordering nodes refuse the revoked certificates; what they signed before stays valid.

    Args:
        directory: The network's directory; it must be up.
        organization: Short name, such as `northgate`.
        revocations: The list (PEM), as :func:`consentry.network.revoke_user` returns it.

    Returns:
        Number of that block.

    Raises:
        ConsentryError: ORGANIZATION_UNKNOWN, ORDERER_UNREACHABLE, CONFIG_CHANGE_REFUSED.
    """
    msp_id = NetworkProfile.load(directory).organization_named(organization).msp_id
    return load_network(directory).change_configuration(
        [organization], lambda group: with_revocation_list(group, msp_id, revocations)
    )
