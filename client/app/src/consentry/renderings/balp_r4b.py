"""A decision as the AuditEvent of FHIR R4B that IHE BALP 1.1 calls AuthZconsent."""

from __future__ import annotations

from typing import Any

from consentry.renderings import fhir_audit as audit
from consentry.renderings.absent import fhir_absent, fhir_extension
from consentry.renderings.fhir_values import coding, concept, organization, purpose
from consentry.renderings.fields import CONSTANT, Field, fhir
from consentry.renderings.names import record_digest, system
from consentry.renderings.sources import DecisionSource


def decision_as_balp_r4b(source: DecisionSource) -> dict[str, Any]:
    """Render a decision, permit or denial, as BALP AuthZconsent."""
    purposes = [concept(purpose(source.attempt.purpose))]
    return {
        "resourceType": "AuditEvent",
        "id": source.attempt.attempt_id,
        "extension": [{"url": system("record-digest"), "valueString": record_digest(source.decision)}],
        "type": audit.SECURITY_ALERT,
        "subtype": [audit.AUTHZ_CONSENT],
        "action": "E",
        "recorded": source.decision.decided_at,
        "outcome": audit.outcome(source)["code"],
        "outcomeDesc": audit.outcome_words(source),
        "purposeOfEvent": purposes,
        "agent": _agents(source, purposes),
        "source": {
            "observer": organization(source.decision.custodian),
            "type": [audit.SECURITY_SERVER],
        },
        "entity": [
            {"what": audit.subject_of(source), "type": audit.PERSON, "role": audit.PATIENT},
            {
                "what": audit.consent_of(source),
                "type": audit.CONSENT_TYPE,
                "detail": [
                    {"type": kind, "valueString": value} for kind, value in audit.details(source).items()
                ],
            },
        ],
    }


def _agents(source: DecisionSource, purposes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    roles = [concept(coding(system("role"), role)) for role in source.attempt.roles]
    policies = audit.policies(source)
    return [
        {
            "type": audit.CLIENT,
            "who": fhir_absent(audit.NO_PROGRAM),
            "requestor": False,
            "network": fhir_extension("unknown"),
        },
        {
            "type": audit.USER,
            "who": audit.user(source),
            "requestor": True,
            **({"role": roles} if roles else {}),
            **({"policy": policies} if policies else {}),
            "purposeOfUse": purposes,
        },
        {
            "type": audit.USER_ORGANIZATION,
            "who": organization(source.attempt.requester_msp),
            "requestor": False,
        },
        {
            "type": audit.AUTHORIZER,
            "who": organization(source.decision.custodian),
            "requestor": False,
        },
    ]


FIELDS = (
    fhir("AuditEvent.type", CONSTANT),
    fhir("AuditEvent.subtype", CONSTANT),
    fhir("AuditEvent.action", CONSTANT),
    fhir("AuditEvent.recorded", "decision.decided_at"),
    fhir("AuditEvent.outcome", "decision.outcome"),
    fhir("AuditEvent.outcomeDesc", "decision.reasons, decision.grant_id, decision.emergency", required=False),
    fhir("AuditEvent.purposeOfEvent", "attempt.purpose", required=False),
    Field("AuditEvent.agent[client].who", "AuditEvent.agent.who", "", otherwise=audit.NO_PROGRAM),
    Field("AuditEvent.agent[client].network", "AuditEvent.agent.network", "", otherwise=audit.NO_PROGRAM),
    Field("AuditEvent.agent[user].who", "AuditEvent.agent.who", "attempt.requester"),
    Field("AuditEvent.agent[user].role", "AuditEvent.agent.role", "attempt.roles", required=False),
    Field("AuditEvent.agent[user].policy", "AuditEvent.agent.policy", "decision.grant_id", required=False),
    Field(
        "AuditEvent.agent[user].purposeOfUse",
        "AuditEvent.agent.purposeOfUse",
        "attempt.purpose",
        required=False,
    ),
    Field("AuditEvent.agent[userorg].who", "AuditEvent.agent.who", "attempt.requester_msp"),
    Field("AuditEvent.agent[authorizer].who", "AuditEvent.agent.who", "decision.custodian"),
    fhir("AuditEvent.source.observer", "decision.custodian"),
    Field(
        "AuditEvent.entity[patient].what", "AuditEvent.entity.what", "row.subject", otherwise=audit.NO_SUBJECT
    ),
    Field(
        "AuditEvent.entity[consent].what",
        "AuditEvent.entity.what",
        "row.consent_id, decision.consent_root",
        otherwise=audit.NO_ROOT,
    ),
    fhir(
        "AuditEvent.entity.detail.valueString",
        "attempt.attempt_id, attempt.version_id, decision.rules, decision.epoch, decision.permit_not_after, "
        "decision.use, decision.emergency, decision.session_id, attempt.commercial, attempt.diseases, "
        "attempt.output, attempt.projects, attempt.columns, attempt.function_digest, attempt.proposal_time",
        required=False,
    ),
)
"""Fields of FHIR R4B AuditEvent, required as IHE BALP AuthZconsent demands."""
