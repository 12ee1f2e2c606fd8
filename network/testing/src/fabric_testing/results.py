"""What tests get back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fabric_protocol.private_rwset import PrivateWriteSet
from fabric_protocol.rwset import ReadWriteSet
from fabric_testing.errors import CommitError


@dataclass(frozen=True)
class Event:
    """The event of a transaction."""

    name: str
    payload: bytes


@dataclass(frozen=True)
class EndorsedTransaction:
    """A transaction that was endorsed and not submitted; ``Ledger.commit`` takes it, now or later.

    Attributes:
        transaction_id: hex SHA-256 of nonce and creator.
        payload: the chaincode's result.
        event: the chaincode's event.
        envelope: ``M(Envelope)``, as the orderer gets it.
        endorsers: MSP ids of the peers that signed.
        rwset: what the chaincode read and wrote.
        private: what it wrote privately.
    """

    transaction_id: str
    payload: bytes
    event: Event | None
    envelope: bytes
    endorsers: tuple[str, ...]
    rwset: ReadWriteSet
    private: PrivateWriteSet | None


@dataclass(frozen=True)
class TestResult:
    """What became of a call.

    Attributes:
        transaction_id: hex SHA-256 of nonce and creator.
        payload: the chaincode's result.
        event: its event, if it set one.
        code: Fabric's validation code by name, e.g. ``VALID``; ``NOT_SUBMITTED`` for an evaluation.
        block_number: the transaction's block; ``None`` for an evaluation.
        endorsers: MSP ids of the peers that ran it.
        rwset: what it read and wrote.
    """

    # Its name begins as pytest's test classes do.
    __test__: ClassVar[bool] = False

    transaction_id: str
    payload: bytes
    event: Event | None
    code: str
    block_number: int | None
    endorsers: tuple[str, ...]
    rwset: ReadWriteSet

    def require_valid(self) -> TestResult:
        """Return the result if the transaction is valid.

        Raises:
            CommitError: it is not; the error's code says why.
        """
        if self.code != "VALID":
            raise CommitError(self.code, f"transaction {self.transaction_id} was committed as {self.code}")
        return self
