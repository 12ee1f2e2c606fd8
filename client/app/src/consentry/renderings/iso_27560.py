"""A consent as a record of ISO/IEC TS 27560:2023 in JSON-LD, by the Data Privacy Vocabulary (DPV 2).

Fields follow the guide of the W3C community group (guides/consent-27560, schema `#record-GDPR`).
"""

from __future__ import annotations

from typing import Any

from consentry.renderings.absent import NO_PARTY, NOBODY_NAMED, PRIVATE, json_ld_absent
from consentry.renderings.names import digest_uri, name, record_digest
from consentry.renderings.parties import NOBODY
from consentry.renderings.sources import ConsentSource
from consentry.renderings.special_categories import SPECIAL_CATEGORIES, special_categories
from consentry_records.consent import (
    ENTERED_IN_ERROR,
    EXPIRED,
    GIVEN,
    NARROWED,
    RENEWED,
    WITHDRAWN,
    ConsentEvent,
)
from consentry_records.private_consent import (
    GUARDIAN,
    PROCESSING_METHODS,
    PROXY,
    SUBJECT,
    PrivateChange,
    PrivateConsent,
)
from consentry_records.rights_request import RIGHTS
from consentry_records.vocabulary import CONSENT_RESTRICTIONS, PURPOSES, RECIPIENT_CLASSES

SCHEMA = "https://w3id.org/dpv/schema/iso-27560#record-GDPR"
CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "dct": "http://purl.org/dc/terms/",
    "odrl": "http://www.w3.org/ns/odrl/2/",
}
_STATES = {
    GIVEN: "dpv:ConsentGiven",
    RENEWED: "dpv:RenewedConsentGiven",
    NARROWED: "dpv:ConsentGiven",
    WITHDRAWN: "dpv:ConsentWithdrawn",
    EXPIRED: "dpv:ConsentExpired",
    ENTERED_IN_ERROR: "dpv:ConsentInvalidated",
}
_TYPES = {
    "explicit": "dpv:ExplicitlyExpressedConsent",
    "expressed": "dpv:ExpressedConsent",
    "implied": "dpv:ImpliedConsent",
}
_DECLARERS = {
    SUBJECT: "dpv:DataSubject",
    GUARDIAN: "dpv:GuardianOfDataSubject",
    PROXY: "dpv:Representative",
}
_UNSTATED = "the custodian's entry does not state it"
_PROCESSING = {
    code: "dpv:" + "".join(word.capitalize() for word in code.split("-"))
    for code in PROCESSING_METHODS
    if code != "destroy"
} | {"destroy": "dpv:Destruct"}
_NO_RESTRICTION = "none: the subject agreed to processing anywhere"


def consent_as_iso_27560(source: ConsentSource) -> dict[str, Any]:
    """Render a consent as a TS 27560 record; the pseudonym is in it only with the private entry."""
    consent = source.consent
    return {
        "@context": CONTEXT,
        "@type": "dpv:ConsentRecord",
        "@id": name("consent", consent.consent_id),
        "dct:conformsTo": SCHEMA,
        "dct:identifier": consent.consent_id,
        "dct:provenance": record_digest(consent),
        "dct:source": _evidence(source),
        "dpv:hasDataSubject": _subject(source),
        "dpv:hasNotice": _notice(source),
        "dpv:hasLegalBasis": _legal_basis(source),
        "dpv:hasJurisdiction": _private(source, "jurisdiction"),
        "dpv:hasProcess": _process(source),
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dpv:isExercisedAt": _private(source, "withdrawal_method"),
        },
        "dpv:hasRight": [{"@type": "dpv:DataSubjectRight", "dct:title": right} for right in RIGHTS],
        "dpv:hasAuthority": _authority(source),
        "dpv:hasEntity": _entities(source),
        "dpv:hasConsentStatus": [_event(source, number) for number in range(len(consent.events))],
    }


def _subject(source: ConsentSource) -> dict[str, Any]:
    made = {"@type": "dpv:DataSubject", "dct:identifier": source.consent.subject}
    if source.private is not None:
        made["dpv:hasIdentifier"] = source.private.pseudonym
    return made


def _evidence(source: ConsentSource) -> Any:
    return json_ld_absent(PRIVATE) if source.private is None else digest_uri(source.private.evidence_digest)


def _notice(source: ConsentSource) -> dict[str, Any]:
    return {
        "@type": "dpv:ConsentNotice",
        "@id": digest_uri(source.consent.notice_digest),
        "dct:hasVersion": _private(source, "notice_version"),
        "dct:language": _private(source, "language"),
    }


def _legal_basis(source: ConsentSource) -> Any:
    if source.private is None:
        return {"@type": "dpv:Consent", **json_ld_absent(f"how clearly it was expressed is {PRIVATE}")}
    if source.private.consent_type is None:
        return {"@type": "dpv:Consent", **json_ld_absent(f"how clearly it was expressed: {_UNSTATED}")}
    return {"@type": _TYPES[source.private.consent_type]}


def _process(source: ConsentSource) -> dict[str, Any]:
    consent = source.consent
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": [
            {"@type": "dpv:Purpose", "dct:identifier": code, "dct:title": PURPOSES[code]}
            for code in consent.purposes
        ],
        "dpv:hasPersonalData": [_personal_data(source, category) for category in consent.categories],
        "dpv:hasDataController": name("msp", consent.controller),
        "dpv:hasRecipient": [_recipient(recipient) for recipient in consent.recipients],
        "dpv:hasProcessing": _processing(source),
        "dpv:hasDataSource": _private(source, "method"),
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": _places(source, "storage_locations")},
            {"@type": "dpv:StorageDuration", "dct:valid": _private(source, "retained_until")},
        ],
        "dpv:hasLocation": _places(source, "processing_locations"),
        "dpv:hasRule": [_geographic_restrictions(source), *_usage_restrictions(source)],
    }


def _personal_data(source: ConsentSource, category: str) -> dict[str, Any]:
    return {
        "@type": ["dpv:PersonalData", "dpv:SpecialCategoryPersonalData"],
        "dct:identifier": category,
        "dct:title": [SPECIAL_CATEGORIES[code] for code in special_categories(category)],
        "dpv:hasNecessity": _necessity(source, category),
    }


def _necessity(source: ConsentSource, category: str) -> Any:
    if source.private is None:
        return json_ld_absent(PRIVATE)
    if source.private.optional_categories is None:
        return json_ld_absent(_UNSTATED)
    return "dpv:Optional" if category in source.private.optional_categories else "dpv:Required"


def _processing(source: ConsentSource) -> Any:
    methods = _private(source, "processing_methods")
    if isinstance(methods, dict):
        return methods
    return [{"@type": _PROCESSING[code], "dct:title": PROCESSING_METHODS[code]} for code in methods]


def _usage_restrictions(source: ConsentSource) -> list[dict[str, Any]]:
    return [
        {"@type": "dpv:Prohibition", "dct:identifier": code, "dct:title": CONSENT_RESTRICTIONS[code]}
        for code in source.consent.restrictions
    ]


def _geographic_restrictions(source: ConsentSource) -> dict[str, Any]:
    where: Any
    if source.private is not None and source.private.geographic_restrictions == ():
        where = {"dct:description": _NO_RESTRICTION}
    else:
        where = _places(source, "geographic_restrictions")
    return {"@type": "dpv:Rule", "dct:title": "processing only in", "dpv:hasLocation": where}


def _recipient(recipient: str) -> dict[str, Any]:
    kind = "recipient-class" if recipient in RECIPIENT_CLASSES else "msp"
    return {"@type": ["dpv:Recipient", "dpv:ThirdParty"], "@id": name(kind, recipient)}


def _places(source: ConsentSource, field: str) -> Any:
    places = _private(source, field)
    return list(places) if isinstance(places, tuple) else places


def _authority(source: ConsentSource) -> Any:
    return source.parties.get(source.consent.controller, NOBODY).authority or json_ld_absent(NO_PARTY)


def _entities(source: ConsentSource) -> list[dict[str, Any]]:
    consent = source.consent
    kinds = {consent.custodian: "dpv:LegalEntity", consent.controller: "dpv:DataController"}
    for recipient in consent.recipients:
        if recipient not in RECIPIENT_CLASSES:
            kinds.setdefault(recipient, "dpv:Recipient")
    return [_entity(source, msp_id, kind) for msp_id, kind in kinds.items()]


def _entity(source: ConsentSource, msp_id: str, kind: str) -> dict[str, Any]:
    party = source.parties.get(msp_id, NOBODY)
    return {
        "@id": name("msp", msp_id),
        "@type": kind,
        "dpv:hasName": party.name or json_ld_absent(NO_PARTY),
        "dpv:hasAddress": party.address or json_ld_absent(NO_PARTY),
        "dpv:hasContact": party.contact or json_ld_absent(NO_PARTY),
    }


def _event(source: ConsentSource, number: int) -> dict[str, Any]:
    consent = source.consent
    event, later = consent.events[number], consent.events[number + 1 :]
    terms = next((one.replaced for one in later if one.replaced is not None), consent.terms)
    recorder = None if event.recorded_by is None else name("enrolment", event.recorded_by)
    made: dict[str, Any] = {
        "@type": _STATES[event.event],
        "dct:identifier": event.event,
        "dpv:isIndicatedAtTime": event.claimed_at or event.recorded_at,
        "dct:created": event.recorded_at,
        "dct:creator": recorder or json_ld_absent(NOBODY_NAMED),
        "dpv:hasDuration": {
            "dct:valid": {"odrl:gteq": terms.not_before, "odrl:lt": terms.not_after},
        },
        "dpv:isIndicatedBy": _declarer(source, event),
    }
    if event.batch_id is not None:
        made["dct:isPartOf"] = name("batch", event.batch_id)
    if event.replaced is not None:
        made["dct:replaces"] = digest_uri(record_digest(event.replaced))
    return made


def _declarer(source: ConsentSource, event: ConsentEvent) -> Any:
    if event.event in (EXPIRED, ENTERED_IN_ERROR):
        return name("msp", source.consent.custodian)
    if source.private is None:
        return json_ld_absent(PRIVATE)
    declared: PrivateConsent | PrivateChange | None = source.private
    if event.event != GIVEN:
        declared = source.changes.get(event.batch_id or "")
    if declared is None:
        return json_ld_absent("it was recorded without saying who declared it")
    made = {"@type": _DECLARERS[declared.declared_by]}
    mandate = declared.mandate_digest
    return made if mandate is None else {**made, "dct:source": digest_uri(mandate)}


def _private(source: ConsentSource, field: str) -> Any:
    if source.private is None:
        return json_ld_absent(PRIVATE)
    return getattr(source.private, field) or json_ld_absent(_UNSTATED)
