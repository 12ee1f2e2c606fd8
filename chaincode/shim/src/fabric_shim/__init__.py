"""Chaincode for Hyperledger Fabric in Python: stub, contract base and chaincode-as-a-service server."""

from fabric_shim.caller import Caller
from fabric_shim.contract import Context, Contract, evaluation, transaction
from fabric_shim.conversation import Conversation, Limits
from fabric_shim.errors import (
    ConfigurationError,
    ContractError,
    ConversationError,
    KeyInvalidError,
    PeerError,
    ShimError,
)
from fabric_shim.main import run, serve
from fabric_shim.outcomes import Outcome
from fabric_shim.peer_stub import PeerStub
from fabric_shim.policies import custodian_policy, format_policy, parse_policy, signed_by_n_of
from fabric_shim.router import Chaincode, Router
from fabric_shim.settings import Settings, TlsSettings
from fabric_shim.stream import Stream
from fabric_shim.stub import ChaincodeResponse, EntryIterator, KeyModification, Page, StateIterator, Stub

__all__ = [
    "Caller",
    "Chaincode",
    "ChaincodeResponse",
    "ConfigurationError",
    "Context",
    "Contract",
    "ContractError",
    "Conversation",
    "ConversationError",
    "EntryIterator",
    "KeyInvalidError",
    "KeyModification",
    "Limits",
    "Outcome",
    "Page",
    "PeerError",
    "PeerStub",
    "Router",
    "Settings",
    "ShimError",
    "StateIterator",
    "Stream",
    "Stub",
    "TlsSettings",
    "custodian_policy",
    "evaluation",
    "format_policy",
    "parse_policy",
    "run",
    "serve",
    "signed_by_n_of",
    "transaction",
]
