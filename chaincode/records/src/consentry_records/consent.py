"""Consents: what a data subject allowed, for whom and until when (GDPR Art. 7; fields of ISO/IEC TS 27560 and
FHIR Consent).

`New…` records are what a client submits; the ledger adds the rest from the caller's certificate and the
proposal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

from .errors import LedgerError
from .kinds import (
    COMMITMENT,
    DIGEST,
    INSTANT,
    MSP_ID,
    SLUG,
    Choice,
    Flag,
    Integer,
    Many,
    Nullable,
    identifier,
)
from .record import Nested, Record, field_names
from .vocabulary import ANY_MEMBER, CONSENT_RESTRICTIONS, PURPOSES

SCHEMA = "consentry.consent/1"
GIVEN = "given"
WITHDRAWN = "withdrawn"
MAXIMUM_BATCH = 400
MAXIMUM_CONSENTS_OF_SUBJECT = 64
MAXIMUM_QUERY = 400


@dataclass(frozen=True, slots=True)
class Recipient:
    """An MSP id, or ANY_MEMBER for every member of the consortium."""

    def read(self, value: object) -> str:
        """The recipient itself."""
        return ANY_MEMBER if value == ANY_MEMBER else MSP_ID.read(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsent(Record):
    """One consent as the custodian submits it; holds over [not_before, not_after).

    `subject` is the commitment of `commitments.subject_commitment`; `controller` the MSP id of the controller
    (GDPR Art. 4(7)); `notice_digest` that of the notice as it was shown (Art. 13); evidence, method and
    language are private.
    """

    consent_id: Annotated[str, identifier("consent")]
    subject: Annotated[str, COMMITMENT]
    controller: Annotated[str, MSP_ID]
    purposes: Annotated[tuple[str, ...], Many(Choice(PURPOSES), 1, 16)]
    restrictions: Annotated[tuple[str, ...], Many(Choice(CONSENT_RESTRICTIONS), 0, 16)]
    categories: Annotated[tuple[str, ...], Many(SLUG, 1, 32)]
    recipients: Annotated[tuple[str, ...], Many(Recipient(), 1, 64)]
    not_before: Annotated[str, INSTANT]
    not_after: Annotated[str, INSTANT]
    notice_digest: Annotated[str, DIGEST]

    def check(self) -> None:
        """The period is not empty; raises LedgerError PERIOD_INVALID."""
        if self.not_before >= self.not_after:
            raise LedgerError("PERIOD_INVALID", {"record": type(self).__name__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(NewConsent):
    """One consent on the ledger, key `consent/{id}`."""

    custodian: Annotated[str, MSP_ID]
    state: Annotated[str, Choice((GIVEN, WITHDRAWN))]
    recorded_at: Annotated[str, INSTANT]
    withdrawn_at: Annotated[str | None, Nullable(INSTANT)]
    schema: Annotated[str, Choice((SCHEMA,))] = SCHEMA

    @classmethod
    def given(cls, new: NewConsent, *, custodian: str, recorded_at: str) -> Self:
        """The record of a consent just imported."""
        submitted = {name: getattr(new, name) for name in field_names(NewConsent)}
        return cls(**submitted, custodian=custodian, state=GIVEN, recorded_at=recorded_at, withdrawn_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentBatch(Record):
    """Argument of `consents:import_batch`: up to 400 consents, the digest of their private batch entry."""

    batch_id: Annotated[str, identifier("batch")]
    custodian: Annotated[str, MSP_ID]
    private_entry_digest: Annotated[str, DIGEST]
    consents: Annotated[tuple[NewConsent, ...], Many(Nested(NewConsent), 1, MAXIMUM_BATCH)]

    def check(self) -> None:
        """No consent twice; raises LedgerError ID_DOUBLED."""
        seen: set[str] = set()
        for consent in self.consents:
            if consent.consent_id in seen:
                raise LedgerError("ID_DOUBLED", {"what": "consent", "id": consent.consent_id})
            seen.add(consent.consent_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedBatch(Record):
    """That a batch was imported, key `batch/{id}`; importing it again is refused."""

    batch_id: Annotated[str, identifier("batch")]
    custodian: Annotated[str, MSP_ID]
    private_entry_digest: Annotated[str, DIGEST]
    count: Annotated[int, Integer(1, MAXIMUM_BATCH)]
    recorded_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.batch/1",))] = "consentry.batch/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectConsents(Record):
    """The consents of one subject at one custodian, oldest first, key `subject/{commitment}`."""

    subject: Annotated[str, COMMITMENT]
    custodian: Annotated[str, MSP_ID]
    consents: Annotated[tuple[str, ...], Many(identifier("consent"), 1, MAXIMUM_CONSENTS_OF_SUBJECT)]
    schema: Annotated[str, Choice(("consentry.subject/1",))] = "consentry.subject/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermittedQuery(Record):
    """Argument of `consents:permitted`: which of these subjects allow the use by a recipient (MSP id)."""

    subjects: Annotated[tuple[str, ...], Many(COMMITMENT, 1, MAXIMUM_QUERY)]
    purpose: Annotated[str, Choice(PURPOSES)]
    commercial: Annotated[bool, Flag()]
    recipient: Annotated[str, MSP_ID]
