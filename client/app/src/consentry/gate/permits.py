"""A permit for an attempt: decided on the ledger, committed, held against the gate's own clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from consentry.access import Access, AccessState
from consentry.errors import ConsentryError, LedgerRefused, TransactionInvalid
from consentry.ledger import Ledger
from consentry.request_signatures import RequestRefused
from consentry.transactions import CONFLICT_TRIES
from consentry_records.access import AccessAttempt, AccessDecision
from consentry_records.delivery import Delivery
from consentry_records.instants import format_instant, shift
from consentry_records.training import TrainingSession
from fabric_gateway import Clock
from fabric_protocol.identities import Identity

_BY_THE_CLOCK = frozenset({"GRANT_EXPIRED", "FUNCTION_APPROVAL_ENDED"})
_DECIDED = frozenset({"ATTEMPT_ALREADY_DECIDED"})
_TRIES = 20
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Permit:
    """A committed attempt and the permit on it."""

    attempt: AccessAttempt
    decision: AccessDecision


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a delivery begins with: its permit, and how it stood at `asked_at` (`time.monotonic`): `over` says
    why it holds no more (None: it does), `epoch` is the custodian's; `deliveries` are those on record.
    """

    permit: Permit
    over: str | None
    epoch: str
    deliveries: tuple[Delivery, ...]
    asked_at: float


class DeniedOnLedger(ConsentryError):
    """The committed decision denies; `decision` is the record."""

    def __init__(self, decision: AccessDecision) -> None:
        super().__init__("ACCESS_DENIED", f"{decision.custodian} denied {decision.attempt_id}")
        self.decision = decision


class Permits:
    """Decides attempts for the custodian and says whether a permit holds; the ledger's word is taken anew."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._transactions = ledger.transactions
        self._access = Access(ledger.transactions)
        self._custodian = ledger.identity.msp_id
        self._tolerance_ms = ledger.settings().time_tolerance_ms
        self._clock = clock

    def attempt(self, attempt_id: str, caller: Identity) -> AccessState:
        """Return an attempt that is the caller's own, at this custodian's data, with its decision if there is
        one; nothing is decided.

        Raises:
            LedgerRefused: ATTEMPT_NOT_FOUND, FIELD_INVALID.
            RequestRefused: ATTEMPT_OF_OTHER_GATE, ATTEMPT_OF_ANOTHER; SESSION_OF_ANOTHER, the training
                session that it names is somebody else's.
        """
        state = self._committed(attempt_id)
        attempt = state.attempt
        if attempt.custodian != self._custodian:
            raise RequestRefused(
                404, "ATTEMPT_OF_OTHER_GATE", f"{attempt_id} is for data of {attempt.custodian}"
            )
        if (attempt.requester_msp, attempt.requester) != (caller.msp_id, caller.common_name):
            raise RequestRefused(403, "ATTEMPT_OF_ANOTHER", f"{attempt_id} was not made by the caller")
        if attempt.session_id is not None:
            self._check_session(attempt, attempt.session_id)
        return state

    def decide(self, state: AccessState) -> None:
        """Decide an attempt on the ledger, unless that was done: its decision service may be first.

        Raises:
            RequestRefused: DECISION_PENDING.
            LedgerUnreachable, NetworkRefused, …: nothing is known, nothing is served.
        """
        attempt_id = state.attempt.attempt_id
        if state.decision is not None:
            return
        for _ in range(_TRIES):
            try:
                self._transactions.submit("access:decide", attempt_id, tries=CONFLICT_TRIES)
                return
            except LedgerRefused as error:
                if error.code not in _DECIDED:
                    raise
                return
            except TransactionInvalid:  # another decision came first
                if self._access.get(attempt_id).decision is not None:
                    return
        raise _pending(attempt_id)

    def outlook(self, attempt: AccessAttempt) -> Outlook:
        """Return the permit on an attempt that was decided, with what is on record under it.

        Raises:
            DeniedOnLedger: with the committed denial.
            RequestRefused: PERMIT_ENDED; GATE_CLOCK_WRONG, the gate's clock is before the decision's;
                DECISION_PENDING, the own peer does not know of the decision.
            LedgerUnreachable, NetworkRefused, …: nothing is known, nothing is served.
        """
        asked_at = time.monotonic()
        answer = self._decided_answer(attempt.attempt_id)
        decision = AccessDecision.from_dict(answer["decision"])
        if not decision.permits:
            raise DeniedOnLedger(decision)
        now = format_instant(self._clock())
        if shift(now, self._tolerance_ms) < decision.decided_at:
            raise RequestRefused(503, "GATE_CLOCK_WRONG", "the gate's clock is behind its own decision")
        if shift(now, self._tolerance_ms) >= (decision.permit_not_after or ""):
            raise RequestRefused(403, "PERMIT_ENDED", f"the permit ended at {decision.permit_not_after}")
        over, epoch = _stands(answer["standing"])
        deliveries = tuple(map(Delivery.from_dict, answer["deliveries"]))
        return Outlook(Permit(attempt, decision), over, epoch, deliveries, asked_at)

    def standing(self, permit: Permit) -> tuple[str | None, str]:
        """Return why a permit holds no more ("permit-ended", "permit-overtaken"; None: it does), and the
        custodian's epoch.

        Peers refuse the question where this gate's clock is far from theirs.

        Raises:
            LedgerUnreachable, NetworkRefused, LedgerRefused
        """
        if self.has_ended(permit):
            return "permit-ended", ""
        return _stands(self._transactions.evaluate("deliveries:may_go_on", permit.attempt.attempt_id))

    def has_ended(self, permit: Permit) -> bool:
        """Whether a permit is over by the gate's own clock."""
        now = format_instant(self._clock())
        return shift(now, self._tolerance_ms) >= (permit.decision.permit_not_after or "")

    def _check_session(self, attempt: AccessAttempt, session_id: str) -> None:
        """A use is put down to nobody else's training; one that has not started yet is nobody's."""
        try:
            found = self._transactions.evaluate("training:get", session_id)
        except LedgerRefused as error:
            if error.code != "SESSION_NOT_FOUND":
                raise
            return
        session = TrainingSession.from_dict(found)
        if (session.msp, session.trainer) != (attempt.requester_msp, attempt.requester):
            raise RequestRefused(
                403, "SESSION_OF_ANOTHER", f"{attempt.attempt_id} names a training session of somebody else"
            )

    def _committed(self, attempt_id: str) -> AccessState:
        """The attempt; the own peer may learn of it a moment after the requester's."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._access.get(attempt_id)
            except LedgerRefused as error:
                if error.code != "ATTEMPT_NOT_FOUND" or pause > _LONGEST_PAUSE_SECONDS:
                    raise
            time.sleep(pause)
            pause *= 2

    def _decided_answer(self, attempt_id: str) -> dict[str, Any]:
        """What the ledger says of a decided attempt; the own peer may learn of it a moment later."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            answer: dict[str, Any] = self._transactions.evaluate("deliveries:outlook", attempt_id)
            if answer["decision"] is not None:
                return answer
            if pause > _LONGEST_PAUSE_SECONDS:
                raise _pending(attempt_id)
            time.sleep(pause)
            pause *= 2


def _stands(answer: dict[str, Any]) -> tuple[str | None, str]:
    """Why a permit holds no more, if so, and the epoch, from the ledger's answer."""
    if answer["holds"]:
        return None, str(answer["epoch"])
    over = {reason["code"] for reason in answer["reasons"]} <= _BY_THE_CLOCK
    return ("permit-ended" if over else "permit-overtaken"), str(answer["epoch"])


def _pending(attempt_id: str) -> RequestRefused:
    return RequestRefused(503, "DECISION_PENDING", f"{attempt_id} could not be decided; try again")
