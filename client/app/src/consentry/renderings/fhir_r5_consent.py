"""A consent as FHIR R5 (5.0.0): a Bundle of the Consent and one Provenance for each event of its life."""

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
    bundle,
    concept,
    document,
    identifier,
    organization,
    period,
    purpose,
)
from consentry.renderings.fields import CONSTANT, fhir
from consentry.renderings.sources import ConsentSource


def consent_as_fhir_r5(source: ConsentSource) -> dict[str, Any]:
    """Render a consent as FHIR R5; its subject's pseudonym is in it only with the private entry."""
    consent = source.consent
    holds = period(consent.not_before, consent.not_after)
    recipients = [organization(recipient) for recipient in consent.recipients]
    resource = {
        "resourceType": "Consent",
        "id": consent.consent_id,
        "contained": contained(source),
        "extension": extensions(source),
        "identifier": [identifier("consent", consent.consent_id)],
        "status": STATUS[consent.state],
        "category": [CATEGORY],
        "subject": subject(),
        "date": given_at(source)[:10],
        "period": holds,
        "grantor": [declarer(source)],
        "grantee": recipients,
        "manager": [organization(consent.custodian)],
        "controller": [organization(consent.controller)],
        "sourceReference": [evidence(source)],
        "policyBasis": {"reference": document(consent.notice_digest)},
        "decision": "permit",
        "provision": [
            {
                "period": holds,
                "actor": [{"role": RECIPIENT, "reference": recipient} for recipient in recipients],
                "purpose": [purpose(code) for code in consent.purposes],
                "code": [concept(category) for category in categories(source)],
                **({"securityLabel": restrictions(source)} if consent.restrictions else {}),
            }
        ],
    }
    return bundle({consent_url(source): resource, **provenance(source)})


FIELDS = (
    fhir("Consent.status", "consent.state"),
    fhir("Consent.category", CONSTANT, required=False),
    fhir("Consent.identifier", "consent.consent_id", required=False),
    fhir("Consent.subject", CONSTANT),
    fhir("Consent.contained.identifier", "consent.subject, private.pseudonym", required=False),
    fhir("Consent.date", "event.claimed_at, event.recorded_at", required=False),
    fhir("Consent.period", "consent.not_before, consent.not_after", required=False),
    fhir("Consent.grantor", "private.declared_by", required=False, otherwise=PRIVATE),
    fhir("Consent.grantee", "consent.recipients", required=False),
    fhir("Consent.manager", "consent.custodian", required=False),
    fhir("Consent.controller", "consent.controller", required=False),
    fhir("Consent.sourceReference", "private.evidence_digest", required=False, otherwise=PRIVATE),
    fhir("Consent.policyBasis.reference", "consent.notice_digest", required=False),
    fhir("Consent.decision", CONSTANT, required=False),
    fhir("Consent.provision.period", "consent.not_before, consent.not_after", required=False),
    fhir("Consent.provision.actor", "consent.recipients", required=False),
    fhir("Consent.provision.purpose", "consent.purposes", required=False),
    fhir("Consent.provision.code", "consent.categories", required=False),
    fhir("Consent.provision.securityLabel", "consent.restrictions", required=False),
    *HISTORY_FIELDS,
)
"""Fields of FHIR R5 Consent and Provenance."""
