"""Consents and grants as ODRL agreements: the information model's demands, and the records' meaning."""

from __future__ import annotations

from typing import Any

import pytest
from support import rendering_examples as examples
from support.rendering_examples import bare, found

from consentry.renderings import consent_as_odrl, grant_as_odrl
from consentry_records import Conditions, Grant

# ODRL Information Model 2.2, operators and left operands of its common vocabulary; those of our profile.
OPERATORS = {"gteq", "lt", "lteq", "eq", "isAnyOf", "isPartOf"}
OPERANDS = {"dateTime", "purpose", "count", "spatial", "recipient"} | {
    f"urn:consentry:odrl:{name}" for name in ("disease", "output", "column", "data-category")
}


def check_agreement(policy: dict[str, Any]) -> None:
    """What references/standards.md §1 demands of an agreement and its rules."""
    assert policy["@type"] == "Agreement"
    assert policy["uid"].startswith("urn:consentry:")
    assert policy["assigner"]
    rules = policy.get("permission", []) + policy.get("prohibition", [])
    assert rules
    for rule in rules:
        assert rule["action"]
        assert rule["target"]
        assert rule["assignee"]
        for constraint in rule.get("constraint", []):
            assert set(constraint) == {"leftOperand", "operator", "rightOperand"}
            assert constraint["leftOperand"] in OPERANDS
            assert constraint["operator"] in OPERATORS
            assert constraint["rightOperand"] not in (None, "", [])


def constraints(policy: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {
        (one["leftOperand"], one["operator"]): one["rightOperand"]
        for one in policy["permission"][0]["constraint"]
    }


def test_a_consent_in_force_permits_within_its_terms() -> None:
    policy, consent = consent_as_odrl(bare()), bare().consent
    check_agreement(policy)
    said = constraints(policy)
    assert said["dateTime", "gteq"]["@value"] == consent.not_before
    assert said["dateTime", "lt"]["@value"] == consent.not_after
    assert said["purpose", "isAnyOf"] == [
        "http://terminology.hl7.org/CodeSystem/v3-ActReason#TREAT",
        "http://purl.obolibrary.org/obo/duo.owl#DUO:0000006",
    ]
    assert policy["permission"][0]["assignee"] == [
        "urn:consentry:recipient-class:ANY_MEMBER",
        "urn:consentry:msp:RiversideMSP",
    ]
    assert found(policy, "prohibition.action") == ["http://creativecommons.org/ns#CommercialUse"]
    assert "prohibition" not in consent_as_odrl(bare(restrictions=()))


@pytest.mark.parametrize("state", ["withdrawn", "expired", "entered-in-error"])
def test_a_consent_that_ended_permits_nothing(state: str) -> None:
    policy = consent_as_odrl(bare(state=state))
    check_agreement(policy)
    assert "permission" not in policy
    assert found(policy, "prohibition.action") == ["use"]


def test_every_condition_of_a_grant_is_a_constraint() -> None:
    conditions = Conditions(
        maximum_uses=3,
        persons=("riverside-1",),
        project_members_only=True,
        aggregate_output_only=True,
        countries=("IE", "DE"),
        publication_not_before=examples.END,
        columns=("age", "tumour stage"),
        data_categories=("measurements",),
    )
    policy = grant_as_odrl(examples.grant(conditions=conditions))
    check_agreement(policy)
    said = constraints(policy)
    assert said["count", "lteq"] == 3
    assert said["spatial", "isAnyOf"] == ["IE", "DE"]
    assert said["urn:consentry:odrl:column", "isAnyOf"] == ["age", "tumour stage"]
    assert said["urn:consentry:odrl:data-category", "isAnyOf"] == ["measurements"]
    assert said["recipient", "isAnyOf"] == ["urn:consentry:enrolment:riverside-1"]
    assert said["recipient", "isPartOf"] == "urn:consentry:project:heart"
    assert said["urn:consentry:odrl:output", "eq"] == "aggregate"
    assert said["urn:consentry:odrl:disease", "isAnyOf"] == ["MONDO:0005148"]
    commercial, publication = policy["prohibition"]
    assert commercial["action"] == "http://creativecommons.org/ns#CommercialUse"
    assert publication["action"] == "distribute"
    assert publication["constraint"][0]["rightOperand"]["@value"] == examples.END


def test_a_revoked_grant_permits_nothing() -> None:
    revoked = Grant.from_dict(examples.grant().to_dict() | {"state": "revoked", "revision": 2})
    policy = grant_as_odrl(revoked)
    check_agreement(policy)
    assert "permission" not in policy
    assert policy["dct:description"] == "the grant is revoked"
