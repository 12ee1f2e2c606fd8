"""Errors of fabric_embedded, beside those that any engine raises (`fabric_operator.errors`).

OperatorError
└── EmbeddedError
    ├── LedgerError       the ledger's files cannot be opened, read or written
    ├── ChaincodeError    a chaincode service did not answer as it must
    ├── PeerRefusal       a peer refuses a proposal without a response
    └── AccessDenied      a policy of the channel refuses the caller
"""

from __future__ import annotations

from fabric_operator.errors import OperatorError


class EmbeddedError(OperatorError):
    """Root of what only the embedded engine raises."""


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
