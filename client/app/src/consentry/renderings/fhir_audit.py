"""What IHE BALP AuthZconsent of both FHIR releases is made of: who asked, who decided, on what, and why."""

from __future__ import annotations

import json
from typing import Any

from consentry.renderings.absent import fhir_absent
from consentry.renderings.fhir_values import DICOM, TERMINOLOGY, coding, concept, document, logical
from consentry.renderings.names import name
from consentry.renderings.sources import DecisionSource
from consentry_records.reasons import words

SECURITY_ALERT = coding(DICOM, "110113", "Security Alert")
AUTHZ_CONSENT = coding(
    "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType",
    "AuthZ-Consent",
    "Authorization Decision using Roles and Consent",
)
SECURITY_SERVER = coding(TERMINOLOGY + "security-source-type", "6", "Security Server")
CLIENT = concept(coding(DICOM, "110150", "Application"))
USER = concept(coding(TERMINOLOGY + "v3-ParticipationType", "IRCP", "information recipient"))
USER_ORGANIZATION = concept(coding(TERMINOLOGY + "v3-RoleClass", "PROV", "healthcare provider"))
AUTHORIZER = concept(coding(TERMINOLOGY + "extra-security-role-type", "authserver", "authorization server"))
PERSON = coding(TERMINOLOGY + "audit-entity-type", "1", "Person")
PATIENT = coding(TERMINOLOGY + "object-role", "1", "Patient")
CONSENT_TYPE = coding("http://hl7.org/fhir/resource-types", "Consent", "Consent")
NO_PROGRAM = "the ledger records whose certificate signed, not by which program or from which address"
NO_SUBJECT = "the decision is on a dataset version; a row's proof names its subject and consent"
NO_ROOT = "decisions of the first release name no consent root"


def outcome(source: DecisionSource) -> dict[str, str]:
    """Permit is success; a denial is BALP's 8."""
    code, display = ("0", "Success") if source.decision.permits else ("8", "Serious failure")
    return coding(TERMINOLOGY + "audit-event-outcome", code, display)


def outcome_words(source: DecisionSource) -> str:
    """Why access was denied, in the catalogue's words; the basis of a permit."""
    decision = source.decision
    if not decision.permits:
        return "; ".join(words(reason) for reason in decision.reasons)
    if decision.emergency is not None:
        return f"permitted in an emergency ({decision.emergency}), to be reviewed"
    return f"permitted under {decision.grant_id}"


def user(source: DecisionSource) -> dict[str, Any]:
    """Who asked: an enrolment id that only the employer can resolve."""
    return logical("enrolment", source.attempt.requester)


def policies(source: DecisionSource) -> list[str]:
    """The grant that permits; nothing where none does."""
    return [] if source.decision.grant_id is None else [name("grant", source.decision.grant_id)]


def subject_of(source: DecisionSource) -> dict[str, Any]:
    """The subject of the proved row; else that there is none."""
    if source.row is None:
        return fhir_absent(NO_SUBJECT, "not-applicable")
    return logical("subject", source.row.subject, "Patient")


def consent_of(source: DecisionSource) -> dict[str, Any]:
    """The consent of the proved row; else the root over all rows' consents."""
    if source.row is not None:
        return logical("consent", source.row.consent_id, "Consent")
    if source.decision.consent_root is None:
        return fhir_absent(NO_ROOT)
    return {**document(source.decision.consent_root), "type": "Consent"}


def details(source: DecisionSource) -> dict[str, str]:
    """What else the decision was made on, by names of the ledger's records."""
    attempt, decision = source.attempt, source.decision
    found = {
        "attempt": attempt.attempt_id,
        "dataset-version": attempt.version_id,
        "rules": " ".join(decision.rules),
        "reasons": " ".join(reason.code for reason in decision.reasons),
        "epoch": decision.epoch,
        "consent-root": decision.consent_root,
        "permit-not-after": decision.permit_not_after,
        "use": None if decision.use is None else str(decision.use),
        "emergency": decision.emergency or attempt.emergency,
        "session": decision.session_id or attempt.session_id,
        "commercial": "true" if attempt.commercial else "false",
        "diseases": " ".join(attempt.diseases),
        "output": attempt.output,
        "projects": " ".join(attempt.projects),
        "columns": json.dumps(attempt.columns, ensure_ascii=False) if attempt.columns else "",
        "function": attempt.function_digest,
        "attempted-at": attempt.proposal_time,
    }
    return {key: value for key, value in found.items() if value}
