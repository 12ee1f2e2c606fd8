"""Decisions as IHE BALP AuthZconsent: permits and denials, of a version and of one row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fhir.resources.auditevent import AuditEvent as AuditEventR5
from fhir.resources.R4B.auditevent import AuditEvent as AuditEventR4B
from support import rendering_examples as examples
from support.rendering_examples import ROWS, decided, denial, found, permit

from consentry.errors import InputRejected
from consentry.renderings import DecisionSource, decision_as_balp_r4b, decision_as_balp_r5
from consentry_records import AccessDecision

DECISIONS = {
    "permit": permit(),
    "denial": denial(),
    "emergency": permit(grant_id=None, emergency="LIFE_THREATENING", use=None),
}
# The slices of the profile (IHE BALP 1.1, AuthZconsent), each with the elements that it demands.
AGENTS = {
    "110150": ("who", "network"),
    "IRCP": ("who", "purposeOfUse"),
    "PROV": ("who",),
    "authserver": ("who",),
}


@pytest.mark.parametrize("name", DECISIONS)
@pytest.mark.parametrize("row", [2, None])
def test_the_library_reads_both_releases(name: str, row: int | None) -> None:
    source = decided(row=row, decision=DECISIONS[name])
    first = AuditEventR4B.model_validate_json(json.dumps(decision_as_balp_r4b(source)))
    second = AuditEventR5.model_validate_json(json.dumps(decision_as_balp_r5(source)))
    code = "8" if name == "denial" else "0"
    assert (first.outcome, second.outcome.code.code) == (code, code)
    assert first.outcomeDesc == second.outcome.detail[0].text
    assert first.recorded == second.recorded


@pytest.mark.parametrize("name", DECISIONS)
def test_every_element_of_the_profile_is_there(name: str) -> None:
    for row in (2, None):
        event = decision_as_balp_r4b(decided(row=row, decision=DECISIONS[name]))
        assert event["type"]["code"] == "110113"
        assert found(event, "AuditEvent.subtype.code") == ["AuthZ-Consent"]
        assert event["action"] == "E"
        agents = {found(agent, "type.coding.code")[0]: agent for agent in event["agent"]}
        assert set(agents) == set(AGENTS)
        for slice_, elements in AGENTS.items():
            assert set(elements) <= set(agents[slice_])
        assert [agents[one]["requestor"] for one in AGENTS] == [False, True, False, False]
        assert agents["authserver"]["who"] == event["source"]["observer"], (
            "the authorizer is the audit source"
        )
        patient, consent = event["entity"]
        assert (patient["type"]["code"], patient["role"]["code"]) == ("1", "1")
        assert consent["type"]["code"] == "Consent"
        assert all(entity["what"] for entity in event["entity"])


def test_a_denial_says_why_in_words_and_codes() -> None:
    event = decision_as_balp_r4b(decided(decision=denial()))
    assert event["outcomeDesc"].startswith("organization RiversideMSP has no grant on dataset version")
    details: dict[str, Any] = {d["type"]: d["valueString"] for d in event["entity"][1]["detail"]}
    assert details["reasons"] == "NO_GRANT"
    assert "policy" not in event["agent"][1]


def test_a_proved_row_names_its_subject_and_consent() -> None:
    event = decision_as_balp_r4b(decided(row=3))
    named = [found(entity, "what.identifier.value")[0] for entity in event["entity"]]
    assert named == [ROWS[3].commitment, ROWS[3].consent_id]
    whole = decision_as_balp_r4b(decided(row=None))
    assert "absent: the decision is on a dataset version" in found(whole, "AuditEvent.entity.what.display")[0]


def test_a_decision_of_the_first_release_lacks_its_root() -> None:
    old = permit(consent_root=None)
    for render in (decision_as_balp_r4b, decision_as_balp_r5):
        event = render(decided(row=None, decision=old))
        assert "absent: decisions of the first release name no consent root" in json.dumps(event)


def test_a_row_that_the_decision_did_not_rest_on_is_refused() -> None:
    other = AccessDecision.from_dict(permit().to_dict() | {"consent_root": examples.examples.digest("other")})
    with pytest.raises(InputRejected) as caught:
        decided(decision=other)
    assert caught.value.code == "ROW_NOT_PROVED"


def test_records_that_do_not_belong_together_are_refused() -> None:
    other = examples.examples.attempt(2)
    with pytest.raises(InputRejected) as caught:
        DecisionSource(attempt=other, decision=permit(), version=examples.version())
    assert caught.value.code == "RECORDS_DIFFER"
