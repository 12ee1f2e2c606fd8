"""Fields of ISO/IEC TS 27560, and where they stand in the rendering by the Data Privacy Vocabulary."""

from __future__ import annotations

from consentry.renderings.absent import NO_PARTY, NOBODY_NAMED, PRIVATE
from consentry.renderings.fields import CONSTANT, Field

_EVENT = "dpv:hasConsentStatus"
_PROCESS = "dpv:hasProcess"
_PARTY = "dpv:hasEntity"
FIELDS = (
    Field("schema_version", "dct:conformsTo", CONSTANT),
    Field("record_id", "dct:identifier", "consent.consent_id"),
    Field("pii_principal_id", "dpv:hasDataSubject", "consent.subject, private.pseudonym"),
    Field("privacy_notice", "dpv:hasNotice", "consent.notice_digest, private.notice_version"),
    Field("language", "dpv:hasNotice.dct:language", "private.language", otherwise=PRIVATE),
    Field("purpose", f"{_PROCESS}.dpv:hasPurpose", "consent.purposes"),
    Field("pii_information", f"{_PROCESS}.dpv:hasPersonalData", "consent.categories"),
    Field("pii_type", f"{_PROCESS}.dpv:hasPersonalData.dct:identifier", "consent.categories"),
    Field("pii_controllers", f"{_PROCESS}.dpv:hasDataController", "consent.controller"),
    Field(
        "storage_locations",
        f"{_PROCESS}.dpv:hasStorageCondition.dpv:hasLocation",
        "private.storage_locations",
        otherwise=PRIVATE,
    ),
    Field(
        "retention_period",
        f"{_PROCESS}.dpv:hasStorageCondition.dct:valid",
        "private.retained_until",
        otherwise=PRIVATE,
    ),
    Field("jurisdiction", "dpv:hasJurisdiction", "private.jurisdiction", otherwise=PRIVATE),
    Field("recipient_third_parties", f"{_PROCESS}.dpv:hasRecipient", "consent.recipients"),
    Field(
        "withdrawal_method",
        "dpv:hasConsentControl.dpv:isExercisedAt",
        "private.withdrawal_method",
        otherwise=PRIVATE,
    ),
    Field("lawful_basis", "dpv:hasLegalBasis", CONSTANT),
    Field("collection_method", f"{_PROCESS}.dpv:hasDataSource", "private.method", otherwise=PRIVATE),
    Field(
        "processing_method",
        f"{_PROCESS}.dpv:hasProcessing",
        "private.processing_methods",
        otherwise=PRIVATE,
    ),
    Field(
        "processing_location",
        f"{_PROCESS}.dpv:hasLocation",
        "private.processing_locations",
        otherwise=PRIVATE,
    ),
    Field(
        "geographic_restrictions",
        f"{_PROCESS}.dpv:hasRule.dpv:hasLocation",
        "private.geographic_restrictions",
        otherwise=PRIVATE,
    ),
    Field("privacy_rights", "dpv:hasRight", CONSTANT),
    Field("authority_party", "dpv:hasAuthority", "party.authority", otherwise=NO_PARTY),
    Field(
        "pii_optional",
        f"{_PROCESS}.dpv:hasPersonalData.dpv:hasNecessity",
        "private.optional_categories",
        otherwise=PRIVATE,
    ),
    Field("special_pii_category", f"{_PROCESS}.dpv:hasPersonalData.dct:title", "consent.categories"),
    Field("usage restrictions", f"{_PROCESS}.dpv:hasRule", "consent.restrictions", required=False),
    Field("party id", f"{_PARTY}.@id", "consent.custodian, consent.controller, consent.recipients"),
    Field("party name", f"{_PARTY}.dpv:hasName", "party.name", otherwise=NO_PARTY),
    Field("party address", f"{_PARTY}.dpv:hasAddress", "party.address", otherwise=NO_PARTY),
    Field("party contact", f"{_PARTY}.dpv:hasContact", "party.contact", otherwise=NO_PARTY),
    Field("party type", f"{_PARTY}.@type", CONSTANT),
    Field("party_role", f"{_PARTY}.@type", CONSTANT),
    Field("event time", f"{_EVENT}.dpv:isIndicatedAtTime", "event.claimed_at, event.recorded_at"),
    Field("event recorded", f"{_EVENT}.dct:created", "event.recorded_at", required=False),
    Field("event recorder", f"{_EVENT}.dct:creator", "event.recorded_by", False, NOBODY_NAMED),
    Field("event validity_duration", f"{_EVENT}.dpv:hasDuration", "consent.not_before, consent.not_after"),
    Field(
        "event entity_id",
        f"{_EVENT}.dpv:isIndicatedBy",
        "private.declared_by, private.mandate_digest, change.declared_by, change.mandate_digest",
        otherwise=PRIVATE,
    ),
    Field("event type", "dpv:hasLegalBasis.@type", "private.consent_type", otherwise=PRIVATE),
    Field("event state", f"{_EVENT}.@type", "event.event, consent.state"),
    Field("event batch", f"{_EVENT}.dct:isPartOf", "event.batch_id", required=False),
    Field("event before", f"{_EVENT}.dct:replaces", "event.replaced", required=False),
    Field("evidence", "dct:source", "private.evidence_digest", False, PRIVATE),
)
"""Fields of TS 27560, required by ISO or, under GDPR, by the guide."""
