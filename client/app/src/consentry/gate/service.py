"""What a custodian's gate does with a request, apart from HTTP: who asks, what he gets, what is on record."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from consentry.errors import ConsentryError, InputRejected, LedgerRefused
from consentry.gate.aggregates import Grouping
from consentry.gate.consent_answers import ConsentAnswers, RecipientUse
from consentry.gate.delivering import Delivery, Parts, Tally
from consentry.gate.journal import Journal, NotedDelivery
from consentry.gate.members import ChannelMembers
from consentry.gate.permits import Permit, Permits
from consentry.gate.places import GatePlaces
from consentry.gate.request_signatures import RequestRefused, RequestVerifier, SignedRequest
from consentry.gate.resume_tokens import ResumeTokens
from consentry.gate.row_blocks import leaf_hashes
from consentry.ledger import Ledger
from consentry_records.access import AGGREGATE, ROWS
from consentry_records.delivery import Delivery as DeliveryRecord
from consentry_records.delivery import NewDelivery
from consentry_records.digest import digest_bytes, hmac_digest
from consentry_records.instants import format_instant
from fabric_gateway import Clock
from fabric_protocol.identities import Identity
from fabric_protocol.msp import MspManager

_RETRY_SECONDS = 2.0
_CONSENT_PREFIX = "consent-"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """What a caller asks for: columns (None: all) and a token to go on with (None: from the start)."""

    columns: tuple[str, ...] | None
    token: str | None


class Gate:
    """A custodian's gate over one ledger connection (of a service identity), usable by many threads."""

    def __init__(
        self,
        ledger: Ledger,
        places: GatePlaces,
        clock: Clock,
        members: Callable[[], MspManager] | None = None,
    ) -> None:
        """Open store and journal.

        Raises:
            ConfigurationError: PATH_EXPOSED, …
            LedgerUnreachable, LedgerRefused
        """
        self.custodian = ledger.identity.msp_id
        self._ledger = ledger
        self._clock = clock
        self._store = places.store()
        journal = Journal(places.custody / "deliveries.sqlite")
        tokens = ResumeTokens(places.custody / "resume.key")
        self._parts = Parts(Permits(ledger, clock), journal, tokens, clock)
        now = lambda: clock().timestamp()  # noqa: E731
        self._verifier = RequestVerifier(self.custodian, members or ChannelMembers(ledger.network), now)
        self._beginning = threading.Lock()
        self._recording = threading.Lock()
        self._running: dict[str, Delivery] = {}
        self._stop = threading.Event()
        self._recorder = threading.Thread(target=self._record_left, name="consentry-record", daemon=True)

    def start(self) -> None:
        """Settle what an earlier run left, and go on recording what the ledger does not have yet."""
        for noted in self._parts.journal.deliveries():
            if noted.end is None:
                blocks = self._parts.journal.blocks(noted.attempt_id, noted.number)
                at = blocks[-1].at if blocks else noted.started_at
                self._parts.journal.end(noted.attempt_id, noted.number, "gate-restarted", at)
        self._recorder.start()

    def close(self) -> None:
        """Stop recording and close the journal; the ledger stays open."""
        self._stop.set()
        if self._recorder.is_alive():
            self._recorder.join()
        self._parts.journal.close()

    def caller(self, request: SignedRequest) -> Identity:
        """Return who made a request.

        Raises:
            RequestRefused: with the reason.
        """
        return self._verifier.caller(request)

    def deliver(self, attempt_id: str, wanted: RowsRequest, caller: Identity) -> Delivery:
        """Decide the caller's attempt on the ledger; return the delivery that its permit allows.

        Nothing is decided, and no use is taken, where the rows could not be given out anyway.

        Raises:
            DeniedOnLedger, RequestRefused
            InputRejected: VERSION_NOT_HELD.
            LedgerRefused, LedgerUnreachable, …
        """
        attempt = self._parts.permits.attempt(attempt_id, caller)
        if attempt.output != ROWS:
            raise RequestRefused(403, "OUTPUT_DIFFERS", f"{attempt_id} was made for aggregates, not for rows")
        stored = self._store.open(attempt.version_id)
        permit = self._parts.permits.decide(attempt)
        secret = self._ledger.datasets.secret(self._ledger.datasets.get(attempt.version_id).name).secret
        use = RecipientUse(attempt.purpose, attempt.commercial, attempt.requester_msp)
        answers = ConsentAnswers(self._ledger.transactions, use, self._clock)
        with self._beginning:
            noted = self._noted(permit, wanted.token, caller.key, stored.index.block_rows)
            delivery = Delivery(
                self._parts, permit, stored, secret, answers, caller.key, noted, wanted.columns
            )
            self._running[attempt_id] = delivery
            return delivery

    def aggregates(self, attempt_id: str, caller: Identity) -> dict[str, Any]:
        """Decide the caller's attempt; return the frozen aggregates of its version, once that is on record.

        Raises:
            DeniedOnLedger
            RequestRefused: OUTPUT_DIFFERS, AGGREGATES_MISSING, AGGREGATES_FOR_OTHERS, PERMIT_OVERTAKEN,
                NOT_RECORDED.
            InputRejected, LedgerRefused, LedgerUnreachable, …
        """
        attempt = self._parts.permits.attempt(attempt_id, caller)
        if attempt.output != AGGREGATE:
            raise RequestRefused(403, "OUTPUT_DIFFERS", f"{attempt_id} was made for rows, not for aggregates")
        result = self._store.frozen(attempt.version_id)
        if result is None:
            raise RequestRefused(404, "AGGREGATES_MISSING", f"{attempt.version_id} has no frozen aggregates")
        grouping = Grouping(**result["grouping"])
        if not grouping.allows(attempt.purpose, attempt.commercial, attempt.requester_msp):
            raise RequestRefused(
                403, "AGGREGATES_FOR_OTHERS", "the aggregates are for another use or recipient"
            )
        permit = self._parts.permits.decide(attempt)
        if self._parts.permits.standing(permit)[0] is not None:
            raise RequestRefused(
                403, "PERMIT_OVERTAKEN", f"the permit of {attempt_id} does not hold any more"
            )
        data = json.dumps(result).encode()
        secret = self._ledger.datasets.secret(self._ledger.datasets.get(attempt.version_id).name).secret
        with self._beginning:
            noted = self._noted(permit, None, caller.key, 0)
            self._parts.journal.begin(noted)
        tally = Tally(secret, sent=len(data))
        self._parts.journal.end(attempt_id, noted.number, "completed", noted.started_at)
        record = replace(
            tally.record(noted, "completed", noted.started_at), content_digest=hmac_digest(secret, data)
        )
        if not self._record(record):
            raise RequestRefused(503, "NOT_RECORDED", "what would be given out cannot be recorded now")
        return result

    def is_current(self, delivery: Delivery) -> bool:
        """Whether a delivery is its attempt's latest: the caller may have gone on in another connection."""
        return self._running.get(delivery.permit.attempt.attempt_id) is delivery

    def over(self, delivery: Delivery) -> str | None:
        """Return why a delivery must not go on by now; None if it may.

        Raises:
            LedgerUnreachable, NetworkRefused, LedgerRefused
        """
        if not self.is_current(delivery):
            return "resumed"
        return self._parts.permits.standing(delivery.permit)[0]

    def finish(self, delivery: Delivery, end: str) -> tuple[NewDelivery, bool]:
        """Note a delivery's end and record it; return the record, and whether it is on the ledger by now."""
        record = delivery.end(end)
        on_ledger = self._record(record)
        with self._beginning:
            if self.is_current(delivery):
                del self._running[record.attempt_id]
        return record, on_ledger

    def _noted(self, permit: Permit, token: str | None, caller: str, block_rows: int) -> NotedDelivery:
        """The next delivery of an attempt: one from the start only while no row was given out."""
        attempt_id = permit.attempt.attempt_id
        found = self._ledger.transactions.evaluate("deliveries:of_attempt", attempt_id)
        recorded = [DeliveryRecord.from_dict(one) for one in found]
        journal = self._parts.journal
        waiting = journal.deliveries(attempt_id)
        if token is None:
            begun = any(one.row_count for one in recorded) or any(
                journal.blocks(attempt_id, one.number) for one in waiting
            )
            if begun:
                raise RequestRefused(
                    409, "DELIVERY_BEGUN", f"{attempt_id} was used; go on with its last token"
                )
        first = 0 if token is None else self._parts.tokens.read(token, attempt_id, caller)
        numbers = [one.number for one in recorded] + [one.number for one in waiting]
        return NotedDelivery(
            attempt_id=attempt_id,
            number=max(numbers, default=0) + 1,
            version_id=permit.attempt.version_id,
            first_block=first,
            first_row=first * block_rows,
            started_at=format_instant(self._clock()),
            end=None,
            ended_at=None,
        )

    def _record(self, record: NewDelivery) -> bool:
        with self._recording:
            return self._record_alone(record)

    def _record_alone(self, record: NewDelivery) -> bool:
        try:
            self._ledger.transactions.submit("deliveries:record", record)
        except LedgerRefused as error:
            if error.code != "DELIVERY_EXISTS":
                _log.warning("delivery %d of %s: %s", record.number, record.attempt_id, error.code)
                return False
        except ConsentryError as error:
            _log.warning("delivery %d of %s waits: %s", record.number, record.attempt_id, error.code)
            return False
        self._parts.journal.settle(record.attempt_id, record.number)
        return True

    def _record_left(self) -> None:
        """Record what is not on the ledger yet, again and again, in the order of the deliveries."""
        while True:
            for noted in self._parts.journal.deliveries():
                is_running = noted.attempt_id in self._running
                if noted.end is not None and not is_running and not self._stop.is_set():
                    self._record_noted(noted)
            if self._stop.wait(_RETRY_SECONDS):
                return

    def _record_noted(self, noted: NotedDelivery) -> None:
        try:
            self._record(self._from_journal(noted))
        except (ConsentryError, InputRejected) as error:
            _log.warning("delivery %d of %s waits: %s", noted.number, noted.attempt_id, error.code)

    def _from_journal(self, noted: NotedDelivery) -> NewDelivery:
        """The record of a delivery whose gate is gone: from what was noted and the register's rows."""
        version = self._ledger.datasets.get(noted.version_id)
        tally = Tally(self._ledger.datasets.secret(version.name).secret)
        rows = self._ledger.datasets.registered_rows(noted.version_id)
        position = noted.first_row
        for block in self._parts.journal.blocks(noted.attempt_id, noted.number):
            registered = rows(position, position + len(block.reasons))
            digests = [digest_bytes(row.row_digest) for row in registered]
            subjects = [digest_bytes(row.commitment) for row in registered]
            consents = [bytes.fromhex(row.consent_id.removeprefix(_CONSENT_PREFIX)) for row in registered]
            tally.add(digests, leaf_hashes(digests, subjects, consents), block.reasons, block.bytes)
            position += len(block.reasons)
        return tally.record(noted, noted.end or "gate-restarted", noted.ended_at or noted.started_at)
