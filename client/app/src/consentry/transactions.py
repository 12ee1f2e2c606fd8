"""The ledger's transactions as calls: arguments to bytes, results from bytes, failures to our errors.

Only what a contract marks as a transaction is ever submitted: a submitted read would put its result into a
block for ever (DESIGN §8).
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from consentry.errors import (
    ConsentryError,
    InputRejected,
    LedgerRefused,
    LedgerUnreachable,
    NetworkRefused,
    OutcomeUnknown,
    TransactionInvalid,
)
from consentry_records import canonical
from consentry_records.errors import LedgerError, from_wire
from consentry_records.record import Record
from fabric_gateway import (
    CommitError,
    CommitStatusError,
    Contract,
    EndorseError,
    EnvelopeError,
    EvaluateError,
    GatewayError,
    SubmitError,
)

Argument = str | Record | Mapping[str, Any] | Sequence[Any]
_Result = TypeVar("_Result")

EVALUATIONS = frozenset(
    {
        "ledger:settings",
        "ledger:votes",
        "consents:get",
        "consents:permitted",
        "consents:read_private",
        "subjects:get",
        "rights:get",
        "rights:of_subject",
        "rights:unanswered",
        "datasets:get",
        "datasets:versions",
        "datasets:removed",
        "impact:of_consent",
        "impact:of_model_version",
        "grants:get",
        "grants:get_suspension",
        "grants:get_request",
        "reviews:list",
        "reviews:match",
        "reviews:read_rationale",
        "emergencies:open",
        "access:get",
        "functions:get",
        "deliveries:may_go_on",
        "deliveries:outlook",
        "deliveries:of_attempt",
        "training:get",
        "training:usage",
        "models:get_stage",
        "models:get",
        "models:versions",
        "breaches:get",
        "trail:get",
        "epochs:get",
    }
)
OF_OTHERS: Mapping[str, frozenset[str]] = {
    "grants:request": frozenset({"VERSION_NOT_FOUND"}),
    "grants:grant": frozenset({"REQUEST_NOT_FOUND"}),
    "grants:suspend": frozenset({"GRANT_NOT_FOUND"}),
    "grants:lift_suspension": frozenset({"GRANT_NOT_FOUND"}),
    "reviews:store_rationale": frozenset({"REQUEST_NOT_FOUND"}),
    "reviews:record": frozenset({"REQUEST_NOT_FOUND"}),
    "emergencies:review": frozenset({"EMERGENCY_NOT_FOUND"}),
    "access:attempt": frozenset({"VERSION_NOT_FOUND"}),
    "training:start": frozenset({"ATTEMPT_NOT_FOUND", "VERSION_NOT_FOUND"}),
}
"""What refers to another organization's record, and the refusal that says that a peer does not have it."""

CONFLICTS = frozenset({"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"})
"""Worth a new transaction: another one overtook this one. Any other invalid code would come back."""
# Endorsers that run before and after a commit disagree; nothing was submitted (Fabric's gateway's text).
_ENDORSERS_DISAGREE = "ProposalResponsePayloads do not match"
# The first endorser agreed and others did not: their peers lag behind its peer. Nothing was submitted.
_OTHERS_LAG = "failed to collect enough transaction endorsements"
_TIME_REFUSED = "incorrect timestamp"
_NO_ANSWER = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
CONFLICT_TRIES = 8
_LAG_TRIES = 6

_log = logging.getLogger(__name__)


class Transactions:
    """One identity's calls to the ledger's contracts; usable by many threads."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def evaluate(
        self,
        function: str,
        *arguments: Argument,
        transient: Mapping[str, bytes] | None = None,
        endorsers: Sequence[str] = (),
    ) -> Any:
        """Ask one peer and return the decoded JSON result; nothing is written.

        Raises:
            LedgerRefused, NetworkRefused, LedgerUnreachable
        """
        try:
            result = self._contract.evaluate(
                function, *map(_encoded, arguments), transient=transient, endorsing_organizations=endorsers
            )
        except GatewayError as error:
            raise translated(error) from error
        return canonical.decode(result) if result else None

    def submit(
        self,
        function: str,
        *arguments: Argument,
        transient: Mapping[str, bytes] | None = None,
        endorsers: Sequence[str] = (),
        tries: int = 1,
        proposal_time: datetime | None = None,
    ) -> bytes:
        """Endorse, submit and wait until the transaction is valid on the ledger; return the result's bytes.

        `proposal_time` replaces the clock's. With `tries` above 1 a transaction that others overtook (MVCC)
        is made anew: only for transactions that their own ids keep from happening twice. Where the first
        endorser agrees and other organizations' peers do not, it is proposed anew for some seconds in any
        case: peers learn of a commit one after the other, and nothing was submitted. So it is where the own
        peer may not know yet what another organization has just written (:data:`OF_OTHERS`).

        Raises:
            LedgerRefused, NetworkRefused, LedgerUnreachable: nothing was written.
            TransactionInvalid: committed without effect.
            OutcomeUnknown: submitted, and not known to be valid or invalid.
        """
        if function in EVALUATIONS:
            raise ValueError(f"{function} is evaluated, never submitted: its result would stay in a block")
        if tries < 1:
            raise ValueError(f"tries: got {tries}, expected at least 1")
        encoded = [_encoded(argument) for argument in arguments]
        pause = _FIRST_PAUSE_SECONDS
        conflicts, lags = tries - 1, _LAG_TRIES
        while True:
            try:
                return self._contract.submit(
                    function,
                    *encoded,
                    transient=transient,
                    endorsing_organizations=endorsers,
                    proposal_time=proposal_time,
                )
            except GatewayError as error:
                if lags and _is_early(error, OF_OTHERS.get(function, frozenset())):
                    lags -= 1
                elif conflicts and _was_overtaken(error):
                    conflicts -= 1
                else:
                    raise translated(error) from error
                _log.info("%s was overtaken (%s), making it anew", function, error.code)
            time.sleep(pause * (0.5 + random.random()))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def checked(make: Callable[[], _Result]) -> _Result:
    """Build records from a caller's input; what they refuse becomes `InputRejected` with their code."""
    try:
        return make()
    except LedgerError as error:
        raise InputRejected(error.code, error.message, error.fields) from error


def translated(error: GatewayError) -> ConsentryError:
    """Return the application's error for a failed call."""
    if isinstance(error, CommitError):
        status = error.status
        return TransactionInvalid(status.name, status.transaction_id, status.block_number)
    if isinstance(error, CommitStatusError):
        return OutcomeUnknown(error.transaction_id, error.code)
    refusal = _contract_refusal(error)
    if refusal is not None:
        return LedgerRefused(refusal.code, refusal.message, refusal.fields)
    if isinstance(error, EnvelopeError):
        return NetworkRefused("ENDORSEMENT_REJECTED", error.message, {"reason": error.code})
    words = _words(error)
    if _TIME_REFUSED in words:
        return NetworkRefused(
            "PROPOSAL_TIME_REFUSED",
            "the peers refused the proposal: its time is too far from theirs; check this machine's clock",
        )
    if isinstance(error, SubmitError):
        return NetworkRefused("ORDERER_REFUSED", words, {"status": error.code})
    if error.code in _NO_ANSWER:
        return LedgerUnreachable("LEDGER_UNREACHABLE", f"the ledger gave no answer ({words}); is it up?")
    return NetworkRefused("NETWORK_REFUSED", words, {"status": error.code})


def _contract_refusal(error: GatewayError) -> LedgerError | None:
    if not isinstance(error, EvaluateError | EndorseError):
        return None
    for text in (*(detail.message for detail in error.details), error.message):
        refusal = from_wire(text)
        if refusal is not None:
            return refusal
    return None


def _words(error: GatewayError) -> str:
    return "; ".join(dict.fromkeys([error.message, *(detail.message for detail in error.details)]))


def _is_early(error: GatewayError, codes: frozenset[str]) -> bool:
    if not isinstance(error, EndorseError):
        return False
    refusal = _contract_refusal(error)
    return _OTHERS_LAG in error.message or (refusal is not None and refusal.code in codes)


def _was_overtaken(error: GatewayError) -> bool:
    if isinstance(error, CommitError):
        return error.status.name in CONFLICTS
    return isinstance(error, EndorseError) and _ENDORSERS_DISAGREE in _words(error)


def _encoded(argument: Argument) -> bytes:
    if isinstance(argument, str):
        return argument.encode()
    return argument.to_bytes() if isinstance(argument, Record) else canonical.encode(argument)
