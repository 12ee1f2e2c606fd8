"""Errors of the Gateway client: one tree, a class for each step that failed.

GatewayError                 code, details of each node, transaction id
├── EvaluateError            an evaluation failed; nothing can have been written
├── EndorseError             endorsement failed; nothing was submitted
│   └── EnvelopeError        the gateway's answer is not what was proposed; it was not signed
├── SubmitError              the orderer refused, or its answer is unknown (`outcome_unknown`)
├── CommitStatusError        whether the transaction is valid could not be found out
├── CommitError              the transaction was committed as invalid: it had no effect
├── StreamError              a stream of events or blocks broke off
├── SigningError             the signer failed, or returned no signature
└── UnsignedError            a step needs a signature, and the gateway has no signer: off-line signing
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fabric_gateway.commit import CommitStatus


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """What one node said (Fabric's `gateway.ErrorDetail`): its address, its MSP id and its message."""

    address: str
    msp_id: str
    message: str


class GatewayError(Exception):
    """Root of the package's errors.

    `code` is the name of a gRPC status (`UNAVAILABLE`, `ABORTED`, …) or, where no status is behind the error,
    a stable name of ours; `details` has what each failing node said; `transaction_id` is empty where no
    transaction is concerned.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        details: Sequence[ErrorDetail] = (),
        transaction_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = tuple(details)
        self.transaction_id = transaction_id

    def __str__(self) -> str:
        """Return the message with its code, the transaction id and each node's message."""
        parts = [f"{self.code}: {self.message}"]
        if self.transaction_id:
            parts.append(f"transaction {self.transaction_id}")
        parts.extend(f"{detail.msp_id} at {detail.address}: {detail.message}" for detail in self.details)
        return "; ".join(parts)


class EvaluateError(GatewayError):
    """An evaluation failed."""


class EndorseError(GatewayError):
    """A proposal was not endorsed; nothing was submitted."""


class EnvelopeError(EndorseError):
    """The answer is not the transaction proposed, or its endorsements do not hold; it was not signed."""


class SubmitError(GatewayError):
    """The endorsed transaction was not accepted for ordering, or it is unknown whether it was.

    With `outcome_unknown` the transaction may yet be committed: ask for its status by transaction id, and
    do not propose it again before that is answered.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        details: Sequence[ErrorDetail] = (),
        transaction_id: str = "",
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message, code=code, details=details, transaction_id=transaction_id)
        self.outcome_unknown = outcome_unknown


class CommitStatusError(GatewayError):
    """Whether a submitted transaction is valid could not be found out; it may be committed or may yet be."""


class CommitError(GatewayError):
    """A transaction was committed as invalid and had no effect; `status` has the validation code."""

    def __init__(self, status: CommitStatus) -> None:
        super().__init__(
            f"committed as invalid in block {status.block_number}: {status.name} ({status.code})",
            code=status.name,
            transaction_id=status.transaction_id,
        )
        self.status = status


class StreamError(GatewayError):
    """A stream of events or blocks broke off; it can be opened again from a checkpoint."""


class SigningError(GatewayError):
    """The signer failed, or what it returned is no signature; nothing was sent."""


class UnsignedError(GatewayError):
    """A step needs a signature and this gateway has no signer; nothing was sent."""
