"""What FHIR Consent of both releases is made of: the subject, who declared, the evidence, the history."""

from __future__ import annotations

from typing import Any

from consentry.renderings.absent import NOBODY_NAMED, PRIVATE, fhir_absent
from consentry.renderings.fhir_values import (
    TERMINOLOGY,
    coding,
    concept,
    document,
    identifier,
    logical,
    organization,
    purpose,
)
from consentry.renderings.fields import Field, fhir
from consentry.renderings.names import name, record_digest, system
from consentry.renderings.sources import ConsentSource
from consentry_records.consent import ENTERED_IN_ERROR, EXPIRED, GIVEN, WITHDRAWN, ConsentEvent
from consentry_records.private_consent import GUARDIAN, PROXY, SUBJECT

STATUS = {
    GIVEN: "active",
    WITHDRAWN: "inactive",
    EXPIRED: "inactive",
    ENTERED_IN_ERROR: "entered-in-error",
}
"""State → FHIR's status, which has no word for withdrawn: the Provenance of the event has."""

CATEGORY = concept(coding("http://loinc.org", "59284-0", "Consent Document"))
RECIPIENT = concept(coding(TERMINOLOGY + "v3-ParticipationType", "IRCP", "information recipient"))
_SUBJECT, _DECLARER = "subject", "declarer"
_RELATIONSHIP = {GUARDIAN: ("GUARD", "guardian"), PROXY: ("HPOWATT", "healthcare power of attorney")}
_TEXTS = (
    "notice_version",
    "method",
    "language",
    "jurisdiction",
    "withdrawal_method",
    "mandate_digest",
    "consent_type",
    "retained_until",
)

_LISTS = {
    "storage_locations": "storage-location",
    "processing_methods": "processing-method",
    "processing_locations": "processing-location",
}
_STATED_LISTS = {
    "geographic_restrictions": "geographic-restriction",
    "optional_categories": "optional-category",
}


def consent_url(source: ConsentSource) -> str:
    """The URI by which Provenance names the Consent."""
    return name("consent", source.consent.consent_id)


def contained(source: ConsentSource) -> list[dict[str, Any]]:
    """The subject, by commitment (and pseudonym, where the rendering stays at home), and who declared."""
    private = source.private
    identifiers = [identifier("subject", source.consent.subject)]
    if private is not None:
        identifiers.append(identifier("pseudonym", private.pseudonym))
    made: list[dict[str, Any]] = [{"resourceType": "Patient", "id": _SUBJECT, "identifier": identifiers}]
    if private is not None and private.declared_by != SUBJECT:
        relationship = coding(TERMINOLOGY + "v3-RoleCode", *_RELATIONSHIP[private.declared_by])
        related = {"patient": subject(), "relationship": [concept(relationship)]}
        made.append({"resourceType": "RelatedPerson", "id": _DECLARER, **related})
    return made


def subject() -> dict[str, str]:
    """The Reference to the contained Patient."""
    return {"reference": f"#{_SUBJECT}"}


def declarer(source: ConsentSource) -> dict[str, Any]:
    """Who declared the consent: the subject, a guardian or proxy; whom only the custodian knows."""
    if source.private is None:
        return fhir_absent(PRIVATE, "masked")
    return subject() if source.private.declared_by == SUBJECT else {"reference": f"#{_DECLARER}"}


def evidence(source: ConsentSource) -> dict[str, Any]:
    """The signed form or recording, by its digest."""
    if source.private is None:
        return fhir_absent(PRIVATE, "masked")
    return document(source.private.evidence_digest)


def given_at(source: ConsentSource) -> str:
    """When the subject gave the consent: as the custodian claims, else when it was recorded."""
    event = source.consent.events[0]
    return event.claimed_at or event.recorded_at


def restrictions(source: ConsentSource) -> list[dict[str, str]]:
    """Restrictions as security labels: how the data must be handled."""
    return [purpose(code) for code in source.consent.restrictions]


def extensions(source: ConsentSource) -> list[dict[str, Any]]:
    """What FHIR has no element for: the record's digest, and the custodian's words on how it was given."""
    made = [_extension("record-digest", record_digest(source.consent))]
    if source.private is None:
        return made
    for field in _TEXTS:
        value = getattr(source.private, field)
        if value is not None:
            made.append(_extension(field.replace("_", "-"), value))
    for field, url in _LISTS.items():
        made += [_extension(url, value) for value in getattr(source.private, field)]
    for field, url in _STATED_LISTS.items():
        values = getattr(source.private, field)
        # An empty list says that there are none; null says nothing.
        made += [] if values is None else [_extension(url, value) for value in values or ("none",)]
    return made


def categories(source: ConsentSource) -> list[dict[str, str]]:
    """The categories of data, in the consortium's own words."""
    return [coding(system("data-category"), category) for category in source.consent.categories]


def provenance(source: ConsentSource) -> dict[str, dict[str, Any]]:
    """One Provenance for each event of the consent's life, by URI; alike in both releases."""
    return {
        f"{consent_url(source)}:event:{number}": _event(source, number, event)
        for number, event in enumerate(source.consent.events, 1)
    }


def _event(source: ConsentSource, number: int, event: ConsentEvent) -> dict[str, Any]:
    nobody = fhir_absent(NOBODY_NAMED)
    agent = {
        "type": concept(coding(TERMINOLOGY + "provenance-participant-type", "enterer", "Enterer")),
        "who": nobody if event.recorded_by is None else logical("enrolment", event.recorded_by),
        "onBehalfOf": organization(source.consent.custodian),
    }
    made: dict[str, Any] = {
        "resourceType": "Provenance",
        "id": f"{source.consent.consent_id}-{number}",
        "target": [{"reference": consent_url(source)}],
        "recorded": event.recorded_at,
        "activity": concept(coding(system("consent-event"), event.event)),
        "agent": [agent],
    }
    if event.batch_id is not None:
        made["extension"] = [_extension("batch", event.batch_id)]
    if event.claimed_at is not None:
        made["occurredDateTime"] = event.claimed_at
    if event.replaced is not None:
        made["entity"] = [{"role": "revision", "what": document(record_digest(event.replaced))}]
    return made


def _extension(kind: str, value: str) -> dict[str, str]:
    return {"url": system(kind), "valueString": value}


HISTORY_FIELDS: tuple[Field, ...] = (
    fhir(
        "Consent.extension.valueString",
        "private.notice_version, private.method, private.language, private.jurisdiction, "
        "private.withdrawal_method, private.mandate_digest, private.consent_type, "
        "private.storage_locations, private.retained_until, private.processing_methods, "
        "private.processing_locations, private.geographic_restrictions, private.optional_categories",
        required=False,
    ),
    fhir("Provenance.target", "consent.consent_id"),
    fhir("Provenance.recorded", "event.recorded_at"),
    fhir("Provenance.agent.who", "event.recorded_by", otherwise=NOBODY_NAMED),
    fhir("Provenance.agent.onBehalfOf", "consent.custodian", required=False),
    fhir("Provenance.activity", "event.event", required=False),
    fhir("Provenance.occurredDateTime", "event.claimed_at", required=False),
    fhir("Provenance.entity.what", "event.replaced", required=False),
    fhir("Provenance.extension.valueString", "event.batch_id", required=False),
)
"""Fields that both releases share."""
