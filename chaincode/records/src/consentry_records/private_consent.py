"""What a custodian keeps to itself of a consent (DESIGN.md §8): who, and how it was given (GDPR Art. 7(1);
ISO/IEC TS 27560).

The client writes it as canonical JSON, encrypted under the subject's key; the ledger sees neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from .errors import LedgerError, field_invalid
from .kinds import DIGEST, INSTANT, SLUG, Choice, Many, Nullable, Text
from .migrations import adding
from .record import Migration, Record

SUBJECT = "subject"
GUARDIAN = "guardian"
PROXY = "proxy"
CAPACITIES: Mapping[str, str] = MappingProxyType(
    {
        SUBJECT: "the subject himself",
        GUARDIAN: "a guardian or holder of parental responsibility",
        PROXY: "a proxy under a mandate",
    }
)
"""Who declares a consent, its change or its withdrawal (GDPR Art. 8; FHIR Consent.performer)."""

CONSENT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "explicit": "an express statement (GDPR Art. 9(2)(a))",
        "expressed": "a clear affirmative action (GDPR Art. 4(11))",
        "implied": "conduct from which it is inferred, where the law allows that",
    }
)
"""How clearly a consent was expressed (ISO/IEC TS 27560, event type)."""

PROCESSING_METHODS: Mapping[str, str] = MappingProxyType(
    {
        "collect": "collection",
        "record": "recording",
        "organise": "organisation",
        "structure": "structuring",
        "store": "storage",
        "adapt": "adaptation",
        "alter": "alteration",
        "retrieve": "retrieval",
        "consult": "consultation",
        "use": "use",
        "disclose-by-transmission": "disclosure by transmission",
        "disseminate": "dissemination",
        "make-available": "making available otherwise",
        "align": "alignment",
        "combine": "combination",
        "restrict": "restriction",
        "erase": "erasure",
        "destroy": "destruction",
        "analyse": "analysis",
        "anonymise": "anonymisation",
        "pseudonymise": "pseudonymisation (GDPR Art. 4(5))",
        "profiling": "profiling (GDPR Art. 4(4))",
        "automated-decision-making": "automated decision-making (GDPR Art. 22)",
    }
)
"""Operations on data (GDPR Art. 4(2); ISO/IEC TS 27560, processing_method; Data Privacy Vocabulary)."""

SCHEMA = "consentry.private-consent/4"
MAXIMUM_TEXT = 256
MAXIMUM_LOCATIONS = 16
MAXIMUM_REGIONS = 64
MAXIMUM_CATEGORIES = 32
LANGUAGE = Text(
    re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}"), "a language tag (BCP 47), such as de-CH"
)
JURISDICTION = Text(
    re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?"), "a country or region (ISO 3166), such as DE-BY"
)
REGION = Text(
    re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?|EEA"), "a country or region (ISO 3166), such as DE-BY, or EEA"
)
SALT = Text(re.compile(r"[0-9a-f]{64}"), "64 lower-case hex")


@dataclass(frozen=True, slots=True)
class PrintableText:
    """Printable text of 1 to 256 characters, within a private document only."""

    def read(self, value: object) -> str:
        """The text itself."""
        if not isinstance(value, str) or not 1 <= len(value) <= MAXIMUM_TEXT or not value.isprintable():
            raise field_invalid(f"printable text of 1 to {MAXIMUM_TEXT} characters", value)
        return str(value)


def _from_version_1(body: Mapping[str, Any]) -> dict[str, Any]:
    added = {"jurisdiction": None, "withdrawal_method": None, "declared_by": SUBJECT, "mandate_digest": None}
    return {**body, **added, "schema": "consentry.private-consent/2"}


_ADDED_IN_VERSION_3: Mapping[str, Any] = {
    "consent_type": None,
    "storage_locations": [],
    "retained_until": None,
}
_ADDED_IN_VERSION_4: Mapping[str, Any] = {
    "processing_methods": [],
    "processing_locations": [],
    "geographic_restrictions": None,
    "optional_categories": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateConsent(Record):
    """How a consent was given: pseudonym and salt of the subject, the notice's version and language, the
    evidence (a form or recording) and how it was collected, jurisdiction, how it can be withdrawn.

    `declared_by` is the subject, a guardian or a proxy, `mandate_digest` what entitles the latter two.
    `consent_type` says how clearly it was expressed, `storage_locations` in which countries or regions the
    data are kept, `retained_until` until when; `processing_methods` what is done with them and
    `processing_locations` where. An empty list is unstated there. `geographic_restrictions` are the only
    countries or regions where the subject agreed to processing, `optional_categories` those of the consent's
    categories of data that the subject was free to leave out; empty means none, null unstated.

    All of it is evidence of what the subject was told and said: no decision reads it (a grant's condition
    `countries` binds recipients).
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {
            "": _from_version_1,
            "consentry.private-consent/2": adding("consentry.private-consent/3", _ADDED_IN_VERSION_3),
            "consentry.private-consent/3": adding(SCHEMA, _ADDED_IN_VERSION_4),
        }
    )

    pseudonym: Annotated[str, PrintableText()]
    salt: Annotated[str, SALT]
    notice_version: Annotated[str, PrintableText()]
    evidence_digest: Annotated[str, DIGEST]
    method: Annotated[str, PrintableText()]
    language: Annotated[str, PrintableText()]
    jurisdiction: Annotated[str | None, Nullable(JURISDICTION)]
    withdrawal_method: Annotated[str | None, Nullable(PrintableText())]
    declared_by: Annotated[str, Choice(CAPACITIES)]
    mandate_digest: Annotated[str | None, Nullable(DIGEST)]
    consent_type: Annotated[str | None, Nullable(Choice(CONSENT_TYPES))] = None
    storage_locations: Annotated[tuple[str, ...], Many(JURISDICTION, 0, MAXIMUM_LOCATIONS)] = ()
    retained_until: Annotated[str | None, Nullable(INSTANT)] = None
    processing_methods: Annotated[
        tuple[str, ...], Many(Choice(PROCESSING_METHODS), 0, len(PROCESSING_METHODS))
    ] = ()
    processing_locations: Annotated[tuple[str, ...], Many(JURISDICTION, 0, MAXIMUM_LOCATIONS)] = ()
    geographic_restrictions: Annotated[tuple[str, ...] | None, Nullable(Many(REGION, 0, MAXIMUM_REGIONS))] = (
        None
    )
    optional_categories: Annotated[tuple[str, ...] | None, Nullable(Many(SLUG, 0, MAXIMUM_CATEGORIES))] = None
    schema: Annotated[str, Choice((SCHEMA,))] = SCHEMA

    def check(self) -> None:
        """Who declares for another has a mandate, the subject none; raises LedgerError MANDATE_INVALID."""
        check_mandate(self.declared_by, self.mandate_digest)


def version_3_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The third form of a document of the fourth that states nothing more; others as they are."""
    if any(document[name] != unstated for name, unstated in _ADDED_IN_VERSION_4.items()):
        return dict(document)
    kept = {name: value for name, value in document.items() if name not in _ADDED_IN_VERSION_4}
    return {**kept, "schema": "consentry.private-consent/3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateChange(Record):
    """How a renewal, narrowing or withdrawal was declared."""

    method: Annotated[str, PrintableText()]
    evidence_digest: Annotated[str | None, Nullable(DIGEST)]
    declared_by: Annotated[str, Choice(CAPACITIES)]
    mandate_digest: Annotated[str | None, Nullable(DIGEST)]
    schema: Annotated[str, Choice(("consentry.private-change/1",))] = "consentry.private-change/1"

    def check(self) -> None:
        """Who declares for another has a mandate, the subject none; raises LedgerError MANDATE_INVALID."""
        check_mandate(self.declared_by, self.mandate_digest)


def check_mandate(declared_by: str, mandate_digest: str | None) -> None:
    """Refuse a guardian or proxy without a mandate, or a mandate of the subject himself.

    Raises LedgerError MANDATE_INVALID.
    """
    if (declared_by == SUBJECT) != (mandate_digest is None):
        raise LedgerError("MANDATE_INVALID", {"declared_by": declared_by})
