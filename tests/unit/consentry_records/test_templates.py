"""Records filled in from a template have the bytes that they have when they are made one by one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ledger_examples as examples

from consentry_records import PrivateConsent
from consentry_records.identifiers import consent_identifiers, first_consent_identifiers
from consentry_records.templates import Template

PRIVATE = {
    "pseudonym": "(pseudonym)",
    "salt": "0" * 64,
    "notice_version": "2025-1",
    "evidence_digest": examples.digest(),
    "method": 'a form, with "pseudonym":"(pseudonym)" on it',
    "language": "en",
    "jurisdiction": "DE",
    "withdrawal_method": None,
    "declared_by": "subject",
    "mandate_digest": None,
}


@given(st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=40))
def test_a_filled_template_is_the_record(pseudonym: str) -> None:
    template = Template(PrivateConsent(**PRIVATE), {"salt": "0" * 64, "pseudonym": "(pseudonym)"})
    filled = template.fill(f'"{"1" * 64}"', json.dumps(pseudonym, ensure_ascii=False))
    assert filled == PrivateConsent(**{**PRIVATE, "pseudonym": pseudonym, "salt": "1" * 64}).to_bytes()


def test_a_gap_that_is_not_there_once_is_refused() -> None:
    for gaps in ({"salt": "1" * 64}, {"nothing": None}):
        with pytest.raises(ValueError, match="does not stand"):
            Template(PrivateConsent(**PRIVATE), gaps)
    doubled = examples.consent(events=(examples.event(), examples.event()))
    with pytest.raises(ValueError, match="does not stand"):
        Template(doubled, {"claimed_at": None})


def test_ids_of_a_batch_follow_from_its_id_and_differ() -> None:
    first = consent_identifiers(examples.identifier("batch", 1), 1000)
    assert first[:3] == consent_identifiers(examples.identifier("batch", 1), 3)
    assert first[0] == "consent-74eaf4d0a123193b16ea40fa94400000"
    assert first[-1] == "consent-74eaf4d0a123193b16ea40fa944003e7"
    assert first == sorted(first)
    assert len({*first, *consent_identifiers(examples.identifier("batch", 2), 1000)}) == 2000


def test_ids_of_the_first_release_stay_what_they_were() -> None:
    first = first_consent_identifiers(examples.identifier("batch", 1), 1000)
    assert first[0] == "consent-779708dabdfbe45338c1707d94379d56"
    assert len({*first, *first_consent_identifiers(examples.identifier("batch", 2), 1000)}) == 2000
