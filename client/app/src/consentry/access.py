"""Access: an attempt goes on record first, then its custodian's service decides on it (DESIGN §6)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from consentry.errors import AccessDenied, DecisionPending, LedgerRefused
from consentry.identifiers import new_identifier
from consentry.transactions import Transactions, checked
from consentry_records.access import ROWS, AccessAttempt, AccessDecision, NewAccessAttempt
from consentry_records.reasons import words

DEFAULT_TIMEOUT_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5
_LAG_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class AccessState:
    """An attempt and, once its custodian has decided, the decision."""

    attempt: AccessAttempt
    decision: AccessDecision | None


class Access:
    """Attempts at access by the caller, and what became of anybody's."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def attempt(
        self,
        version_id: str,
        *,
        purpose: str,
        commercial: bool = False,
        diseases: Sequence[str] = (),
        output: str = ROWS,
        session_id: str | None = None,
        emergency: str | None = None,
        function_digest: str | None = None,
        columns: Sequence[str] = (),
    ) -> str:
        """Record an attempt to use a dataset version; return its id. It says nothing about the outcome.

        `purpose` is a code of `vocabulary.PURPOSES`, `diseases` are Mondo ids, `output` a code of
        `vocabulary.OUTPUTS`, `session_id` the training session that it is for; `emergency`, a code of
        `emergency.EMERGENCY_REASONS`, breaks the glass, and a review follows;
        `columns` are those that would be used (none: all); `function_digest` names the registered function
        that would run on the data.

        Raises:
            InputRejected: a malformed id, an unknown purpose; nothing was sent.
            LedgerRefused: VERSION_NOT_FOUND, …
            NetworkRefused: PROPOSAL_TIME_REFUSED, this machine's clock is too far off.
        """
        attempt = checked(
            lambda: NewAccessAttempt(
                attempt_id=new_identifier("attempt"),
                version_id=version_id,
                purpose=purpose,
                commercial=commercial,
                diseases=tuple(diseases),
                output=output,
                session_id=session_id,
                emergency=emergency,
                function_digest=function_digest,
                columns=tuple(columns),
            )
        )
        self._transactions.submit("access:attempt", attempt)
        return attempt.attempt_id

    def get(self, attempt_id: str) -> AccessState:
        """Return an attempt and its decision, if there is one.

        Raises:
            LedgerRefused: ATTEMPT_NOT_FOUND.
        """
        answer = self._transactions.evaluate("access:get", attempt_id)
        decision = answer["decision"]
        return AccessState(
            AccessAttempt.from_dict(answer["attempt"]),
            None if decision is None else AccessDecision.from_dict(decision),
        )

    def wait_for_decision(self, attempt_id: str, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> AccessDecision:
        """Wait (seconds) for the committed decision on an attempt; it may permit or deny.

        Raises:
            DecisionPending: none in time; the attempt stays on record and open.
            LedgerRefused: ATTEMPT_NOT_FOUND, also not in the seconds that the own peer may lag behind the
                requester's.
        """
        began = time.monotonic()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            waited = time.monotonic() - began + pause
            try:
                state = self.get(attempt_id)
            except LedgerRefused as refusal:
                if refusal.code != "ATTEMPT_NOT_FOUND" or waited > min(timeout, _LAG_SECONDS):
                    raise
            else:
                if state.decision is not None:
                    return state.decision
                if waited > timeout:
                    raise DecisionPending(attempt_id, state.attempt.custodian, timeout)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def request_access(
        self,
        version_id: str,
        *,
        purpose: str,
        commercial: bool = False,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        columns: Sequence[str] = (),
    ) -> AccessDecision:
        """Attempt access and wait for the decision; return the permit.

        Raises:
            AccessDenied: with the committed decision and its reasons in words.
            DecisionPending, InputRejected, LedgerRefused
        """
        return self.request_all(
            [version_id], purpose=purpose, commercial=commercial, timeout=timeout, columns=columns
        )[0]

    def request_all(
        self,
        versions: Sequence[str],
        *,
        purpose: str,
        commercial: bool = False,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        session_id: str | None = None,
        output: str = ROWS,
        columns: Sequence[str] = (),
    ) -> tuple[AccessDecision, ...]:
        """Attempt access to several dataset versions, then wait for all decisions; return the permits.

        Raises:
            AccessDenied: the first denial; all attempts and decisions are on record.
            DecisionPending, InputRejected, LedgerRefused
        """
        attempts = [
            self.attempt(
                version,
                purpose=purpose,
                commercial=commercial,
                session_id=session_id,
                output=output,
                columns=columns,
            )
            for version in versions
        ]
        end = time.monotonic() + timeout
        decisions = [
            self.wait_for_decision(attempt, max(end - time.monotonic(), 0.0)) for attempt in attempts
        ]
        for decision in decisions:
            if not decision.permits:
                raise AccessDenied(decision, reasons_in_words(decision))
        return tuple(decisions)


def reasons_in_words(decision: AccessDecision) -> tuple[str, ...]:
    """Return a decision's reasons as sentences of the catalogue."""
    return tuple(words(reason) for reason in decision.reasons)
