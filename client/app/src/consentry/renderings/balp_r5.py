"""A decision as the AuditEvent of FHIR R5, in the pattern of IHE BALP AuthZconsent (which is of R4)."""

from __future__ import annotations

from typing import Any

from consentry.renderings import fhir_audit as audit
from consentry.renderings.absent import fhir_absent, fhir_extension
from consentry.renderings.fhir_values import coding, concept, organization, purpose
from consentry.renderings.fields import CONSTANT, Field, fhir
from consentry.renderings.names import record_digest, system
from consentry.renderings.sources import DecisionSource


def decision_as_balp_r5(source: DecisionSource) -> dict[str, Any]:
    """Render a decision, permit or denial, as R5's AuditEvent."""
    purposes = [concept(purpose(source.attempt.purpose))]
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": source.attempt.attempt_id,
        "extension": [{"url": system("record-digest"), "valueString": record_digest(source.decision)}],
        "category": [concept(audit.SECURITY_ALERT)],
        "code": concept(audit.AUTHZ_CONSENT),
        "action": "E",
        "severity": "informational" if source.decision.permits else "notice",
        "recorded": source.decision.decided_at,
        "outcome": {"code": audit.outcome(source), "detail": [{"text": audit.outcome_words(source)}]},
        "authorization": purposes,
        "agent": _agents(source, purposes),
        "source": {
            "observer": organization(source.decision.custodian),
            "type": [concept(audit.SECURITY_SERVER)],
        },
        "entity": [
            {"what": audit.subject_of(source), "role": concept(audit.PATIENT)},
            {
                "what": audit.consent_of(source),
                "detail": [
                    {"type": concept(coding(system("detail"), kind)), "valueString": value}
                    for kind, value in audit.details(source).items()
                ],
            },
        ],
    }
    if source.row is not None:
        made["patient"] = audit.subject_of(source)
    return made


def _agents(source: DecisionSource, purposes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    roles = [concept(coding(system("role"), role)) for role in source.attempt.roles]
    policies = audit.policies(source)
    return [
        {
            "type": audit.CLIENT,
            "who": fhir_absent(audit.NO_PROGRAM),
            "requestor": False,
            "_networkString": fhir_extension("unknown"),
        },
        {
            "type": audit.USER,
            "who": audit.user(source),
            "requestor": True,
            **({"role": roles} if roles else {}),
            **({"policy": policies} if policies else {}),
            "authorization": purposes,
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
    fhir("AuditEvent.category", CONSTANT, required=False),
    fhir("AuditEvent.code", CONSTANT),
    fhir("AuditEvent.action", CONSTANT, required=False),
    fhir("AuditEvent.severity", "decision.outcome", required=False),
    fhir("AuditEvent.recorded", "decision.decided_at"),
    fhir("AuditEvent.outcome.code", "decision.outcome"),
    fhir(
        "AuditEvent.outcome.detail", "decision.reasons, decision.grant_id, decision.emergency", required=False
    ),
    fhir("AuditEvent.authorization", "attempt.purpose", required=False),
    Field("AuditEvent.agent[client].who", "AuditEvent.agent.who", "", otherwise=audit.NO_PROGRAM),
    Field("AuditEvent.agent[user].who", "AuditEvent.agent.who", "attempt.requester"),
    Field("AuditEvent.agent[user].role", "AuditEvent.agent.role", "attempt.roles", required=False),
    Field("AuditEvent.agent[user].policy", "AuditEvent.agent.policy", "decision.grant_id", required=False),
    Field("AuditEvent.agent[userorg].who", "AuditEvent.agent.who", "attempt.requester_msp"),
    Field("AuditEvent.agent[authorizer].who", "AuditEvent.agent.who", "decision.custodian"),
    fhir("AuditEvent.source.observer", "decision.custodian"),
    fhir("AuditEvent.patient", "row.subject", required=False),
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
"""Fields of FHIR R5 AuditEvent; BALP itself is of R4."""
