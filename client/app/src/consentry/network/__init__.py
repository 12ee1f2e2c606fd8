"""The network command: starts and stops an engine, and prepares the ledger that runs on it.

This package alone knows the engines; everything else of `consentry` reads `network.json`.
"""

from consentry.network.operations import (
    bring_up,
    destroy,
    export_blocks,
    restart_chaincode,
    status,
    take_down,
)
from consentry.network.presets import PRESETS, preset
from consentry.network.revocation import publish_revocations
from consentry.network.users import enroll_user, revoke_user

__all__ = [
    "PRESETS",
    "bring_up",
    "destroy",
    "enroll_user",
    "export_blocks",
    "preset",
    "publish_revocations",
    "restart_chaincode",
    "revoke_user",
    "status",
    "take_down",
]
