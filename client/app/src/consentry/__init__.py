"""Consents, data-access grants and AI-model audit trails for hospital consortia on Hyperledger Fabric.

Example:
    from consentry import Wallet, connect
    with connect(network, Wallet(directory).get("steward")) as ledger:
        ledger.consents.import_frame(frame)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consentry.errors import AccessDenied, ConsentryError, LedgerRefused
    from consentry.ledger import Ledger, connect
    from consentry.wallet import Wallet, WalletIdentity

__all__ = ["AccessDenied", "ConsentryError", "Ledger", "LedgerRefused", "Wallet", "WalletIdentity", "connect"]

_MODULES = {
    "AccessDenied": "consentry.errors",
    "ConsentryError": "consentry.errors",
    "Ledger": "consentry.ledger",
    "LedgerRefused": "consentry.errors",
    "Wallet": "consentry.wallet",
    "WalletIdentity": "consentry.wallet",
    "connect": "consentry.ledger",
}


def __getattr__(name: str) -> Any:
    """Import on first use: pandas takes its time, and `consentry --help` needs none of it."""
    if name not in _MODULES:
        raise AttributeError(f"module 'consentry' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
