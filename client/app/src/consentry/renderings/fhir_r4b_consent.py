"""A consent as FHIR R4B (4.3.0) and IHE PCF: a Bundle of the Consent and a Provenance for each event.

PCF knows no class and no code of the data: categories are extensions of the provision.
"""

from __future__ import annotations

from typing import Any

from consentry.renderings.absent import PRIVATE
from consentry.renderings.fhir_consent import (
    CATEGORY,
    HISTORY_FIELDS,
    RECIPIENT,
    STATUS,
    categories,
    consent_url,
    contained,
    declarer,
    evidence,
    extensions,
    given_at,
    provenance,
    restrictions,
    subject,
)
from consentry.renderings.fhir_values import (
    TERMINOLOGY,
    bundle,
    coding,
    concept,
    identifier,
    organization,
    period,
    purpose,
)
from consentry.renderings.fields import CONSTANT, fhir
from consentry.renderings.names import digest_uri, system
from consentry.renderings.sources import ConsentSource

_SCOPE = concept(coding(TERMINOLOGY + "consentscope", "patient-privacy", "Privacy Consent"))


def consent_as_fhir_r4b(source: ConsentSource) -> dict[str, Any]:
    """Render a consent as FHIR R4B; its subject's pseudonym is in it only with the private entry."""
    consent = source.consent
    controller = {"url": system("controller"), "valueReference": organization(consent.controller)}
    resource = {
        "resourceType": "Consent",
        "id": consent.consent_id,
        "contained": contained(source),
        "extension": [*extensions(source), controller],
        "identifier": [identifier("consent", consent.consent_id)],
        "status": STATUS[consent.state],
        "scope": _SCOPE,
        "category": [CATEGORY],
        "patient": subject(),
        "dateTime": given_at(source),
        "performer": [declarer(source)],
        "organization": [organization(consent.custodian)],
        "sourceReference": evidence(source),
        "policy": [{"uri": digest_uri(consent.notice_digest)}],
        "provision": {
            "extension": [
                {"url": system("data-category"), "valueCoding": category} for category in categories(source)
            ],
            "type": "permit",
            "period": period(consent.not_before, consent.not_after),
            "actor": [
                {"role": RECIPIENT, "reference": organization(recipient)} for recipient in consent.recipients
            ],
            "purpose": [purpose(code) for code in consent.purposes],
            **({"securityLabel": restrictions(source)} if consent.restrictions else {}),
        },
    }
    return bundle({consent_url(source): resource, **provenance(source)})


FIELDS = (
    fhir("Consent.status", "consent.state"),
    fhir("Consent.scope", CONSTANT),
    fhir("Consent.category", CONSTANT),
    fhir("Consent.identifier", "consent.consent_id", required=False),
    fhir("Consent.patient", CONSTANT),
    fhir("Consent.contained.identifier", "consent.subject, private.pseudonym", required=False),
    fhir("Consent.dateTime", "event.claimed_at, event.recorded_at"),
    fhir("Consent.performer", "private.declared_by", otherwise=PRIVATE),
    fhir("Consent.organization", "consent.custodian"),
    fhir("Consent.sourceReference", "private.evidence_digest", otherwise=PRIVATE),
    fhir("Consent.policy.uri", "consent.notice_digest"),
    fhir("Consent.provision.type", CONSTANT),
    fhir("Consent.provision.period", "consent.not_before, consent.not_after", required=False),
    fhir("Consent.provision.actor", "consent.recipients", required=False),
    fhir("Consent.provision.purpose", "consent.purposes", required=False),
    fhir("Consent.provision.securityLabel", "consent.restrictions", required=False),
    fhir("Consent.provision.extension.valueCoding", "consent.categories", required=False),
    fhir("Consent.extension.valueReference", "consent.controller", required=False),
    *HISTORY_FIELDS,
)
"""Fields of FHIR R4B Consent and Provenance, required as IHE PCF demands."""
