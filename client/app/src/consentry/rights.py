"""Requests of data subjects, as their custodian handles them (GDPR Art. 12, 15 to 21)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from consentry.errors import InputRejected, LedgerRefused
from consentry.identifiers import new_identifier
from consentry.subjects import SubjectRegister
from consentry.transactions import CONFLICT_TRIES, Transactions, checked
from consentry_records.consent import Consent
from consentry_records.instants import format_instant
from consentry_records.private_entries import entry_key
from consentry_records.rights_request import (
    STORES,
    NewRightsRequest,
    PurgeOrder,
    RecipientNotice,
    RightsFulfilment,
    RightsNotices,
    RightsRequest,
    RightsStep,
    StoreAttestation,
)
from consentry_records.subject import SubjectConsents


class Rights:
    """Requests of the own organization's subjects.

    All methods raise LedgerRefused (RIGHTS_REQUEST_NOT_FOUND, RIGHTS_STEP_INVALID, RIGHTS_REVISION_DIFFERS,
    NOT_CUSTODIAN, ROLE_REQUIRED, …) and InputRejected for malformed values.
    """

    def __init__(
        self,
        transactions: Transactions,
        msp_id: str,
        register: Callable[[], SubjectRegister],
        clock: Callable[[], datetime],
    ) -> None:
        self._transactions = transactions
        self._msp_id = msp_id
        self._register = register
        self._clock = clock

    def receive(
        self,
        pseudonym: str,
        right: str,
        *,
        received_at: datetime | None = None,
        purposes: Sequence[str] = (),
        evidence_digest: str | None = None,
    ) -> RightsRequest:
        """Record a request; `right` is a code of `rights_request.RIGHTS`, `purposes` those objected to.

        The month runs from `received_at` (default: now). What the request limits holds from here on.

        Raises:
            InputRejected: SUBJECT_UNKNOWN.
        """
        subject = self._register().find([pseudonym]).get(pseudonym)
        if subject is None:
            raise InputRejected("SUBJECT_UNKNOWN", "the register has no subject of this pseudonym")
        request = checked(
            lambda: NewRightsRequest(
                rights_request_id=new_identifier("rightsrequest"),
                right=right,
                subject=subject.commitment,
                received_at=format_instant(received_at or self._clock()),
                purposes=tuple(purposes),
                evidence_digest=evidence_digest,
            )
        )
        self._transactions.submit("rights:receive", request, tries=CONFLICT_TRIES)
        return self.get(request.rights_request_id)

    def advance(self, rights_request_id: str, step: str, ground: str | None = None) -> RightsRequest:
        """Take a step of `rights_request.STEPS`; a rejection or extension has a `ground` (`GROUNDS`)."""
        revision = len(self.get(rights_request_id).events)
        document = checked(
            lambda: RightsStep(
                rights_request_id=rights_request_id, revision=revision, step=step, ground=ground
            )
        )
        self._transactions.submit("rights:advance", document, tries=CONFLICT_TRIES)
        return self.get(rights_request_id)

    def erase(self, rights_request_id: str, stores: Mapping[str, str]) -> RightsRequest:
        """Carry an accepted erasure out: purge private entries, destroy the subject's key and salt, attest.

        `stores` says how each store of `rights_request.STORES` was reached (`METHODS`). Dataset files are the
        custodian's to clean; see `Datasets.remove_rows`. A second run after an interruption ends it.

        Raises:
            InputRejected: STORES_INVALID, a store is left out.
        """
        if set(stores) != set(STORES):
            raise InputRejected("STORES_INVALID", f"say how each of {', '.join(STORES)} was reached")
        attestations = checked(
            lambda: tuple(StoreAttestation(store=name, method=method) for name, method in stores.items())
        )
        request = self.get(rights_request_id)
        entries = self.private_entries(request.subject)
        if entries:
            order = PurgeOrder(rights_request_id=rights_request_id, entries=entries)
            self._transactions.submit("rights:purge", order, endorsers=(self._msp_id,))
        self._register().erase(request.subject)
        return self._fulfil(request, len(entries), attestations)

    def fulfil(self, rights_request_id: str) -> RightsRequest:
        """Record that an accepted request other than an erasure is fulfilled."""
        return self._fulfil(self.get(rights_request_id), 0, ())

    def notify(self, rights_request_id: str, recipients: Sequence[str]) -> RightsRequest:
        """Record that recipients (MSP ids) were told now (GDPR Art. 19)."""
        request, now = self.get(rights_request_id), format_instant(self._clock())
        notices = checked(
            lambda: RightsNotices(
                rights_request_id=rights_request_id,
                revision=len(request.events),
                notices=tuple(RecipientNotice(recipient=name, notified_at=now) for name in recipients),
            )
        )
        self._transactions.submit("rights:notify", notices, tries=CONFLICT_TRIES)
        return self.get(rights_request_id)

    def get(self, rights_request_id: str) -> RightsRequest:
        """Return a request."""
        return RightsRequest.from_dict(self._transactions.evaluate("rights:get", rights_request_id))

    def unanswered(self) -> tuple[RightsRequest, ...]:
        """Return the own organization's open requests in the order in which they are due."""
        found = self._transactions.evaluate("rights:unanswered", self._msp_id)
        return tuple(RightsRequest.from_dict(entry) for entry in found)

    def private_entries(self, commitment: str) -> tuple[str, ...]:
        """Return the keys of a subject's private entries that the ledger's records name, purged or not."""
        try:
            (found,) = self._transactions.evaluate("subjects:get", [commitment])
        except LedgerRefused as error:
            if error.code != "SUBJECT_NOT_FOUND":
                raise
            return ()
        consent_ids = list(SubjectConsents.from_dict(found).consents)
        if not consent_ids:
            return ()
        consents = [
            Consent.from_dict(entry) for entry in self._transactions.evaluate("consents:get", consent_ids)
        ]
        named = {
            entry_key(commitment, consent.consent_id, event.batch_id): None
            for consent in consents
            for event in consent.events
        }
        return tuple(named)

    def _fulfil(
        self, request: RightsRequest, purged: int, stores: tuple[StoreAttestation, ...]
    ) -> RightsRequest:
        document = RightsFulfilment(
            rights_request_id=request.rights_request_id,
            revision=len(request.events),
            purged=purged,
            stores=stores,
        )
        self._transactions.submit("rights:fulfil", document, tries=CONFLICT_TRIES)
        return self.get(request.rights_request_id)
