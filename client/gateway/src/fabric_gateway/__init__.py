"""A client of Hyperledger Fabric's Gateway service (Fabric 2.4 and later), synchronous, for any network.

A noun for each step, a verb for each noun: a `Contract` makes a `Proposal`; `Proposal.endorse` gives a
`Transaction`; `Transaction.submit` gives a `Commit`; `Commit.status` says whether it is valid.
`Contract.submit` and `Contract.evaluate` chain them.
"""

from fabric_gateway.blocks import BlockStream, BlockWithPrivateData, FilteredBlock, FilteredTransaction
from fabric_gateway.checkpoints import Checkpointer, FileCheckpointer, InMemoryCheckpointer, Position
from fabric_gateway.commit import Commit, CommitStatus
from fabric_gateway.connection import Clock, Endpoint, utc_clock
from fabric_gateway.contract import Contract
from fabric_gateway.decoding import DecodedBlock, DecodedIdentity, DecodedTransaction, decode_block
from fabric_gateway.errors import (
    CommitError,
    CommitStatusError,
    EndorseError,
    EnvelopeError,
    ErrorDetail,
    EvaluateError,
    GatewayError,
    SigningError,
    StreamError,
    SubmitError,
    UnsignedError,
)
from fabric_gateway.events import ChaincodeEvent, EventStream
from fabric_gateway.gateway import Gateway
from fabric_gateway.in_flight import InFlight
from fabric_gateway.network import Network
from fabric_gateway.pkcs11_session import destroy_pkcs11_key, new_pkcs11_key
from fabric_gateway.pkcs11_signer import Pkcs11Signer
from fabric_gateway.proposal import Proposal
from fabric_gateway.retry import ConflictRetry
from fabric_gateway.signers import pem_signer
from fabric_gateway.streams import ItemStream, StreamPatience
from fabric_gateway.submission import SubmittedTransaction
from fabric_gateway.timeouts import Timeouts
from fabric_gateway.transaction import Transaction
from fabric_protocol.identities import serialize_identity
from fabric_protocol.signatures import Signer

__all__ = [
    "BlockStream",
    "BlockWithPrivateData",
    "ChaincodeEvent",
    "Checkpointer",
    "Clock",
    "Commit",
    "CommitError",
    "CommitStatus",
    "CommitStatusError",
    "ConflictRetry",
    "Contract",
    "DecodedBlock",
    "DecodedIdentity",
    "DecodedTransaction",
    "EndorseError",
    "Endpoint",
    "EnvelopeError",
    "ErrorDetail",
    "EvaluateError",
    "EventStream",
    "FileCheckpointer",
    "FilteredBlock",
    "FilteredTransaction",
    "Gateway",
    "GatewayError",
    "InFlight",
    "InMemoryCheckpointer",
    "ItemStream",
    "Network",
    "Pkcs11Signer",
    "Position",
    "Proposal",
    "Signer",
    "SigningError",
    "StreamError",
    "StreamPatience",
    "SubmitError",
    "SubmittedTransaction",
    "Timeouts",
    "Transaction",
    "UnsignedError",
    "decode_block",
    "destroy_pkcs11_key",
    "new_pkcs11_key",
    "pem_signer",
    "serialize_identity",
    "utc_clock",
]
