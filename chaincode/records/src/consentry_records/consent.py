"""Consents: what a data subject allowed, for whom and until when (GDPR Art. 7; fields of ISO/IEC TS 27560 and
FHIR Consent), with every event of its life.

What identifies a person or says how the consent was given is not here but in the custodian's own collection
(`private_consent`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

from .earlier_consents import SCATTERED, batch_from_version_1, consent_from_version_1
from .errors import LedgerError
from .identifiers import consent_identifiers, first_consent_identifiers
from .kinds import (
    ACTOR,
    COMMITMENT,
    DIGEST,
    FLAG,
    INSTANT,
    MSP_ID,
    SLUG,
    Choice,
    Integer,
    Many,
    Nullable,
    identifier,
)
from .record import Migration, Nested, Record, field_names
from .vocabulary import CONSENT_RESTRICTIONS, PURPOSES, RECIPIENT_CLASSES

SCHEMA = "consentry.consent/2"
BATCH_SCHEMA = "consentry.consent-batch/2"
ADJACENT = "adjacent"
GIVEN = "given"
RENEWED = "renewed"
NARROWED = "narrowed"
WITHDRAWN = "withdrawn"
EXPIRED = "expired"
ENTERED_IN_ERROR = "entered-in-error"
STATES = (GIVEN, WITHDRAWN, EXPIRED, ENTERED_IN_ERROR)
EVENTS = (GIVEN, RENEWED, NARROWED, WITHDRAWN, EXPIRED, ENTERED_IN_ERROR)
MAXIMUM_BATCH = 1000
MAXIMUM_TERMS = 256
MAXIMUM_EVENTS = 64
MAXIMUM_QUERY = 400


@dataclass(frozen=True, slots=True)
class Recipient:
    """An MSP id, or a class of members: ANY_MEMBER, ANY_HOSPITAL, ANY_REGULATOR."""

    def read(self, value: object) -> str:
        """The recipient itself."""
        return value if isinstance(value, str) and value in RECIPIENT_CLASSES else MSP_ID.read(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTerms(Record):
    """What a consent allows; holds over [not_before, not_after).

    `controller` is the MSP id of the controller (GDPR Art. 4(7)); `notice_digest` that of the notice as it
    was shown (Art. 13).
    """

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
class ConsentEvent(Record):
    """One event in a consent's life: what happened, when it was recorded, and by whom (an enrolment id).

    `claimed_at` is when the subject gave or withdrew it, as the custodian claims, where that was earlier than
    the recording (a paper form); decisions go by the recording. How it happened is in the custodian's
    collection, under the entry of `batch_id`. `replaced` are the terms that a renewal or narrowing replaced.
    """

    event: Annotated[str, Choice(EVENTS)]
    recorded_at: Annotated[str, INSTANT]
    recorded_by: Annotated[str | None, Nullable(ACTOR)]
    claimed_at: Annotated[str | None, Nullable(INSTANT)]
    batch_id: Annotated[str | None, Nullable(identifier("batch"))]
    replaced: Annotated[ConsentTerms | None, Nullable(Nested(ConsentTerms))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(ConsentTerms):
    """One consent on the ledger, key `consent/{id}`, with the terms in force and its events, oldest first.

    `subject` is the commitment of `commitments.subject_commitment`.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {"consentry.consent/1": consent_from_version_1}
    )

    consent_id: Annotated[str, identifier("consent")]
    subject: Annotated[str, COMMITMENT]
    custodian: Annotated[str, MSP_ID]
    state: Annotated[str, Choice(STATES)]
    events: Annotated[tuple[ConsentEvent, ...], Many(Nested(ConsentEvent), 1, MAXIMUM_EVENTS)]
    schema: Annotated[str, Choice((SCHEMA,))] = SCHEMA

    @property
    def recorded_at(self) -> str:
        """When the consent was recorded."""
        return self.events[0].recorded_at

    @property
    def withdrawn_at(self) -> str | None:
        """When its withdrawal was recorded, None where it was not withdrawn."""
        return next((event.recorded_at for event in self.events if event.event == WITHDRAWN), None)

    @property
    def terms(self) -> ConsentTerms:
        """The terms in force."""
        return ConsentTerms(**{name: getattr(self, name) for name in field_names(ConsentTerms)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentBatch(Record):
    """Argument of `consents:import_batch`: up to 1000 consents in columns, the digest of their private batch
    entry.

    Of each consent, `subjects` has the commitment, `chosen` the place of its terms in `terms`, counted from
    0, and `claimed_at` when it was given if that was earlier than its recording (null where not; the column
    is empty where all are). Terms are written once for all consents that have them, and columns are read in
    a tenth of the time of as many records. The consents' ids follow from the batch's random id and their
    places, so that they need no look at the ledger to be new: `adjacent` ones
    (`identifiers.consent_identifiers`), or `scattered` ones where a client of the first release prepared the
    batch, which had no such field and may be sent again by an import that goes on.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType({"": batch_from_version_1})

    batch_id: Annotated[str, identifier("batch")]
    custodian: Annotated[str, MSP_ID]
    private_entry_digest: Annotated[str, DIGEST]
    terms: Annotated[tuple[ConsentTerms, ...], Many(Nested(ConsentTerms), 1, MAXIMUM_TERMS)]
    subjects: Annotated[tuple[str, ...], Many(COMMITMENT, 1, MAXIMUM_BATCH, repeated=True)]
    chosen: Annotated[tuple[int, ...], Many(Integer(0, MAXIMUM_TERMS - 1), 1, MAXIMUM_BATCH, repeated=True)]
    claimed_at: Annotated[tuple[str | None, ...], Many(Nullable(INSTANT), 0, MAXIMUM_BATCH, repeated=True)]
    consent_ids: Annotated[str, Choice((ADJACENT, SCATTERED))] = ADJACENT
    schema: Annotated[str, Choice((BATCH_SCHEMA,))] = BATCH_SCHEMA

    @property
    def identifiers(self) -> list[str]:
        """The consents' ids, in the order of the columns."""
        make = consent_identifiers if self.consent_ids == ADJACENT else first_consent_identifiers
        return make(self.batch_id, len(self.subjects))

    def check(self) -> None:
        """Columns are as long as one another and name terms that are there.

        Raises LedgerError COLUMNS_DIFFER or TERMS_NOT_IN_BATCH.
        """
        count = len(self.subjects)
        if len(self.chosen) != count or len(self.claimed_at) not in (0, count):
            raise LedgerError("COLUMNS_DIFFER", {"batch_id": self.batch_id, "count": count})
        if max(self.chosen) >= len(self.terms):
            raise LedgerError("TERMS_NOT_IN_BATCH", {"batch_id": self.batch_id, "maximum": len(self.terms)})


@dataclass(frozen=True, slots=True, kw_only=True)
class PermittedQuery(Record):
    """Argument of `consents:permitted`: which of these subjects allow the use by a recipient (MSP id)."""

    subjects: Annotated[tuple[str, ...], Many(COMMITMENT, 1, MAXIMUM_QUERY)]
    purpose: Annotated[str, Choice(PURPOSES)]
    commercial: Annotated[bool, FLAG]
    recipient: Annotated[str, MSP_ID]
