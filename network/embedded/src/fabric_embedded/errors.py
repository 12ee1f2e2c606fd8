"""Errors of fabric_embedded: one root, a stable code and a sentence on each.

EmbeddedError
├── NetworkError      create, up, down, destroy
├── ProcessError      starting and stopping the processes of a network
├── MaterialError     certificates, keys, packages on disk
├── LedgerError       the ledger's files cannot be opened, read or written
├── ChaincodeError    a chaincode service did not answer as it must
├── PeerRefusal       a peer refuses a proposal without a response
└── AccessDenied      a policy of the channel refuses the caller
"""

from __future__ import annotations


class EmbeddedError(Exception):
    """Root of everything that this distribution raises on purpose.

    Parameters:
        code: stable, UPPER_SNAKE; for programs.
        message: what was got, what was expected, what to do; for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NetworkError(EmbeddedError):
    """A network directory cannot be created, started, stopped or removed."""


class ProcessError(EmbeddedError):
    """A process of the network did not start, or ended before it was ready."""


class MaterialError(EmbeddedError):
    """Key material, the genesis block or a chaincode package cannot be made or read."""


class LedgerError(EmbeddedError):
    """The ledger's files cannot be opened, read or written."""


class ChaincodeError(EmbeddedError):
    """A chaincode service failed, broke off or did not answer in time; the message is Fabric's."""


class PeerRefusal(EmbeddedError):
    """A peer refuses a proposal where Fabric answers with a gRPC error.

    Parameters:
        code: stable, UPPER_SNAKE.
        message: Fabric's text.
        is_filter: whether a filter before the endorser refused; Fabric then sends no response at all.
    """

    def __init__(self, code: str, message: str, *, is_filter: bool) -> None:
        super().__init__(code, message)
        self.is_filter = is_filter


class AccessDenied(EmbeddedError):
    """A channel policy refuses the caller (Fabric's ACLs, `core/aclmgmt`)."""
