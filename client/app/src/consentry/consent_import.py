"""Consents on their way to the ledger: batches of two transactions each, several in flight (DESIGN §8)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field

from consentry.consent_frames import FrameConsent
from consentry.errors import ConsentryError, ImportIncomplete, LedgerRefused
from consentry.identifiers import new_identifier
from consentry.import_journal import ImportJournal, content_of
from consentry.private_values import seal
from consentry.subjects import Subject, SubjectRegister
from consentry.transactions import CONFLICT_TRIES, Transactions, checked
from consentry_records.consent import ConsentBatch, ConsentTerms
from consentry_records.digest import sha256_digest
from consentry_records.identifiers import consent_identifiers
from consentry_records.private_entries import (
    encode_entries,
    entry_key,
    private_batch,
    private_value,
)

IN_FLIGHT = 6
# The batch id is drawn at random, so that only an earlier try of this very batch can have used it.
_ALREADY_THERE = "BATCH_EXISTS"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did: consents recorded, seconds it took, consents a second, batches."""

    count: int
    seconds: float
    batches: int

    @property
    def rate(self) -> float:
        """Consents a second."""
        return self.count / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch ready to be sent: its id, the private entries, their PrivateBatch, the public ConsentBatch."""

    batch_id: str
    entries: bytes = field(repr=False)
    private: bytes = field(repr=False)
    public: str = field(repr=False)


class ConsentImport:
    """One import: its batches, and how many of its consents are recorded.

    Args:
        transactions: the steward's calls.
        msp_id: the custodian's MSP id.
        register: the custodian's register, which notes each batch before it is sent.
        progress: called with (recorded, total), one call at a time.
    """

    def __init__(
        self,
        transactions: Transactions,
        msp_id: str,
        register: SubjectRegister,
        progress: Progress | None,
    ) -> None:
        self._transactions = transactions
        self._msp_id = msp_id
        self._register = register
        self._progress = progress
        self._lock = threading.Lock()
        self._preparing = threading.Lock()
        self._done = 0

    def run(self, parts: Sequence[Sequence[FrameConsent]]) -> ImportSummary:
        """Send the batches.

        Raises:
            ImportIncomplete: a batch failed; says how many consents are on the ledger.
        """
        start = time.monotonic()
        total = sum(len(part) for part in parts)
        content, journal = content_of(parts), ImportJournal(self._register.store)
        sent = journal.sent(content)
        with ThreadPoolExecutor(max_workers=IN_FLIGHT, thread_name_prefix="consentry-import") as pool:
            running = [
                pool.submit(self._import, journal, content, number, part, total, sent.get(number))
                for number, part in enumerate(parts)
            ]
            try:
                for future in as_completed(running):
                    future.result()
            except ConsentryError as error:
                for future in running:
                    future.cancel()
                pool.shutdown(wait=True)
                raise ImportIncomplete(self._done, total, error) from error
        journal.finish(content)
        return ImportSummary(total, time.monotonic() - start, len(parts))

    def _import(
        self,
        journal: ImportJournal,
        content: str,
        number: int,
        part: Sequence[FrameConsent],
        total: int,
        sent: tuple[str, bool] | None,
    ) -> None:
        batch_id, is_recorded = sent or (None, False)
        if not is_recorded:
            self._send(self._again(batch_id, part) or self._prepare(journal, content, number, part))
        with self._lock:
            self._done += len(part)
            if self._progress is not None:
                self._progress(self._done, total)

    def _prepare(
        self, journal: ImportJournal, content: str, number: int, part: Sequence[FrameConsent]
    ) -> PreparedBatch:
        batch_id = new_identifier("batch")
        identifiers = consent_identifiers(batch_id, len(part))
        # One after the other: side by side none would be sent before several are prepared.
        with self._preparing:
            with self._register.store.writing():
                subjects = self._register.ensure(consent.pseudonym for consent in part)
                named = [subjects[consent.pseudonym] for consent in part]
                journal.add(
                    content,
                    number,
                    self._register.add_batch(batch_id, zip(identifiers, named, strict=True)),
                )
            return _prepared(batch_id, self._msp_id, part, subjects)

    def _again(self, batch_id: str | None, part: Sequence[FrameConsent]) -> PreparedBatch | None:
        """What an interrupted import sent; None where it sent nothing, or it cannot be made again: a subject
        was erased since, or an earlier release drew other ids.
        """
        if batch_id is None:
            return None
        if self._register.consents_of_batch(batch_id) != tuple(consent_identifiers(batch_id, len(part))):
            self._register.mark_batch(batch_id, "refused")
            return None
        return _prepared(
            batch_id, self._msp_id, part, self._register.find(consent.pseudonym for consent in part)
        )

    def _send(self, batch: PreparedBatch) -> None:
        try:
            with suppressed(_ALREADY_THERE):
                self._transactions.submit(
                    "consents:store_private",
                    transient={"entries": batch.entries, "batch": batch.private},
                    endorsers=(self._msp_id,),
                )
            with suppressed(_ALREADY_THERE):
                self._transactions.submit("consents:import_batch", batch.public, tries=CONFLICT_TRIES)
        except LedgerRefused:
            self._register.mark_batch(batch.batch_id, "refused")
            raise
        self._register.mark_batch(batch.batch_id, "recorded")


@contextmanager
def suppressed(code: str) -> Iterator[None]:
    """Take one refusal for done: an earlier try, whose answer was lost, did it."""
    try:
        yield
    except LedgerRefused as error:
        if error.code != code:
            raise


def _prepared(
    batch_id: str, custodian: str, part: Sequence[FrameConsent], subjects: dict[str, Subject]
) -> PreparedBatch:
    """The batch's bytes, the same for the same arguments."""
    entries = {}
    for consent_id, consent in zip(consent_identifiers(batch_id, len(part)), part, strict=True):
        subject = subjects[consent.pseudonym]
        document = consent.manner.document(subject.pseudonym, subject.salt, consent.evidence_digest)
        key = entry_key(subject.commitment, consent_id, batch_id)
        entries[key] = private_value(seal(subject.key, key, document))
    private = private_batch(batch_id, entries).to_bytes()
    public = checked(lambda: _public_batch(batch_id, custodian, sha256_digest(private), part, subjects))
    return PreparedBatch(batch_id, encode_entries(entries), private, public.to_bytes().decode("utf-8"))


def _public_batch(
    batch_id: str,
    custodian: str,
    private_entry_digest: str,
    part: Sequence[FrameConsent],
    subjects: dict[str, Subject],
) -> ConsentBatch:
    terms: dict[int, ConsentTerms] = {id(consent.terms): consent.terms for consent in part}
    any_claimed = any(consent.claimed_at is not None for consent in part)
    places = {identity: place for place, identity in enumerate(terms)}
    return ConsentBatch(
        batch_id=batch_id,
        custodian=custodian,
        private_entry_digest=private_entry_digest,
        terms=tuple(terms.values()),
        subjects=tuple(subjects[consent.pseudonym].commitment for consent in part),
        chosen=tuple(places[id(consent.terms)] for consent in part),
        claimed_at=tuple(consent.claimed_at for consent in part) if any_claimed else (),
    )
