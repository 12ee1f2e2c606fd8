"""A training session as a context manager: permits on entry, rounds and versions inside, its end on record.

Example:
    with ledger.training(model="risk", datasets=[version_id], purpose="DUO:0000006") as session:
        for weights, updates, loss in federated_rounds():
            session.record_round(updates, aggregate=weights, metrics={"loss": loss})
        session.register_version(weights=weights, architecture={"kind": "logistic"}, metrics={"auc": auc})
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from consentry.access import Access
from consentry.errors import ConsentryError, InputRejected, LedgerRefused, LedgerUnreachable, OutcomeUnknown
from consentry.identifiers import new_identifier
from consentry.models import Architecture, Models, Weights
from consentry.outbox import Outbox, OutboxEntry
from consentry.provenance import Metric, code_digest, description_digest, environment_digest, metric_texts
from consentry.transactions import Transactions, checked
from consentry.weights import weights_digest
from consentry_records.access import AccessDecision
from consentry_records.model import ModelVersion
from consentry_records.record import Record
from consentry_records.training import (
    ABORTED,
    COMPLETED,
    FAILED,
    MAXIMUM_ROUND_BATCH,
    FinishedSession,
    NewTrainingRound,
    NewTrainingRounds,
    NewTrainingSession,
    Participant,
    UsedVersion,
)

_log = logging.getLogger(__name__)

__all__ = ["Participant", "Round", "RunningSession", "Training", "TrainingPlan", "participant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """What a session is to be: see `Ledger.training`."""

    model: str
    datasets: tuple[str, ...]
    purpose: str
    commercial: bool
    hyperparameters: Mapping[str, Any]
    code: Path | None
    decision_timeout: float
    output: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """A computed round: who computed what, the aggregate (arrays by name, or a digest), and its metrics."""

    participants: Sequence[Participant]
    aggregate: Weights
    metrics: Mapping[str, Metric]


class Training:
    """A session not started yet; `with` starts it and records its end; made by `Ledger.training`."""

    def __init__(
        self, transactions: Transactions, plan: TrainingPlan, outbox: Callable[[], Outbox] | None = None
    ) -> None:
        self._outbox = outbox
        self._transactions = transactions
        self._plan = plan
        self._running: RunningSession | None = None

    def __enter__(self) -> RunningSession:
        """Attempt access to each dataset version, wait for the decisions, and start the session.

        Raises:
            AccessDenied: a custodian denied; no session was started.
            DecisionPending: a custodian has not decided in time.
            InputRejected, LedgerRefused: PERMIT_EXPIRED, PERMIT_OVERTAKEN, ROLE_REQUIRED, …
        """
        if self._running is not None:
            raise InputRejected("SESSION_STARTED", "this session was started before; make a new one")
        plan = self._plan
        if not plan.datasets:
            raise InputRejected("DATASETS_MISSING", "datasets: got none, expected dataset version ids")
        if self._outbox is not None and self._outbox().waits:
            self._outbox().send()
        digests = (code_digest(plan.code), environment_digest(), description_digest(plan.hyperparameters))
        model_id, session_id = Models(self._transactions).ensure(plan.model), new_identifier("session")
        permits = Access(self._transactions).request_all(
            plan.datasets,
            purpose=plan.purpose,
            commercial=plan.commercial,
            timeout=plan.decision_timeout,
            session_id=session_id,
            output=plan.output,
            columns=plan.columns,
        )
        new = checked(
            lambda: NewTrainingSession(
                session_id=session_id,
                model_id=model_id,
                purpose=plan.purpose,
                commercial=plan.commercial,
                attempts=tuple(permit.attempt_id for permit in permits),
                code_digest=digests[0],
                environment_digest=digests[1],
                hyperparameters_digest=digests[2],
            )
        )
        outbox = self._outbox() if self._outbox is not None else None
        if outbox is not None:
            outbox.running.mark(session_id)
        try:
            self._transactions.submit("training:start", new)
        except LedgerRefused:
            if outbox is not None:
                outbox.running.unmark(session_id)
            raise
        self._running = RunningSession(self._transactions, new, permits, self._outbox)
        return self._running

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Record the session as completed; as failed after an exception, as aborted after an interrupt.

        An exception of the block is never replaced: if its end cannot be recorded, that is added as a note.
        """
        if self._running is None:
            return
        if error is None:
            self._running.finish(COMPLETED)
            return
        try:
            if isinstance(error, Exception):
                self._running.finish(FAILED, failure="PROGRAM_ERROR")
            else:
                self._running.finish(ABORTED, failure="INTERRUPTED")
        except ConsentryError as failure:
            error.add_note(f"the training session's end is not on record: {failure}")


class RunningSession:
    """A started session: its record, its permits, and what is to be recorded about it.

    While the ledger cannot be reached, rounds and the end go to the outbox (`Ledger.outbox`), signed. Where
    the process dies, the same person's next program on this machine records that the session failed.
    """

    def __init__(
        self,
        transactions: Transactions,
        record: NewTrainingSession,
        permits: Sequence[AccessDecision],
        outbox: Callable[[], Outbox] | None = None,
    ) -> None:
        self._outbox = outbox
        self._transactions = transactions
        self._rounds = 0
        self._used: dict[str, int] = {}
        self.record = record
        self.permits = tuple(permits)

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.record.session_id

    @property
    def model_id(self) -> str:
        """The model's id."""
        return self.record.model_id

    def record_round(
        self,
        participants: Sequence[Participant],
        *,
        aggregate: Weights,
        metrics: Mapping[str, Metric],
    ) -> NewTrainingRound:
        """Record one round: who computed what on which rows, and the aggregate (arrays by name, or a digest).
        Return it with its number.

        `participant` makes the entries. Rounds are numbered from 1.

        Raises:
            InputRejected: malformed input; nothing was sent.
            LedgerRefused: ROUND_VERSION_NOT_IN_SESSION, SESSION_NOT_RUNNING, …
        """
        new = self._new_round(1, Round(participants, aggregate, metrics))
        self._record("training:record_round", new, lambda outbox: outbox.state_round(new))
        self._note_rounds((new,))
        return new

    def record_rounds(self, rounds: Sequence[Round]) -> tuple[NewTrainingRound, ...]:
        """Record rounds that were computed already, up to 64 in a transaction: all of these, or none.

        Return them with their numbers.

        Raises:
            InputRejected, LedgerRefused: as `record_round`; what was recorded before stays on record.
        """
        recorded: list[NewTrainingRound] = []
        for start in range(0, len(rounds), MAXIMUM_ROUND_BATCH):
            part = rounds[start : start + MAXIMUM_ROUND_BATCH]
            recorded += self._record_together(
                tuple(self._new_round(place, each) for place, each in enumerate(part, 1))
            )
        return tuple(recorded)

    def _record_together(self, rounds: tuple[NewTrainingRound, ...]) -> tuple[NewTrainingRound, ...]:
        batch = checked(lambda: NewTrainingRounds(rounds=rounds))
        self._record("training:record_rounds", batch, lambda outbox: _state_rounds(outbox, rounds))
        self._note_rounds(rounds)
        return rounds

    def _new_round(self, place: int, computed: Round) -> NewTrainingRound:
        texts = metric_texts(computed.metrics)
        return checked(
            lambda: NewTrainingRound(
                session_id=self.session_id,
                number=self._rounds + place,
                participants=tuple(computed.participants),
                aggregate_digest=_digest(computed.aggregate),
                metrics=texts,
            )
        )

    def _note_rounds(self, recorded: Sequence[NewTrainingRound]) -> None:
        self._rounds += len(recorded)
        for part in (part for each in recorded for part in each.participants):
            self.note_use(part.version_id, part.rows)

    def note_use(self, version_id: str, rows: int) -> None:
        """Note how many rows of a dataset version are used; its highest number goes on record with the end.

        Rounds note their own.
        """
        self._used[version_id] = max(rows, self._used.get(version_id, 0))

    def register_version(
        self,
        *,
        weights: Weights,
        architecture: Architecture,
        metrics: Mapping[str, Metric],
        parent: str | None = None,
        test_set_digest: str | None = None,
    ) -> ModelVersion:
        """Register what this session trained as a version of its model; see `Models.register_version`."""
        return Models(self._transactions).register_version(
            self.model_id,
            weights=weights,
            architecture=architecture,
            sessions=(self.session_id,),
            metrics=metrics,
            parent=parent,
            test_set_digest=test_set_digest,
        )

    def finish(self, state: str, *, failure: str | None = None) -> None:
        """Record the session's end: completed, failed or aborted. Leaving the `with` block does it.

        `failure` is a code of `consentry_records.training.FAILURES`; what was noted as used goes along.

        Raises:
            InputRejected: malformed input.
            LedgerRefused: SESSION_NOT_RUNNING, USED_VERSION_NOT_IN_SESSION, …
        """
        finished = checked(
            lambda: FinishedSession(
                session_id=self.session_id,
                state=state,
                failure=failure,
                used=tuple(UsedVersion(version_id=v, rows=rows) for v, rows in self._used.items()),
            )
        )
        self._record("training:finish", finished, lambda outbox: outbox.state_end(finished))
        if self._outbox is not None:
            self._outbox().running.unmark(self.session_id)

    def _record(self, function: str, record: Record, state: Callable[[Outbox], OutboxEntry]) -> None:
        outbox = self._outbox() if self._outbox is not None else None
        if outbox is not None and outbox.holds(self.session_id):
            outbox.send()
            if outbox.holds(self.session_id):
                state(outbox)
                return
        try:
            self._transactions.submit(function, record)
        except (LedgerUnreachable, OutcomeUnknown) as error:
            if outbox is None:
                raise
            entry = state(outbox)
            _log.warning("%s of %s waits in the outbox: %s", entry.what, entry.session_id, error)


def participant(msp: str, version_id: str, *, rows: int, update: Weights) -> Participant:
    """Return a round's entry for one organization: how many rows of which version, and its update.

    Raises:
        InputRejected: malformed input.
    """
    return checked(
        lambda: Participant(msp=msp, version_id=version_id, update_digest=_digest(update), rows=rows)
    )


def _state_rounds(outbox: Outbox, rounds: Sequence[NewTrainingRound]) -> OutboxEntry:
    return [outbox.state_round(each) for each in rounds][-1]


def _digest(weights: Weights) -> str:
    return weights if isinstance(weights, str) else weights_digest(weights)
