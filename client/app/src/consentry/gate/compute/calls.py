"""Calls of functions at a gate: each attempt is one run, whose outputs stay there until its permit ends."""

from __future__ import annotations

import hmac
import logging
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consentry.access import AccessState
from consentry.errors import ConfigurationError, ConsentryError
from consentry.gate.beginning import Beginnings
from consentry.gate.compute.isolation import Isolation
from consentry.gate.compute.kept import KeptOutputs
from consentry.gate.compute.running import FunctionCall, FunctionRun, output_digest, output_key
from consentry.gate.compute.sandbox import Sandbox
from consentry.gate.compute.wire import Ended
from consentry.gate.delivering import Delivery, Parts
from consentry.gate.pieces import Pieces
from consentry.gate.projection import chosen_columns
from consentry.gate.recording import Recorder
from consentry.gate.store import GateStore
from consentry.ledger import Ledger
from consentry.request_signatures import RequestRefused
from consentry_records.access import AccessAttempt
from consentry_records.delivery import Delivery as DeliveryRecord
from consentry_records.delivery import NewDelivery
from consentry_records.digest import sha256_digest
from consentry_records.function import Function, FunctionName
from consentry_records.record import field_names

if TYPE_CHECKING:
    from consentry.gate.permits import Outlook

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """What a run gave: how it ended, and its outputs' bytes in the record's order (none where none leave)."""

    ended: Ended
    outputs: tuple[bytes, ...] = field(repr=False)


class FunctionCalls:
    """Calls of functions at one gate; usable by many threads."""

    def __init__(
        self,
        ledger: Ledger,
        store: GateStore,
        parts: Parts,
        beginnings: Beginnings,
        isolation: Isolation,
        recorder: Recorder,
        running: MutableMapping[str, Delivery | FunctionRun],
    ) -> None:
        """`running` are the gate's deliveries and runs that are under way, by attempt."""
        self._ledger = ledger
        self._store = store
        self._parts = parts
        self._beginnings = beginnings
        self._isolation = isolation
        self._recorder = recorder
        self._running = running
        self.kept = KeptOutputs(store)

    def call(self, state: AccessState, call: FunctionCall) -> FunctionRun | Given:
        """Return the run that an attempt is for: a new one, the one that is under way, or what it gave.

        Raises:
            as `Gate.compute`
        """
        attempt = state.attempt
        if attempt.function_digest is None:
            raise RequestRefused(403, "OUTPUT_DIFFERS", f"{attempt.attempt_id} was made for no function")
        if sha256_digest(call.source.encode()) != attempt.function_digest:
            raise RequestRefused(
                403, "FUNCTION_DIFFERS", f"{attempt.attempt_id} was made for another function"
            )
        under_way = self._under_way(attempt, call)
        if under_way is not None:
            return under_way
        given = None if state.decision is None else self._earlier(attempt, call)
        return given or self._begun(state, call)

    def release(self) -> None:
        """Give the place of a run back."""
        self._isolation.places.release()

    def keep(self, run: FunctionRun) -> None:
        """Keep the outputs of a completed run; one that fails to is no reason to withhold them now."""
        attempt, until = run.permit.attempt, run.permit.decision.permit_not_after or ""
        try:
            self.kept.keep(attempt.version_id, attempt.attempt_id, until, list(run.outputs.values()))
        except ConsentryError as error:
            _log.warning("outputs of %s are not kept: %s", attempt.attempt_id, error.code)

    def _under_way(self, attempt: AccessAttempt, call: FunctionCall) -> FunctionRun | None:
        run = self._running.get(attempt.attempt_id)
        if not isinstance(run, FunctionRun):
            return None
        _check_parameters(attempt, run.parameters_digest, call)
        return run

    def _begun(self, state: AccessState, call: FunctionCall) -> FunctionRun:
        attempt = state.attempt
        sandbox, stored = self._sandbox(), self._store.open(attempt.version_id)
        columns = chosen_columns(stored.index.schema, attempt.columns)
        if not self._isolation.places.acquire(blocking=False):
            raise RequestRefused(503, "GATE_BUSY", "other functions run; try again with the same attempt")
        try:
            ready = self._beginnings.decided(state, Pieces(stored, 0))
            with self._beginnings.lock(attempt.attempt_id):
                # Two equal requests at once are one run: the second goes with the first.
                under_way = self._under_way(attempt, call)
                if under_way is not None:
                    self.release()
                    return under_way
                outlook, noted = self._beginnings.next_delivery(attempt, 0, is_first=True)
                run = FunctionRun(
                    self._parts,
                    outlook.permit,
                    self._beginnings.consented(ready, outlook),
                    ready.secret,
                    noted,
                    columns,
                    sandbox,
                    self._function(attempt),
                    call,
                )
                run.begin()
                self._running[attempt.attempt_id] = run
                return run
        except BaseException:
            self.release()
            raise

    def _earlier(self, attempt: AccessAttempt, call: FunctionCall) -> Given | None:
        """What a run of this attempt gave before; None where there was none."""
        for noted in self._parts.journal.deliveries(attempt.attempt_id):
            if noted.end is not None and not noted.differs:
                self._recorder.record_noted(noted)
        if any(noted.end == "completed" for noted in self._parts.journal.deliveries(attempt.attempt_id)):
            raise RequestRefused(
                503, "NOT_RECORDED", "the function has run; its outputs wait for their record: ask again"
            )
        outlook = self._parts.permits.outlook(attempt)
        runs = [one for one in outlook.deliveries if one.row_count or one.end == "completed"]
        if not runs or runs[-1].computation is None:
            return None
        _check_parameters(attempt, runs[-1].computation.parameters_digest, call)
        return self._given(outlook, runs[-1])

    def _given(self, outlook: Outlook, recorded: DeliveryRecord) -> Given | None:
        attempt, record = outlook.permit.attempt, _without_recording(recorded)
        if record.computation is None or record.end != "completed":
            return Given(Ended(record, True, b""), ())
        if outlook.over is not None:
            raise RequestRefused(
                403, "PERMIT_OVERTAKEN", f"the permit of {attempt.attempt_id} does not hold any more"
            )
        until, outputs = outlook.permit.decision.permit_not_after or "", record.computation.outputs
        found = self.kept.find(attempt.version_id, attempt.attempt_id, until, len(outputs))
        if found is None:
            return None
        key = output_key(self._beginnings.secret(attempt.version_id), attempt.attempt_id)
        for output, data in zip(outputs, found, strict=True):
            if not hmac.compare_digest(output.digest, output_digest(key, output.name, data)):
                raise ConfigurationError("STORE_DAMAGED", f"the outputs of {attempt.attempt_id} were altered")
        return Given(Ended(record, True, key), tuple(found))

    def _function(self, attempt: AccessAttempt) -> Function:
        named = FunctionName(owner=attempt.requester_msp, code_digest=attempt.function_digest or "")
        return Function.from_dict(self._ledger.transactions.evaluate("functions:get", named)["function"])

    def _sandbox(self) -> Sandbox:
        try:
            return self._isolation.sandbox()
        except ConfigurationError as error:
            _log.warning("functions are not run: %s", error)
            raise RequestRefused(
                503, "ISOLATION_UNAVAILABLE", "this gate runs no functions; its operator's log says why"
            ) from error


def _check_parameters(attempt: AccessAttempt, digest: str, call: FunctionCall) -> None:
    if call.parameters_digest != digest:
        raise RequestRefused(409, "CALL_DIFFERS", f"{attempt.attempt_id} was used with other parameters")


def _without_recording(record: DeliveryRecord) -> NewDelivery:
    """What was recorded, as it was sent for recording."""
    return NewDelivery(**{name: getattr(record, name) for name in field_names(NewDelivery)})
