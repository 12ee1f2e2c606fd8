"""What a custodian's gate does with a request, apart from HTTP: who asks, what he gets, what is on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from consentry.channel_members import ChannelMembers
from consentry.gate.aggregates import Grouping
from consentry.gate.beginning import Beginnings
from consentry.gate.compute.calls import FunctionCalls, Given
from consentry.gate.compute.isolation import Isolation
from consentry.gate.compute.running import FunctionCall, FunctionRun
from consentry.gate.delivering import Delivery, Parts, Tally
from consentry.gate.journal import Journal, NotedPiece
from consentry.gate.permits import Permits
from consentry.gate.pieces import Pieces
from consentry.gate.places import GatePlaces
from consentry.gate.projection import chosen_columns, value_key
from consentry.gate.recording import Recorder
from consentry.gate.resume_tokens import ResumeTokens
from consentry.ledger import Ledger
from consentry.request_signatures import RequestRefused, RequestVerifier, SignedRequest
from consentry_records.access import AGGREGATE, ROWS
from consentry_records.delivery import NewDelivery
from consentry_records.digest import hmac_digest
from consentry_records.instants import format_instant
from fabric_gateway import Clock
from fabric_protocol.identities import Identity
from fabric_protocol.msp import MspManager

WAIT_SECONDS = 300.0


class Gate:
    """A custodian's gate over one ledger connection (of a service identity), usable by many threads."""

    def __init__(
        self,
        ledger: Ledger,
        places: GatePlaces,
        clock: Clock,
        members: Callable[[], MspManager] | None = None,
        isolation: Isolation | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Open store and journal; `isolation` gives the sandbox for functions, `wait_seconds` is how long a
        run goes on after the connection of who asked for it broke off.

        Raises:
            ConfigurationError: PATH_EXPOSED, …
            LedgerUnreachable, LedgerRefused
        """
        self.custodian = ledger.identity.msp_id
        self._ledger = ledger
        self._store = places.store()
        journal = Journal(places.custody / "deliveries.sqlite")
        tokens = ResumeTokens(places.custody / "resume.key")
        self._parts = Parts(Permits(ledger, clock), journal, tokens, clock)
        now = lambda: clock().timestamp()  # noqa: E731
        self._verifier = RequestVerifier(self.custodian, members or ChannelMembers(ledger.network), now)
        self._beginnings = Beginnings(ledger, self._parts)
        self._running: dict[str, Delivery | FunctionRun] = {}
        self.wait_seconds = wait_seconds
        self._recorder = Recorder(ledger, journal, self._running.__contains__, self._drop_ended)
        self._calls = FunctionCalls(
            ledger,
            self._store,
            self._parts,
            self._beginnings,
            isolation or Isolation(hidden=[places.custody]),
            self._recorder,
            self._running,
        )

    def start(self) -> None:
        """Settle what an earlier run left, and go on recording what the ledger does not have yet."""
        self._recorder.start()

    def close(self) -> None:
        """Stop recording and close the journal; the ledger stays open."""
        self._beginnings.close()
        self._recorder.close()
        self._parts.journal.close()

    def caller(self, request: SignedRequest) -> Identity:
        """Return who made a request.

        Raises:
            RequestRefused: with the reason.
        """
        return self._verifier.caller(request)

    def deliver(self, attempt_id: str, token: str | None, caller: Identity) -> Delivery:
        """Decide the caller's attempt on the ledger; return the delivery that its permit allows.

        `token` is that of the place to go on from (None: from the start). The columns are the attempt's.

        Nothing is decided, and no use is taken, where the rows could not be given out anyway.

        Raises:
            DeniedOnLedger, RequestRefused
            InputRejected: VERSION_NOT_HELD.
            LedgerRefused, LedgerUnreachable, …
        """
        state = self._parts.permits.attempt(attempt_id, caller)
        attempt = state.attempt
        if attempt.output != ROWS:
            raise RequestRefused(403, "OUTPUT_DIFFERS", f"{attempt_id} was not made for rows")
        stored = self._store.open(attempt.version_id)
        columns = chosen_columns(stored.index.schema, attempt.columns)
        row = 0 if token is None else self._parts.tokens.read(token, attempt_id, caller.key)
        ready = self._beginnings.decided(state, Pieces(stored, row))
        with self._beginnings.lock(attempt_id):
            outlook, noted = self._beginnings.next_delivery(attempt, row, is_first=token is None)
            key, pieces = ready.secret, self._beginnings.consented(ready, outlook)
            if len(columns) < len(stored.index.schema):
                noted, key = replace(noted, is_part=True), value_key(ready.secret, attempt_id)
            delivery = Delivery(self._parts, outlook.permit, pieces, key, caller.key, noted, columns)
            self._parts.journal.begin(noted)
            self._running[attempt_id] = delivery
            return delivery

    def aggregates(self, attempt_id: str, caller: Identity) -> dict[str, Any]:
        """Decide the caller's attempt; return the frozen aggregates of its version, once that is on record.

        Raises:
            DeniedOnLedger
            RequestRefused: OUTPUT_DIFFERS, AGGREGATES_MISSING, AGGREGATES_FOR_OTHERS,
                AGGREGATES_OF_OTHER_COLUMNS, PERMIT_OVERTAKEN, NOT_RECORDED.
            InputRejected, LedgerRefused, LedgerUnreachable, …
        """
        state = self._parts.permits.attempt(attempt_id, caller)
        attempt = state.attempt
        if attempt.output != AGGREGATE or attempt.function_digest is not None:
            raise RequestRefused(403, "OUTPUT_DIFFERS", f"{attempt_id} was not made for aggregates")
        result = self._store.frozen(attempt.version_id)
        if result is None:
            raise RequestRefused(404, "AGGREGATES_MISSING", f"{attempt.version_id} has no frozen aggregates")
        grouping = Grouping(**result["grouping"])
        if not grouping.allows(attempt.purpose, attempt.commercial, attempt.requester_msp):
            raise RequestRefused(
                403, "AGGREGATES_FOR_OTHERS", "the aggregates are for another use or recipient"
            )
        if attempt.columns and not {*grouping.by, *grouping.values} <= set(attempt.columns):
            raise RequestRefused(
                403, "AGGREGATES_OF_OTHER_COLUMNS", "the aggregates are of columns that the attempt lacks"
            )
        self._parts.permits.decide(state)
        data, secret = json.dumps(result).encode(), self._beginnings.secret(attempt.version_id)
        with self._beginnings.lock(attempt_id):
            outlook, noted = self._beginnings.next_delivery(attempt, 0, is_first=True)
            if outlook.over is not None:
                raise RequestRefused(
                    403, "PERMIT_OVERTAKEN", f"the permit of {attempt_id} does not hold any more"
                )
            noted = replace(noted, content=hmac_digest(secret, data))
            self._parts.journal.begin(noted)
        sent = NotedPiece(0, "", len(data), noted.started_at)
        self._parts.journal.note(attempt_id, noted.number, sent)
        self._parts.journal.end(attempt_id, noted.number, "completed", noted.started_at)
        record = Tally(secret, sent=len(data)).record(noted, "completed", noted.started_at)
        if not self._recorder.record(record):
            raise RequestRefused(503, "NOT_RECORDED", "what would be given out cannot be recorded now")
        return result

    def compute(self, attempt_id: str, call: FunctionCall, caller: Identity) -> FunctionRun | Given:
        """Decide the caller's attempt on the ledger; return the run of the function that its permit allows.

        Nothing is decided, and no use is taken, where the function could not be run anyway. Whoever is given
        a run finishes it (`finish`). One call is one run, however often it is made: while the run is under
        way it is that run, afterwards what it gave, until the permit ends.

        Raises:
            DeniedOnLedger
            RequestRefused: OUTPUT_DIFFERS, FUNCTION_DIFFERS, CALL_DIFFERS, ISOLATION_UNAVAILABLE, GATE_BUSY,
                PERMIT_ENDED, PERMIT_OVERTAKEN, NOT_RECORDED, …
            InputRejected, LedgerRefused, LedgerUnreachable, …
        """
        return self._calls.call(self._parts.permits.attempt(attempt_id, caller), call)

    def is_current(self, delivery: Delivery | FunctionRun) -> bool:
        """Whether a delivery is its attempt's latest: the caller may have gone on in another connection."""
        return self._running.get(delivery.permit.attempt.attempt_id) is delivery

    def over(self, delivery: Delivery | FunctionRun) -> str | None:
        """Return why a delivery must not go on by now; None if it may.

        Raises:
            LedgerUnreachable, NetworkRefused, LedgerRefused
        """
        if not self.is_current(delivery):
            return "resumed"
        return self._parts.permits.standing(delivery.permit)[0]

    def finish(self, delivery: Delivery | FunctionRun, end: str) -> tuple[NewDelivery, bool]:
        """Note a delivery's end and record it; return the record, and whether it is on the ledger by now."""
        try:
            record = delivery.end(end)
            if isinstance(delivery, FunctionRun) and delivery.outputs:
                self._calls.keep(delivery)
            on_ledger = self._recorder.record(record)
        finally:
            if isinstance(delivery, FunctionRun):
                self._calls.release()
            attempt_id = delivery.permit.attempt.attempt_id
            with self._beginnings.lock(attempt_id):
                if self.is_current(delivery):
                    del self._running[attempt_id]
        return record, on_ledger

    def _drop_ended(self) -> None:
        """Remove outputs whose permits have ended."""
        self._calls.kept.drop_ended(format_instant(self._parts.clock()))
