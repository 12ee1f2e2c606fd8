"""docs/renderings.md maps every field, and its tables are the code's."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support.rendering_examples import ISSUER, bare, decided, found, full, grant, standing
from support.rendering_tables import DOCUMENT, FORMATS, VOCABULARIES, filled

from consentry import renderings
from consentry.renderings.fields import CONSTANT, Field
from consentry.row_proofs import RowProof
from consentry_records import (
    AccessAttempt,
    AccessDecision,
    Consent,
    ConsentEvent,
    DatasetVersion,
    Grant,
    PrivateConsent,
)
from consentry_records.private_consent import PrivateChange
from consentry_records.record import field_names

SOURCES: dict[str, set[str]] = {
    "consent": set(field_names(Consent)),
    "event": set(field_names(ConsentEvent)),
    "private": set(field_names(PrivateConsent)),
    "change": set(field_names(PrivateChange)),
    "grant": set(field_names(Grant)),
    "attempt": set(field_names(AccessAttempt)),
    "decision": set(field_names(AccessDecision)),
    "version": set(field_names(DatasetVersion)),
    "row": set(RowProof.__slots__),
    "party": {field.name for field in fields(renderings.Party)},
    "issuer": {field.name for field in fields(renderings.VisaIssuer)} | {"key"},
    "standing": {field.name for field in fields(renderings.Standing)},
}
# What a format does not carry, and why.
NOT_CARRIED = {
    "consent.events": "is carried one by one",
    "consent.schema": "the record's digest stands for its form",
    "private.schema": "the record's digest stands for its form",
    "private.salt": "whoever has it can tell whose commitment it is",
    "grant.schema": "the record's digest stands for its form",
    "grant.revision": "counts the ledger's writes",
    "grant.renewals": "counts the ledger's writes",
    "grant.use_slots": "how the ledger keeps the maximum of uses",
    "grant.match": "how the request matched the dataset, not what was agreed",
    "attempt.schema": "the record's digest stands for its form",
    "attempt.custodian": "is the decision's",
    "attempt.session_id": "is the decision's",
    "attempt.emergency": "is the decision's",
    "decision.schema": "the record's digest stands for its form",
    "decision.attempt_id": "is the attempt's",
    "decision.purpose": "is the attempt's",
}
COMPLETE = {
    "fhir-r5": ("consent", "event", "private"),
    "fhir-r4b": ("consent", "event", "private"),
    "iso-27560": ("consent", "event", "private"),
    "odrl-consent": (),
    "odrl-grant": ("grant",),
    "balp-r4b": ("attempt", "decision"),
    "balp-r5": ("attempt", "decision"),
    "ga4gh-visa": (),
}


def visa() -> dict[str, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    token = renderings.sign_visa(renderings.visa_claims(decided(), standing(), ISSUER), key, ISSUER)
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
    return {**jwt.get_unverified_header(token), **claims}


RENDERED = {
    "fhir-r5": (renderings.consent_as_fhir_r5(full()), renderings.consent_as_fhir_r5(bare())),
    "fhir-r4b": (renderings.consent_as_fhir_r4b(full()), renderings.consent_as_fhir_r4b(bare())),
    "iso-27560": (renderings.consent_as_iso_27560(full()), renderings.consent_as_iso_27560(bare())),
    "odrl-consent": (renderings.consent_as_odrl(full()), renderings.consent_as_odrl(bare())),
    "odrl-grant": (renderings.grant_as_odrl(grant()),) * 2,
    "balp-r4b": (
        renderings.decision_as_balp_r4b(decided()),
        renderings.decision_as_balp_r4b(decided(row=None)),
    ),
    "balp-r5": (renderings.decision_as_balp_r5(decided()), renderings.decision_as_balp_r5(decided(row=None))),
    "ga4gh-visa": (visa(),) * 2,
}
ROWS = [(name, field) for name, rows in FORMATS.items() for field in rows]


def named(field: Field) -> list[tuple[str, str]]:
    parts = [one.strip() for one in field.source.split(",") if one.strip() and one.strip() != CONSTANT]
    return [(one.partition(".")[0], one.partition(".")[2]) for one in parts]


def test_the_documents_tables_are_the_codes() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert document == filled(document), "run: cd tests && ../.venv/bin/python -m support.rendering_tables"
    for name in (*FORMATS, *VOCABULARIES):
        assert document.count(f"<!-- table: {name} -->\n") == 1


@pytest.mark.parametrize(("name", "field"), ROWS, ids=lambda one: one if isinstance(one, str) else one.name)
def test_a_field_stands_where_the_table_says(name: str, field: Field) -> None:
    whole, public = RENDERED[name]
    assert found(whole, field.path), "a filled record renders it"
    for record, attribute in named(field):
        assert attribute in SOURCES[record]
    if field.required:
        assert found(public, field.path), "what is required is there, or its absence"


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_absence_is_given_the_reason_of_the_table(name: str) -> None:
    whole, public = (json.dumps(rendered) for rendered in RENDERED[name])
    for field in FORMATS[name]:
        lacks_always = not field.source
        # Only records of the first release lack these; other tests make such ones.
        if "first release" in field.otherwise or not field.otherwise:
            continue
        assert field.otherwise in public, field.name
        assert (field.otherwise in whole) == lacks_always, field.name


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_field_of_the_records_is_carried(name: str) -> None:
    carried = {one for field in FORMATS[name] for one in named(field)}
    for record in COMPLETE[name]:
        for attribute in SOURCES[record]:
            known = (record, attribute) in carried or f"{record}.{attribute}" in NOT_CARRIED
            assert known, f"{record}.{attribute}"
