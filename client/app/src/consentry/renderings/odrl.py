"""Consents and grants as ODRL 2.2 agreements in JSON-LD.

What ODRL has no left operand for is of the profile `urn:consentry:odrl`, which docs/renderings.md lists. A
rule with several targets or assignees stands for one rule of each (ODRL Information Model 2.2, §2.7).
"""

from __future__ import annotations

from typing import Any

from consentry.renderings.fhir_values import DUO_SYSTEM, PURPOSE_OF_USE
from consentry.renderings.fields import CONSTANT, Field
from consentry.renderings.names import NAMESPACE, digest_uri, name, record_digest
from consentry.renderings.sources import ConsentSource
from consentry_records.consent import GIVEN, Consent
from consentry_records.grant import ACTIVE, Grant
from consentry_records.vocabulary import NON_COMMERCIAL, RECIPIENT_CLASSES

PROFILE = NAMESPACE + "odrl"
CONTEXT = ["http://www.w3.org/ns/odrl.jsonld", {"dct": "http://purl.org/dc/terms/"}]
_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
_COMMERCIAL_USE = "http://creativecommons.org/ns#CommercialUse"


def consent_as_odrl(source: ConsentSource) -> dict[str, Any]:
    """Render a consent as an agreement of the subject (a commitment) with its recipients.

    One that is not in force any more is an agreement that prohibits: ODRL has no word for a withdrawal.
    """
    consent = source.consent
    made = _agreement(name("consent", consent.consent_id), record_digest(consent))
    made["assigner"] = name("subject", consent.subject)
    made["dct:publisher"] = name("msp", consent.custodian)
    made["dct:rightsHolder"] = name("msp", consent.controller)
    made["dct:references"] = digest_uri(consent.notice_digest)
    made["dct:description"] = f"the consent is {consent.state}"
    rule = {
        "target": [f"{name('subject-data', consent.subject)}:{category}" for category in consent.categories],
        "assignee": [_recipient(recipient) for recipient in consent.recipients],
    }
    if consent.state != GIVEN:
        since = _constraint("dateTime", "gteq", _date_time(consent.events[-1].recorded_at))
        return {**made, "prohibition": [{**rule, "action": "use", "constraint": [since]}]}
    made["permission"] = [{**rule, "action": "use", "constraint": _consent_constraints(consent)}]
    if NON_COMMERCIAL in consent.restrictions:
        made["prohibition"] = [{**rule, "action": _COMMERCIAL_USE}]
    return made


def grant_as_odrl(grant: Grant) -> dict[str, Any]:
    """Render a grant as an agreement of custodian and grantee over the versions that it names."""
    made = _agreement(name("grant", grant.grant_id), record_digest(grant))
    made["assigner"] = name("msp", grant.custodian)
    made["dct:isPartOf"] = name("request", grant.request_id)
    made["dct:description"] = f"the grant is {grant.state}"
    if grant.ethics_approval_digest is not None:
        made["dct:references"] = digest_uri(grant.ethics_approval_digest)
    rule = {
        "target": [name("version", version) for version in grant.versions],
        "assignee": [name("msp", grant.grantee)],
    }
    if grant.state != ACTIVE:
        return {**made, "prohibition": [{**rule, "action": "use"}]}
    made["permission"] = [{**rule, "action": "use", "constraint": _grant_constraints(grant)}]
    prohibitions = _prohibitions(grant, rule)
    return {**made, "prohibition": prohibitions} if prohibitions else made


def _agreement(uid: str, digest: str) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "@type": "Agreement",
        "uid": uid,
        "profile": PROFILE,
        "conflict": "prohibit",
        "dct:provenance": digest,
    }


def _consent_constraints(consent: Consent) -> list[dict[str, Any]]:
    return [
        *_period(consent.not_before, consent.not_after),
        _constraint("purpose", "isAnyOf", [_purpose(code) for code in consent.purposes]),
    ]


def _grant_constraints(grant: Grant) -> list[dict[str, Any]]:
    conditions = grant.conditions
    found = [
        *_period(grant.not_before, grant.not_after),
        _constraint("purpose", "isAnyOf", [_purpose(code) for code in grant.purposes]),
    ]
    if conditions.maximum_uses is not None:
        found.append(_constraint("count", "lteq", conditions.maximum_uses))
    if conditions.countries:
        found.append(_constraint("spatial", "isAnyOf", list(conditions.countries)))
    if conditions.persons:
        people = [name("enrolment", person) for person in conditions.persons]
        found.append(_constraint("recipient", "isAnyOf", people))
    if conditions.project_members_only and grant.project is not None:
        found.append(_constraint("recipient", "isPartOf", name("project", grant.project)))
    if grant.diseases:
        found.append(_constraint(f"{PROFILE}:disease", "isAnyOf", list(grant.diseases)))
    if conditions.columns:
        found.append(_constraint(f"{PROFILE}:column", "isAnyOf", list(conditions.columns)))
    if conditions.data_categories:
        found.append(_constraint(f"{PROFILE}:data-category", "isAnyOf", list(conditions.data_categories)))
    if conditions.aggregate_output_only:
        found.append(_constraint(f"{PROFILE}:output", "eq", "aggregate"))
    return found


def _prohibitions(grant: Grant, rule: dict[str, Any]) -> list[dict[str, Any]]:
    found = [{**rule, "action": _COMMERCIAL_USE}] if NON_COMMERCIAL in grant.restrictions else []
    until = grant.conditions.publication_not_before
    if until is not None:
        before = _constraint("dateTime", "lt", _date_time(until))
        found.append({**rule, "action": "distribute", "constraint": [before]})
    return found


def _recipient(recipient: str) -> str:
    return name("recipient-class" if recipient in RECIPIENT_CLASSES else "msp", recipient)


def _period(not_before: str, not_after: str) -> list[dict[str, Any]]:
    return [
        _constraint("dateTime", "gteq", _date_time(not_before)),
        _constraint("dateTime", "lt", _date_time(not_after)),
    ]


def _purpose(code: str) -> str:
    system = DUO_SYSTEM if code.startswith("DUO:") else PURPOSE_OF_USE
    return f"{system}#{code}"


def _date_time(instant: str) -> dict[str, str]:
    return {"@value": instant, "@type": _DATE_TIME}


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


CONSENT_FIELDS = (
    Field("Policy.uid", "uid", "consent.consent_id"),
    Field("Policy.type", "@type", CONSTANT),
    Field("Policy.conflict", "conflict", CONSTANT, required=False),
    Field("Agreement.assigner", "assigner", "consent.subject"),
    Field("Agreement.assignee", "permission.assignee", "consent.recipients"),
    Field("Rule", "permission", "consent.state"),
    Field("Permission.action", "permission.action", CONSTANT),
    Field("Permission.target", "permission.target", "consent.subject, consent.categories"),
    Field("Constraint.leftOperand", "permission.constraint.leftOperand", CONSTANT),
    Field("Constraint.operator", "permission.constraint.operator", CONSTANT),
    Field(
        "Constraint.rightOperand",
        "permission.constraint.rightOperand",
        "consent.not_before, consent.not_after, consent.purposes",
    ),
    Field("Prohibition.action", "prohibition.action", "consent.restrictions"),
    Field("Prohibition.target", "prohibition.target", "consent.subject, consent.categories"),
    Field("dct:references", "dct:references", "consent.notice_digest", required=False),
    Field("dct:publisher", "dct:publisher", "consent.custodian", required=False),
    Field("dct:rightsHolder", "dct:rightsHolder", "consent.controller", required=False),
)
"""Fields of an ODRL Agreement on a consent."""

GRANT_FIELDS = (
    Field("Policy.uid", "uid", "grant.grant_id"),
    Field("Policy.type", "@type", CONSTANT),
    Field("Agreement.assigner", "assigner", "grant.custodian"),
    Field("Agreement.assignee", "permission.assignee", "grant.grantee"),
    Field("Rule", "permission", "grant.state"),
    Field("Permission.action", "permission.action", CONSTANT),
    Field("Permission.target", "permission.target", "grant.versions"),
    Field("Constraint.leftOperand", "permission.constraint.leftOperand", CONSTANT),
    Field("Constraint.operator", "permission.constraint.operator", CONSTANT),
    Field(
        "Constraint.rightOperand",
        "permission.constraint.rightOperand",
        "grant.not_before, grant.not_after, grant.purposes, grant.diseases, grant.conditions, grant.project",
    ),
    Field("Prohibition.action", "prohibition.action", "grant.restrictions, grant.conditions"),
    Field("Prohibition.target", "prohibition.target", "grant.versions"),
    Field("dct:references", "dct:references", "grant.ethics_approval_digest", required=False),
    Field("dct:isPartOf", "dct:isPartOf", "grant.request_id", required=False),
)
"""Fields of an ODRL Agreement on a grant."""
