"""How a delivery or a run begins: decided on the ledger, made ready meanwhile, numbered."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from consentry.access import AccessState
from consentry.gate import row_blocks
from consentry.gate.consent_answers import ConsentAnswers, RecipientUse
from consentry.gate.consented_pieces import ConsentedPieces
from consentry.gate.delivering import Parts
from consentry.gate.journal import NotedDelivery
from consentry.gate.permits import Outlook, Permits
from consentry.gate.pieces import Pieces
from consentry.ledger import Ledger
from consentry.request_signatures import RequestRefused
from consentry_records.access import AccessAttempt
from consentry_records.instants import format_instant

_PREPARING = 16
_LOCKS = 64


class Ready:
    """What is made ready while the ledger decides; whoever asks for it waits for what is not ready yet."""

    def __init__(
        self, pieces: Pieces, answers: ConsentAnswers, prepared: Future[None], secret: Future[bytes]
    ) -> None:
        self._pieces = pieces
        self._answers = answers
        self._prepared = prepared
        self._secret = secret

    @property
    def secret(self) -> bytes:
        """The dataset's secret; raises what reading it raised."""
        return self._secret.result()

    def consented(self, permits: Permits, outlook: Outlook) -> ConsentedPieces:
        """Return the pieces that may leave under a permit; raises what reading the first raised."""
        self._prepared.result()
        return ConsentedPieces(permits, outlook, self._pieces, self._answers)


class Beginnings:
    """Begins deliveries for one gate; usable by many threads."""

    def __init__(self, ledger: Ledger, parts: Parts) -> None:
        self._ledger = ledger
        self._parts = parts
        self._preparing = ThreadPoolExecutor(_PREPARING, thread_name_prefix="consentry-prepare")
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))

    def close(self) -> None:
        """Make nothing ready any more."""
        self._preparing.shutdown(cancel_futures=True)

    def lock(self, attempt_id: str) -> threading.Lock:
        """Return the lock under which a delivery of an attempt is numbered and begun."""
        return self._locks[hash(attempt_id) % _LOCKS]

    def decided(self, state: AccessState, pieces: Pieces) -> Ready:
        """Have an attempt decided; what may leave is made ready meanwhile, and may be so a little later.

        What is learnt of consents counts for the state of the epoch that it names, whatever is decided.

        Raises:
            RequestRefused: DECISION_PENDING.
            LedgerUnreachable, NetworkRefused, LedgerRefused, …
        """
        attempt = state.attempt
        use = RecipientUse(attempt.purpose, attempt.commercial, attempt.requester_msp)
        answers = ConsentAnswers(self._ledger.transactions, use, self._parts.clock)

        def prepare() -> None:
            pieces.schema()
            if not pieces.are_over:
                subjects = row_blocks.cells(pieces.peek().rows.column(row_blocks.SUBJECT))
                answers.ask(list(dict.fromkeys(subjects)))

        prepared = self._preparing.submit(prepare)
        secret = self._preparing.submit(self.secret, attempt.version_id)
        self._parts.permits.decide(state)
        return Ready(pieces, answers, prepared, secret)

    def secret(self, version_id: str) -> bytes:
        """Return the secret of a version's dataset.

        Raises:
            LedgerUnreachable, LedgerRefused, ConfigurationError
        """
        return self._ledger.datasets.secret(self._ledger.datasets.get(version_id).name).secret

    def consented(self, ready: Ready, outlook: Outlook) -> ConsentedPieces:
        """Return the pieces that may leave under a permit."""
        return ready.consented(self._parts.permits, outlook)

    def next_delivery(
        self, attempt: AccessAttempt, row: int, *, is_first: bool
    ) -> tuple[Outlook, NotedDelivery]:
        """Return how a decided attempt stands, and its next delivery from a row on; under its lock.

        Raises:
            RequestRefused: DELIVERY_BEGUN, one from the start where a row was given out; and as
                `Permits.outlook`.
        """
        attempt_id, journal = attempt.attempt_id, self._parts.journal
        # The journal first: what leaves it meanwhile is on the ledger, and a number must not come twice.
        waiting = journal.deliveries(attempt_id)
        outlook = self._parts.permits.outlook(attempt)
        begun = any(one.row_count for one in outlook.deliveries)
        if is_first and (begun or any(journal.pieces(attempt_id, one.number) for one in waiting)):
            raise RequestRefused(409, "DELIVERY_BEGUN", f"{attempt_id} was used; go on with its last token")
        numbers = [one.number for one in outlook.deliveries] + [one.number for one in waiting]
        noted = NotedDelivery(
            attempt_id=attempt_id,
            number=max(numbers, default=0) + 1,
            version_id=attempt.version_id,
            first_row=row,
            started_at=format_instant(self._parts.clock()),
            end=None,
            ended_at=None,
        )
        return outlook, noted
