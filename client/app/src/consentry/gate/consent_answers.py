"""Which subjects consent now to a use, asked of the ledger and kept for as long as nothing has changed there.

An answer is good for one state of the custodian's epoch, which every withdrawal and every other change of its
own moves, and for five seconds, because consents also end by the clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from consentry.transactions import Transactions
from consentry_records.consent import GIVEN, MAXIMUM_QUERY, Consent, PermittedQuery
from consentry_records.instants import format_instant
from consentry_records.subject import SubjectConsents
from fabric_gateway import Clock

_SECONDS = 5.0
_IN_FLIGHT = 4
_KEPT = 200_000


@dataclass(frozen=True, slots=True)
class RecipientUse:
    """For what, and by whom (MSP id)."""

    purpose: str
    commercial: bool
    recipient: str


class ConsentAnswers:
    """Answers for one use by one recipient: None, or why a row stays."""

    def __init__(self, transactions: Transactions, use: RecipientUse, clock: Clock) -> None:
        self._transactions = transactions
        self._use = use
        self._clock = clock
        self._known: dict[bytes, tuple[str, float, str | None]] = {}

    def left_out(self, subjects: Sequence[bytes], epoch: str) -> list[str | None]:
        """Return for each subject None if it consents, else a code of `delivery.LEFT_OUT`.

        Raises:
            LedgerUnreachable, NetworkRefused, LedgerRefused
        """
        now = time.monotonic()
        fresh = {
            s: k for s in subjects if (k := self._known.get(s)) and k[0] == epoch and now - k[1] < _SECONDS
        }
        wanted = [subject for subject in dict.fromkeys(subjects) if subject not in fresh]
        if len(self._known) > _KEPT:
            self._known = dict(fresh)
        self.ask(wanted)
        return [self._known[subject][2] for subject in subjects]

    def ask(self, subjects: Sequence[bytes]) -> None:
        """Ask about subjects that will be asked for soon; each one once.

        Raises:
            LedgerUnreachable, NetworkRefused, LedgerRefused
        """
        now = time.monotonic()
        parts = [subjects[start : start + MAXIMUM_QUERY] for start in range(0, len(subjects), MAXIMUM_QUERY)]
        with ThreadPoolExecutor(max_workers=_IN_FLIGHT) as pool:
            for epoch, answered in pool.map(self._ask, parts):
                self._known.update((subject, (epoch, now, reason)) for subject, reason in answered)

    def _ask(self, subjects: Sequence[bytes]) -> tuple[str, list[tuple[bytes, str | None]]]:
        """The state of the epoch for which the answers hold, and the answers."""
        query = PermittedQuery(
            subjects=tuple(map(_commitment, subjects)),
            purpose=self._use.purpose,
            commercial=self._use.commercial,
            recipient=self._use.recipient,
        )
        answer = self._transactions.evaluate("consents:permitted", query)
        permitted = answer["permitted"]
        refused = [subject for subject, answer in zip(subjects, permitted, strict=True) if answer is None]
        reasons = dict(self._reasons(refused)) if refused else {}
        return str(answer["epoch"]), [(subject, reasons.get(subject)) for subject in subjects]

    def _reasons(self, subjects: Sequence[bytes]) -> Iterator[tuple[bytes, str]]:
        """Why each of some subjects that do not consent does not."""
        found = self._transactions.evaluate("subjects:get", list(map(_commitment, subjects)))
        known = [SubjectConsents.from_dict(one) for one in found]
        ids = [consent_id for one in known for consent_id in one.consents]
        consents: dict[str, Consent] = {}
        for start in range(0, len(ids), MAXIMUM_QUERY):
            part = self._transactions.evaluate("consents:get", ids[start : start + MAXIMUM_QUERY])
            consents.update((c.consent_id, c) for c in map(Consent.from_dict, part))
        now = format_instant(self._clock())
        for subject, one in zip(subjects, known, strict=True):
            yield subject, _reason(one, [consents[name] for name in one.consents], self._use.purpose, now)


def _reason(subject: SubjectConsents, consents: Sequence[Consent], purpose: str, now: str) -> str:
    if subject.erased:
        return "erased"
    if any(limit.forbids(purpose) for limit in subject.limits):
        return "limited"
    holds = any(consent.state == GIVEN and now < consent.not_after for consent in consents)
    return "not-covered" if holds else "ended"


def _commitment(subject: bytes) -> str:
    return f"hmac-sha256:{subject.hex()}"
