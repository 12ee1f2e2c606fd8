"""What a test ledger refuses to do. A contract's own refusals are raised as ``fabric_shim.ContractError``.

LedgerError                     root; ``code`` is stable
├── LedgerUsageError            the test asked for what this ledger does not have
├── EndorsementError            a peer would not have endorsed, or endorsers disagreed
├── CommitError                 the transaction was committed as invalid
├── ReplayDifferenceError       a second process came to something else: a contract is not deterministic
└── ReplayFailedError           the replay did not come about
"""

from __future__ import annotations

from collections.abc import Sequence


class LedgerError(Exception):
    """Root of the errors of ``fabric_testing``.

    Attributes:
        code: stable ``UPPER_SNAKE`` name.
        message: one sentence.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class LedgerUsageError(LedgerError):
    """The test asked for an organization, a chaincode or an argument that it lacks (``USAGE_INVALID``)."""

    def __init__(self, message: str) -> None:
        super().__init__("USAGE_INVALID", message)


class EndorsementError(LedgerError):
    """A proposal did not become a transaction.

    Codes: ``ENDORSEMENT_FAILED`` (the chaincode answered with text that is no ``ContractError``),
    ``ENDORSEMENTS_DIFFER`` (two peers' results differ: the contract is not deterministic, or one is altered),
    ``ENDORSERS_MISSING`` (no set of peers satisfies the policies).
    """


class CommitError(LedgerError):
    """The transaction is in a block and invalid; ``code`` is Fabric's validation code by name."""


class ReplayDifferenceError(LedgerError):
    """A second process sent other bytes than the first (``REPLAY_DIFFERS``).

    Attributes:
        differences: a sentence for each transaction that differs, without payloads.
    """

    def __init__(self, interpreter: str, differences: Sequence[str]) -> None:
        super().__init__("REPLAY_DIFFERS", f"replayed by {interpreter}: " + "; ".join(differences))
        self.differences = tuple(differences)


class ReplayFailedError(LedgerError):
    """Nothing could be compared (``REPLAY_FAILED``)."""

    def __init__(self, message: str) -> None:
        super().__init__("REPLAY_FAILED", message)
