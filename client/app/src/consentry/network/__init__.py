"""The network command: starts and stops an engine, and prepares the ledger that runs on it.

This package alone knows the engines; everything else of `consentry` reads `network.json`.
"""

from consentry.network.bundles import export_organization, join_network
from consentry.network.engines import EMBEDDED, ENGINES, FABRIC
from consentry.network.membership import (
    add_organization,
    add_peer,
    remove_organization,
    rotate_certificates,
    upgrade_chaincode,
)
from consentry.network.nodes import kill_node, log_tail, start_node, stop_node
from consentry.network.operations import (
    bring_up,
    create,
    destroy,
    export_blocks,
    restart_chaincode,
    status,
    take_down,
)
from consentry.network.own_part import accept_invitation, adopt_member, invite, release_member
from consentry.network.presets import PRESETS, preset
from consentry.network.revocation import publish_revocations
from consentry.network.users import enroll_user, revoke_user

__all__ = [
    "EMBEDDED",
    "ENGINES",
    "FABRIC",
    "PRESETS",
    "accept_invitation",
    "add_organization",
    "add_peer",
    "adopt_member",
    "bring_up",
    "create",
    "destroy",
    "enroll_user",
    "export_blocks",
    "export_organization",
    "invite",
    "join_network",
    "kill_node",
    "log_tail",
    "preset",
    "publish_revocations",
    "release_member",
    "remove_organization",
    "restart_chaincode",
    "revoke_user",
    "rotate_certificates",
    "start_node",
    "status",
    "stop_node",
    "take_down",
    "upgrade_chaincode",
]
