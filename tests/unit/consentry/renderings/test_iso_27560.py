"""Consents as TS 27560 records: every field is there, with a value or with the reason why not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from support import ledger_examples
from support import rendering_examples as examples
from support.rendering_examples import PARTIES, SECRETS, bare, found, full

from consentry.renderings import ConsentSource, consent_as_iso_27560
from consentry.renderings.iso_27560_fields import FIELDS
from consentry.renderings.names import digest_uri
from consentry.renderings.special_categories import special_categories

# references/standards.md §1: mandatory in ISO, then mandatory under GDPR.
MANDATORY = [
    "schema_version",
    "record_id",
    "pii_principal_id",
    "privacy_notice",
    "language",
    "purpose",
    "pii_information",
    "pii_type",
    "pii_controllers",
    "storage_locations",
    "retention_period",
    "jurisdiction",
    "recipient_third_parties",
    "withdrawal_method",
]
PARTY = [f"party {name}" for name in ("id", "name", "address", "contact", "type")]
EVENT = [f"event {name}" for name in ("time", "validity_duration", "entity_id", "type", "state")]
GDPR = [
    "lawful_basis",
    "collection_method",
    "processing_method",
    "processing_location",
    "geographic_restrictions",
    "privacy_rights",
    "authority_party",
    "pii_optional",
    "special_pii_category",
    "party_role",
]


def test_every_mandatory_field_is_mapped() -> None:
    required = {field.name for field in FIELDS if field.required}
    assert required == {*MANDATORY, *PARTY, *EVENT, *GDPR}


@pytest.mark.parametrize("source", [full(), bare()], ids=["private", "public"])
@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_field_has_a_value_or_a_reason(source: ConsentSource, field: Any) -> None:
    values = found(consent_as_iso_27560(source), field.path)
    assert values
    assert all(value not in (None, "", [], {}) for value in values)


def test_nothing_is_absent_that_the_custodian_has() -> None:
    text = json.dumps(consent_as_iso_27560(full()))
    assert "kept by the custodian" not in text
    assert found(consent_as_iso_27560(full()), "dpv:hasProcess.dpv:hasStorageCondition.dpv:hasLocation") == [
        ["IE", "DE-BY"]
    ]
    assert found(consent_as_iso_27560(full()), "dpv:hasEntity.dpv:hasName") == [
        party.name for party in PARTIES.values()
    ]


def test_nothing_private_leaves_the_custodian() -> None:
    public = json.dumps(consent_as_iso_27560(bare()))
    for secret in (*SECRETS, "paper form", "2026-1", "portal", "IE", examples.private().evidence_digest):
        assert f'"{secret}"' not in public
    assert "absent: kept by the custodian in its own collection" in public
    assert SECRETS[1] not in json.dumps(consent_as_iso_27560(full()))


def test_how_and_where_data_are_processed_is_rendered() -> None:
    rendered = consent_as_iso_27560(full())
    process = "dpv:hasProcess"
    assert found(rendered, f"{process}.dpv:hasProcessing.@type") == [
        "dpv:Collect",
        "dpv:AutomatedDecisionMaking",
        "dpv:Destruct",
    ]
    assert found(rendered, f"{process}.dpv:hasLocation") == [["IE", "FR"]]
    assert found(rendered, f"{process}.dpv:hasRule.dpv:hasLocation") == [["EEA", "CH"]]


def test_that_there_are_none_is_not_that_nobody_said() -> None:
    path = "dpv:hasProcess.dpv:hasRule.dpv:hasLocation.dct:description"
    for restrictions, said in (((), "none: the subject agreed"), (None, "absent: the custodian's entry")):
        private = examples.private(geographic_restrictions=restrictions)
        (text,) = found(
            consent_as_iso_27560(ConsentSource(consent=examples.consent(), private=private)), path
        )
        assert text.startswith(said)


def test_each_category_is_optional_or_required() -> None:
    consent = examples.consent(categories=("imaging", "genome-variants"))
    source = ConsentSource(
        consent=consent, private=examples.private(optional_categories=("genome-variants",))
    )
    data = consent_as_iso_27560(source)["dpv:hasProcess"]["dpv:hasPersonalData"]
    assert [one["dpv:hasNecessity"] for one in data] == ["dpv:Required", "dpv:Optional"]
    assert [len(one["dct:title"]) for one in data] == [1, 2]
    assert all("dpv:SpecialCategoryPersonalData" in one["@type"] for one in data)


@pytest.mark.parametrize(
    ("category", "special"),
    [
        ("imaging", ("health",)),
        ("contact", ("health",)),
        ("whole-genome", ("health", "genetic")),
        ("ethnicity", ("health", "origin")),
        ("sexual-health", ("health", "sex")),
        ("generation", ("health",)),
        ("reunion-notes", ("health",)),
    ],
)
def test_special_categories_follow_from_whole_words(category: str, special: tuple[str, ...]) -> None:
    assert special_categories(category) == special


def test_what_the_custodian_did_not_write_down_is_said() -> None:
    unstated = examples.private(
        jurisdiction=None,
        consent_type=None,
        storage_locations=(),
        retained_until=None,
        withdrawal_method=None,
        processing_methods=(),
        processing_locations=(),
        geographic_restrictions=None,
        optional_categories=None,
    )
    rendered = consent_as_iso_27560(ConsentSource(consent=examples.consent(), private=unstated))
    missing = {"dct:description": "absent: the custodian's entry does not state it"}
    assert rendered["dpv:hasJurisdiction"] == missing
    assert rendered["dpv:hasConsentControl"]["dpv:isExercisedAt"] == missing
    assert found(rendered, "dpv:hasProcess.dpv:hasStorageCondition.dct:valid") == [missing]
    for path in (
        "hasProcessing",
        "hasLocation",
        "hasRule.dpv:hasLocation",
        "hasPersonalData.dpv:hasNecessity",
    ):
        places = found(rendered, f"dpv:hasProcess.dpv:{path}")
        assert places
        assert all(place == missing for place in places), path
    assert "how clearly it was expressed" in rendered["dpv:hasLegalBasis"]["dct:description"]


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("withdrawn", "dpv:ConsentWithdrawn"),
        ("expired", "dpv:ConsentExpired"),
        ("entered-in-error", "dpv:ConsentInvalidated"),
    ],
)
def test_events_are_a_history_of_states(event: str, status: str) -> None:
    events = (examples.examples.event(), examples.examples.event(event, recorded_at=examples.MIDDLE))
    rendered = consent_as_iso_27560(full(state=event, events=events))
    assert [one["@type"] for one in rendered["dpv:hasConsentStatus"]] == ["dpv:ConsentGiven", status]
    assert found(rendered, "dpv:hasConsentStatus.dct:created")[-1] == examples.MIDDLE


def test_each_event_has_the_period_that_held_after_it() -> None:
    before = examples.examples.terms(not_after="2030-01-01T00:00:00.000Z")
    events = (
        examples.examples.event(),
        examples.examples.event("narrowed", recorded_at=examples.MIDDLE, replaced=before),
    )
    rendered = consent_as_iso_27560(bare(events=events))
    ends = found(rendered, "dpv:hasConsentStatus.dpv:hasDuration.dct:valid.odrl:lt")
    assert ends == ["2030-01-01T00:00:00.000Z", examples.END]


def test_each_event_names_who_declared_it_where_that_was_kept() -> None:
    given, narrowed = consent_as_iso_27560(full())["dpv:hasConsentStatus"]
    assert given["dpv:isIndicatedBy"]["@type"] == "dpv:GuardianOfDataSubject"
    by_proxy = narrowed["dpv:isIndicatedBy"]
    assert (by_proxy["@type"], by_proxy["dct:source"]) == (
        "dpv:Representative",
        digest_uri(ledger_examples.digest("power of attorney")),
    )
    own = {examples.CHANGE: examples.change(declared_by="subject", mandate_digest=None)}
    _, narrowed = consent_as_iso_27560(replace(full(), changes=own))["dpv:hasConsentStatus"]
    assert narrowed["dpv:isIndicatedBy"] == {"@type": "dpv:DataSubject"}
    _, narrowed = consent_as_iso_27560(replace(full(), changes={}))["dpv:hasConsentStatus"]
    assert "without saying who" in str(narrowed["dpv:isIndicatedBy"])
    _, narrowed = consent_as_iso_27560(bare())["dpv:hasConsentStatus"]
    assert "power of attorney" not in str(narrowed)
    assert "@type" not in narrowed["dpv:isIndicatedBy"]
