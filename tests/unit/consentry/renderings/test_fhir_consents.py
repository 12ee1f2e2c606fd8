"""Consents as FHIR: what the library reads, the profile's fields, and what never leaves the custodian."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fhir.resources.bundle import Bundle as BundleR5
from fhir.resources.R4B.bundle import Bundle as BundleR4B
from support import rendering_examples as examples
from support.rendering_examples import SECRETS, bare, found, full

from consentry.renderings import ConsentSource, consent_as_fhir_r4b, consent_as_fhir_r5
from consentry_records.instants import shift

BOTH = pytest.mark.parametrize(
    ("render", "bundle"), [(consent_as_fhir_r5, BundleR5), (consent_as_fhir_r4b, BundleR4B)]
)
Render = Callable[[ConsentSource], dict[str, Any]]
# IHE PCF 1.1, rule set FoundationConsent (references/standards.md §1).
PCF = [
    "status",
    "scope",
    "category",
    "patient",
    "dateTime",
    "performer",
    "organization",
    "sourceReference",
    "policy.uri",
    "provision.type",
]


@BOTH
@pytest.mark.parametrize("source", [full(), bare()], ids=["private", "public"])
@pytest.mark.parametrize("state", ["given", "withdrawn", "expired", "entered-in-error"])
def test_the_library_reads_every_consent(
    render: Render, bundle: Any, source: ConsentSource, state: str
) -> None:
    consent = examples.consent(state=state, restrictions=())
    rendered = render(ConsentSource(consent=consent, private=source.private, parties=source.parties))
    read = bundle.model_validate_json(json.dumps(rendered))
    first, *events = (entry.resource for entry in read.entry)
    expected = {"given": "active", "entered-in-error": "entered-in-error"}
    assert first.status == expected.get(state, "inactive")
    assert [event.activity.coding[0].code for event in events] == ["given", "narrowed"]


@BOTH
def test_the_terms_are_those_of_the_record(render: Render, bundle: Any) -> None:
    consent, rendered = full().consent, render(full())
    (period,) = found(rendered, "Consent.provision.period")
    assert (period["start"], period["end"]) == (consent.not_before, shift(consent.not_after, -1))
    purposes = [
        coding["code"] for codings in found(rendered, "Consent.provision.purpose") for coding in codings
    ]
    assert purposes == list(consent.purposes)
    named = [
        found(actor, "reference.identifier.value") for actor in found(rendered, "Consent.provision.actor")
    ]
    assert named == [list(consent.recipients)]
    assert found(rendered, "Consent.provision.securityLabel.code") == ["DUO:0000046"]
    assert found(rendered, "Provenance.recorded") == [event.recorded_at for event in consent.events]
    assert found(rendered, "Provenance.occurredDateTime") == [consent.events[0].claimed_at]


@BOTH
def test_a_guardian_declares_with_a_mandate_and_the_subject_for_itself(render: Render, bundle: Any) -> None:
    guardian = render(full())
    who = "Consent.grantor.reference" if bundle is BundleR5 else "Consent.performer.reference"
    assert found(guardian, who) == ["#declarer"]
    assert found(guardian, "Consent.contained.relationship.coding.code") == ["GUARD"]
    own = examples.private(declared_by="subject", mandate_digest=None)
    subject = render(ConsentSource(consent=examples.consent(), private=own))
    assert found(subject, who) == ["#subject"]
    proxy = examples.private(declared_by="proxy")
    rendered = render(ConsentSource(consent=examples.consent(), private=proxy))
    assert found(rendered, "Consent.contained.relationship.coding.code") == ["HPOWATT"]


@BOTH
def test_nothing_private_leaves_the_custodian(render: Render, bundle: Any) -> None:
    public = json.dumps(render(bare()))
    for secret in (*SECRETS, "paper form", "2026-1", "portal", "Northgate Hospital"):
        assert secret not in public
    assert examples.consent().subject in public
    assert "kept by the custodian in its own collection" in public
    private = json.dumps(render(full()))
    assert SECRETS[0] in private
    assert SECRETS[1] not in private, "a salt is in no rendering"


def test_every_field_of_the_profile_is_there() -> None:
    for rendered in (consent_as_fhir_r4b(full()), consent_as_fhir_r4b(bare())):
        for field in PCF:
            assert found(rendered, f"Consent.{field}"), field
        (resource,) = (e["resource"] for e in rendered["entry"] if e["resource"]["resourceType"] == "Consent")
        assert len(resource["identifier"]) == 1
        assert not {"verification", "policyRule"} & set(resource)
        assert not {"action", "class", "code"} & set(resource["provision"])
        assert found(rendered, "Consent.provision.actor.role.coding.code") == ["IRCP", "IRCP"]


def test_records_of_the_first_release_name_nobody_and_say_so() -> None:
    given = examples.examples.event(recorded_by=None, batch_id=None)
    rendered = consent_as_fhir_r5(bare(events=(given,)))
    assert found(rendered, "Provenance.agent.who.display") == [
        "absent: records of the first release name nobody"
    ]
    BundleR5.model_validate_json(json.dumps(rendered))


@BOTH
def test_what_the_notice_said_is_in_extensions(render: Render, bundle: Any) -> None:
    def said(**changes: Any) -> list[tuple[str, str]]:
        source = ConsentSource(consent=examples.consent(), private=examples.private(**changes))
        rendered = render(source)
        bundle.model_validate_json(json.dumps(rendered))
        (extensions,) = found(rendered, "Consent.extension")
        return [
            (one["url"].rpartition(":")[2], one["valueString"]) for one in extensions if "valueString" in one
        ]

    stated = said(optional_categories=("imaging",), geographic_restrictions=())
    assert {("processing-method", "collect"), ("processing-location", "FR")} <= set(stated)
    assert {("geographic-restriction", "none"), ("optional-category", "imaging")} <= set(stated)
    names = {name for name, _ in said(optional_categories=None, geographic_restrictions=None)}
    assert not names & {"geographic-restriction", "optional-category"}
