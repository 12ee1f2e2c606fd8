"""Chaincode for Hyperledger Fabric in Python: stub, contract base and chaincode-as-a-service server."""

from fabric_shim.caller import Caller
from fabric_shim.contract import Context, Contract, evaluation, transaction
from fabric_shim.errors import (
    ConfigurationError,
    ContractError,
    ConversationError,
    KeyInvalidError,
    PeerError,
    ShimError,
)
from fabric_shim.policies import custodian_policy, signed_by_n_of
from fabric_shim.stub import ChaincodeResponse, EntryIterator, KeyModification, Page, StateIterator, Stub

__all__ = [
    "Caller",
    "ChaincodeResponse",
    "ConfigurationError",
    "Context",
    "Contract",
    "ContractError",
    "ConversationError",
    "EntryIterator",
    "KeyInvalidError",
    "KeyModification",
    "Page",
    "PeerError",
    "ShimError",
    "StateIterator",
    "Stub",
    "custodian_policy",
    "evaluation",
    "signed_by_n_of",
    "transaction",
]
