"""Errors of the application: one tree; each has a stable code, a sentence, and fields without personal data.

    ConsentryError
    ├── InputRejected            what was passed is wrong; nothing was sent
    │   └── FrameRejected        a frame's rows are wrong; `problems` lists all of them by row
    ├── ConfigurationError       network.json, a wallet or the custody store is missing, wrong or exposed
    ├── EnrolmentError           the certificate authority refused or answered nonsense
    ├── LedgerUnreachable        no answer from the network; nothing is known to be written
    ├── LedgerRefused            the ledger's contract said no: its code, fields and sentence
    ├── NetworkRefused           peers or orderers said no, or an endorsement does not hold: nothing written
    ├── TransactionInvalid       committed as invalid: no effect; `validation_code` is Fabric's name
    ├── OutcomeUnknown           submitted, and the ledger did not say in time whether it is valid
    ├── ImportIncomplete         part of a frame is on the ledger: how much, and what stopped the rest
    ├── DecisionPending          an access attempt is on record and its custodian has not decided yet
    └── AccessDenied             an access attempt was denied: the decision, with reasons in words

Messages never carry pseudonyms, salts or values of a frame: rows are named by their position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consentry_records.access import AccessDecision

FieldValue = str | int


class ConsentryError(Exception):
    """Root of the application's errors: `code` (stable, UPPER_SNAKE), `message` (a sentence), `fields`."""

    def __init__(self, code: str, message: str, fields: Mapping[str, FieldValue] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = dict(fields or {})

    def __str__(self) -> str:
        """Return code and sentence."""
        return f"{self.code}: {self.message}"


class InputRejected(ConsentryError):
    """An argument is wrong; nothing was sent."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One fault of a frame: the row's position (0 is the first), the column, a code and a sentence."""

    row: int
    column: str
    code: str
    message: str

    def __str__(self) -> str:
        """Return the fault in words, the row by its position."""
        return f"row {self.row}, {self.column}: {self.message}"


class FrameRejected(InputRejected):
    """A frame has faulty rows; nothing was imported or registered. `problems` has every fault found."""

    SHOWN = 20
    """How many faults the sentence names."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        self.problems = tuple(problems)
        rows = len({problem.row for problem in self.problems})
        self.summary = f"{rows} {'row is' if rows == 1 else 'rows are'} faulty and nothing was recorded"
        shown = "; ".join(str(problem) for problem in self.problems[: self.SHOWN])
        rest = len(self.problems) - self.SHOWN
        more = f"; and {rest} more (see .problems)" if rest > 0 else ""
        super().__init__(
            "FRAME_INVALID",
            f"{self.summary}: {shown}{more}",
            {"rows": rows, "problems": len(self.problems)},
        )


class ConfigurationError(ConsentryError):
    """A file that the client needs is missing, malformed or readable by others."""


class EnrolmentError(ConsentryError):
    """The certificate authority refused, could not be reached, or answered what cannot be used."""


class LedgerUnreachable(ConsentryError):
    """The network gave no answer, and nothing was submitted."""


class LedgerRefused(ConsentryError):
    """The ledger's contract refused; code, fields and sentence are its own (`consentry_records.errors`)."""


class NetworkRefused(ConsentryError):
    """Peers or orderers refused a proposal or transaction, or its endorsements did not hold."""


class TransactionInvalid(ConsentryError):
    """A transaction was committed as invalid and had no effect."""

    def __init__(self, validation_code: str, transaction_id: str, block_number: int) -> None:
        super().__init__(
            "TRANSACTION_INVALID",
            f"transaction {transaction_id} had no effect: block {block_number} has it as {validation_code}",
            {"validation_code": validation_code, "transaction_id": transaction_id, "block": block_number},
        )
        self.validation_code = validation_code
        self.transaction_id = transaction_id


class OutcomeUnknown(ConsentryError):
    """A transaction was submitted and may yet become valid; its id is in `transaction_id`."""

    def __init__(self, transaction_id: str, message: str) -> None:
        super().__init__(
            "OUTCOME_UNKNOWN",
            f"transaction {transaction_id} was submitted and its outcome is unknown ({message}); "
            "look it up by its id before doing the same again",
            {"transaction_id": transaction_id},
        )
        self.transaction_id = transaction_id


class ImportIncomplete(ConsentryError):
    """An import stopped half-way: `recorded` of `total` are on the ledger, `cause` stopped the rest."""

    def __init__(self, recorded: int, total: int, cause: ConsentryError) -> None:
        super().__init__(
            "IMPORT_INCOMPLETE",
            f"{recorded} of {total} consents were recorded before {cause}",
            {"recorded": recorded, "total": total, "cause": cause.code},
        )
        self.recorded = recorded
        self.total = total
        self.cause = cause


class DecisionPending(ConsentryError):
    """An attempt's custodian has not decided in the time given; the attempt stays on record."""

    def __init__(self, attempt_id: str, custodian: str, seconds: float) -> None:
        super().__init__(
            "DECISION_PENDING",
            f"{custodian} has not decided on {attempt_id} within {seconds:g} s; it is on record",
            {"attempt_id": attempt_id, "custodian": custodian},
        )
        self.attempt_id = attempt_id


class AccessDenied(ConsentryError):
    """An access attempt was denied; `decision` is the committed record, `reasons` its reasons in words."""

    def __init__(self, decision: AccessDecision, reasons: Sequence[str]) -> None:
        self.decision = decision
        self.reasons = tuple(reasons)
        super().__init__(
            "ACCESS_DENIED",
            f"{decision.custodian} denied {decision.attempt_id}: " + "; ".join(self.reasons),
            {"attempt_id": decision.attempt_id, "custodian": decision.custodian},
        )
