"""Consents: import from a frame, withdraw, look up, and keep the rows whose subjects consent now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from consentry.consent_changes import ConsentChanges
from consentry.consent_frames import batches, read_consent_frame
from consentry.consent_import import ConsentImport, ImportSummary, Progress
from consentry.consent_permissions import permitting_consents, subjects_permitting
from consentry.errors import InputRejected, LedgerRefused
from consentry.private_reads import read_private
from consentry.private_values import unseal
from consentry.subjects import SubjectRegister
from consentry.transactions import CONFLICT_TRIES, Transactions
from consentry_records.consent import MAXIMUM_BATCH, MAXIMUM_QUERY, Consent
from consentry_records.private_consent import PrivateChange, PrivateConsent
from consentry_records.private_entries import entry_key
from fabric_gateway import Clock

if TYPE_CHECKING:
    from consentry.ledger_trail import LedgerTrail

# What a transaction costs by itself is as much as two dozen consents: the fewer, the faster an import.
DEFAULT_BATCH_SIZE = 1_000


class Consents(ConsentChanges):
    """The consents of the caller's organization (as custodian), and questions to those of all."""

    def __init__(
        self,
        transactions: Transactions,
        msp_id: str,
        register: Callable[[], SubjectRegister],
        clock: Clock,
    ) -> None:
        super().__init__(transactions, msp_id, register)
        self._clock = clock

    def import_frame(
        self,
        frame: pd.DataFrame,
        batch_size: int = DEFAULT_BATCH_SIZE,
        progress: Progress | None = None,
    ) -> ImportSummary:
        """Record a frame of consents, as a steward of the custodian.

        Columns: see `consent_frames.read_consent_frame`. The whole frame is checked first. Then each batch
            is two transactions: the private entries, endorsed by the own organization alone, then the
            public records. Several batches are in flight. `progress` is called with (recorded, total).

        Raises:
            FrameRejected: faulty rows, all listed; nothing was sent.
            InputRejected: FRAME_EMPTY, FRAME_COLUMNS, BATCH_SIZE_INVALID; nothing was sent.
            ImportIncomplete: a batch failed; says how many consents are on the ledger.
        """
        if not 1 <= batch_size <= MAXIMUM_BATCH:
            raise InputRejected(
                "BATCH_SIZE_INVALID", f"batch_size: got {batch_size}, expected 1 to {MAXIMUM_BATCH}"
            )
        start = time.monotonic()
        parts = batches(read_consent_frame(frame, self._msp_id), batch_size)
        self.settle_batches()
        summary = ConsentImport(self._transactions, self._msp_id, self._register(), progress).run(parts)
        return replace(summary, seconds=time.monotonic() - start)

    def settle_batches(self) -> tuple[str, ...]:
        """Look up batches whose outcome an interrupted import left unknown; return those found on the ledger.

        An import does it first. A batch that is not found stays noted: it is not on the ledger now.

        Raises:
            LedgerRefused, NetworkRefused, LedgerUnreachable
        """
        register = self._register()
        found = []
        for batch_id in register.batches("prepared"):
            try:
                self.get(register.consents_of_batch(batch_id))
            except LedgerRefused as error:
                if error.code != "CONSENT_NOT_FOUND":
                    raise
            else:
                register.mark_batch(batch_id, "recorded")
                found.append(batch_id)
        return tuple(found)

    def permitted(
        self,
        pseudonyms: Iterable[str],
        *,
        purpose: str,
        commercial: bool = False,
        recipient: str | None = None,
    ) -> list[str | None]:
        """Return for each pseudonym the id of a consent that allows the use now, or None.

        `purpose` is a code of `vocabulary.PURPOSES`, `recipient` the MSP id of who would receive the data
        (default: the own organization). "Now" is this client's clock within the peers' time window.

        Raises:
            InputRejected: an unknown purpose, a malformed recipient.
            LedgerRefused, LedgerUnreachable
        """
        listed = list(pseudonyms)
        subjects = self._register().find(listed)
        commitments = [subjects[name].commitment for name in dict.fromkeys(listed) if name in subjects]
        answers = permitting_consents(
            self._transactions, commitments, purpose, commercial, recipient or self._msp_id
        )
        return [answers[subjects[name].commitment] if name in subjects else None for name in listed]

    def filter(
        self,
        frame: pd.DataFrame,
        *,
        purpose: str,
        commercial: bool = False,
        recipient: str | None = None,
        subject_column: str = "pseudonym",
        trail: LedgerTrail | None = None,
    ) -> pd.DataFrame:
        """Return a new frame with the rows whose subjects consent to the use now; the order stays.

        Rows of subjects that are not known to the custodian are left out. The ledger is asked, 400 subjects a
        question; with `trail` (`ledger.trail`) its index instead, once that has verified the peer's newest
        block: far faster for many subjects.

        Raises:
            InputRejected: FRAME_COLUMNS, no `subject_column`; an unknown purpose, a malformed recipient.
            LedgerRefused, LedgerUnreachable; with `trail`, what `LedgerTrail.update` raises.
        """
        if subject_column not in frame.columns:
            raise InputRejected("FRAME_COLUMNS", f"the frame has no column {subject_column}")
        # One answer for each subject, spread over the rows by code: rows outnumber subjects.
        codes, unique = pd.factorize(frame[subject_column], use_na_sentinel=True)
        names = [name if isinstance(name, str) else "" for name in unique.tolist()]
        commitments = self._register().commitments(names)
        use = (purpose, commercial, recipient or self._msp_id)
        asked = list(commitments.values())
        if trail is not None:
            allowed = subjects_permitting(trail, asked, *use, custodian=self._msp_id, at=self._clock())
        else:
            answers = permitting_consents(self._transactions, asked, *use)
            allowed = {subject for subject, consent in answers.items() if consent is not None}
        keep = pd.array([commitments.get(name) in allowed for name in names] + [False], dtype="bool")
        return frame[keep[codes].to_numpy()].copy()

    def withdraw(self, *, consent_id: str | None = None, pseudonym: str | None = None) -> tuple[str, ...]:
        """Withdraw one consent, or all of a subject that are given; return the ids withdrawn.

        A transaction that others overtake is made again; a consent can be withdrawn once only.

        Raises:
            InputRejected: WITHDRAWAL_AMBIGUOUS (name one of the two), SUBJECT_UNKNOWN.
            LedgerRefused: CONSENT_NOT_FOUND, CONSENT_ALREADY_WITHDRAWN, NOT_CUSTODIAN, ROLE_REQUIRED, …
        """
        if (consent_id is None) == (pseudonym is None):
            raise InputRejected("WITHDRAWAL_AMBIGUOUS", "name either a consent id or a pseudonym")
        chosen = (consent_id,) if consent_id is not None else self._given(pseudonym or "")
        for identifier in chosen:
            self._transactions.submit("consents:withdraw", identifier, tries=CONFLICT_TRIES)
            self._register().mark_withdrawn(identifier)
        return chosen

    def get(self, consent_ids: Sequence[str]) -> tuple[Consent, ...]:
        """Return consents by id, in that order.

        Raises:
            LedgerRefused: CONSENT_NOT_FOUND, …
        """
        found: list[Consent] = []
        for part in _parts(list(consent_ids), MAXIMUM_QUERY):
            values = self._transactions.evaluate("consents:get", part)
            found.extend(Consent.from_dict(value) for value in values)
        return tuple(found)

    def private_entry(self, consent_id: str) -> dict[str, Any]:
        """Return a consent's private entry (the fields of `PrivateConsent`), as its custodian.

        Raises:
            LedgerRefused: NOT_CUSTODIAN, PRIVATE_ENTRY_NOT_FOUND, …
            InputRejected: SUBJECT_UNKNOWN, the subject's key is not in this custodian's register.
        """
        (consent,) = self.get([consent_id])
        return PrivateConsent.from_dict(self._read_entry(consent, consent.events[0].batch_id)).to_dict()

    def private_changes(self, consent_id: str) -> dict[str, dict[str, Any]]:
        """Return how a consent's changes were declared (the fields of `PrivateChange`), by the batch of each,
        as its custodian; changes that were recorded without a declaration are not among them.

        Raises:
            LedgerRefused: NOT_CUSTODIAN, PRIVATE_ENTRY_NOT_FOUND, …
            InputRejected: SUBJECT_UNKNOWN, the subject's key is not in this custodian's register.
        """
        (consent,) = self.get([consent_id])
        named = [event.batch_id for event in consent.events[1:] if event.batch_id is not None]
        return {
            batch_id: PrivateChange.from_dict(self._read_entry(consent, batch_id)).to_dict()
            for batch_id in named
        }

    def _read_entry(self, consent: Consent, batch_id: str | None) -> dict[str, Any]:
        subject = self._register().by_commitment(consent.subject)
        if subject is None:
            raise InputRejected("SUBJECT_UNKNOWN", "the subject's key is not in this register")
        key = entry_key(consent.subject, consent.consent_id, batch_id)
        return unseal(subject.key, key, read_private(self._transactions, key))

    def _given(self, pseudonym: str) -> tuple[str, ...]:
        identifiers = self._register().consents_of(pseudonym)
        if not identifiers:
            raise InputRejected("SUBJECT_UNKNOWN", "the register has no recorded consent of this pseudonym")
        return tuple(consent.consent_id for consent in self.get(identifiers) if consent.state == "given")


def _parts(items: Sequence[str], size: int) -> list[list[str]]:
    return [list(items[start : start + size]) for start in range(0, len(items), size)]
