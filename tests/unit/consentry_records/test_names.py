"""Identifiers, keys, roles, events, reasons."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ledger_examples as examples
from support import record_documents

from consentry_records import FieldError, LedgerError, Reason, keys
from consentry_records.canonical import decode
from consentry_records.events import ACCESS_DECIDED, EVENTS, event_payload, read_event
from consentry_records.identifiers import KINDS, format_identifier, identifier_pattern
from consentry_records.reasons import CATALOGUE, words
from consentry_records.roles import ROLES, parse_roles


@pytest.mark.parametrize("kind", KINDS)
def test_ids_name_their_kind(kind: str) -> None:
    assert format_identifier(kind, bytes(16)) == f"{kind}-{'0' * 32}"
    assert identifier_pattern(kind).fullmatch(format_identifier(kind, b"\xff" * 16))


def test_other_kinds_and_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        format_identifier("patient", bytes(16))
    with pytest.raises(ValueError, match="kind"):
        identifier_pattern("patient")
    with pytest.raises(ValueError, match="16 random bytes"):
        format_identifier("grant", bytes(15))


def made_keys() -> dict[str, str]:
    return {
        "settings": keys.SETTINGS,
        "settings-vote/{digest, hex}/{MSP id}": keys.settings_vote("X", "X"),
        "consent/{consent_id}": keys.consent("X"),
        "subject/{commitment}": keys.subject("X"),
        "batch/{batch_id}": keys.batch("X"),
        "dataset/{dataset_id}": keys.dataset("X"),
        "dataset-name/{MSP id}/{name}": keys.dataset_name("X", "X"),
        "dataset-number/{dataset_id}/{number:06d}": keys.dataset_number("X", 7),
        "version/{version_id}": keys.version("X"),
        "removed/{version_id}": keys.removed("X"),
        "request/{request_id}": keys.request("X"),
        "grant/{grant_id}": keys.grant("X"),
        "suspension/{grant_id}": keys.suspension("X"),
        "use/{grant_id}/{number:06d}": keys.use("X", 7),
        "review/{request_id}/{MSP id}/{enrolment id}": keys.review("X", "X", "X"),
        "review-policy/{MSP id}": keys.review_policy("X"),
        "emergency/{attempt_id}": keys.emergency("X"),
        "attempt/{attempt_id}": keys.attempt("X"),
        "decision/{attempt_id}": keys.decision("X"),
        "delivery/{attempt_id}/{number:06d}": keys.delivery("X", 7),
        "epoch/{MSP id}": keys.epoch("X"),
        "function/{MSP id}/{digest, hex}": keys.function("X", "sha256:X"),
        "function-approval/{custodian's MSP id}/{owner's MSP id}/{digest, hex}": keys.function_approval(
            "X", "X", "sha256:X"
        ),
        "session/{session_id}": keys.session("X"),
        "round/{session_id}/{number:06d}": keys.training_round("X", 7),
        "statement/{session_id}/{number:06d}": keys.training_statement("X", 7),
        "model/{model_id}": keys.model("X"),
        "model-name/{MSP id}/{name}": keys.model_name("X", "X"),
        "modelversion/{model_version_id}": keys.model_version("X"),
        "stage/{model_version_id}": keys.stage("X"),
        "production/{model_id}": keys.production("X"),
        "rights/{rights_request_id}": keys.rights("X"),
        "breach/{breach_id}": keys.breach("X"),
        "trailread/{trail_read_id}": keys.trail_read("X"),
        "closed-epoch/{MSP id}/{number:06d}": keys.closed_epoch("X", 7),
    }


def test_keys_have_the_form_of_the_layout() -> None:
    assert list(made_keys()) == list(keys.LAYOUT)
    for form, key in made_keys().items():
        assert key == re.sub(r"\{[^}]*\}", "X", form.replace("{number:06d}", "000007"))


def test_a_grant_is_found_by_version_and_grantee() -> None:
    assert keys.grant_index("v", "A", "g") == "\x00grant-by-version-and-grantee\x00v\x00A\x00g\x00"
    assert keys.collection("NorthgateMSP") == "custodian-NorthgateMSP"


@pytest.mark.parametrize(
    ("attribute", "roles"),
    [
        (None, ()),
        ("", ()),
        ("researcher", ("researcher",)),
        ("steward,dpo", ("dpo", "steward")),
        ("researcher,researcher", ("researcher",)),
        ("Researcher", ()),
        (" researcher", ()),
        ("rеsearcher", ()),
        ("researcher;steward", ()),
        ("admin,researcher", ("researcher",)),
    ],
)
def test_roles_are_exact(attribute: str | None, roles: tuple[str, ...]) -> None:
    assert parse_roles(attribute) == roles


@given(st.text())
def test_any_attribute_gives_known_roles_only(attribute: str) -> None:
    assert set(parse_roles(attribute)) <= set(ROLES)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_events_carry_exactly_their_fields(name: str) -> None:
    fields = dict.fromkeys(EVENTS[name], "x")
    assert re.fullmatch(r"[A-Z][A-Za-z]*\.v1", name)
    assert read_event(name, event_payload(name, fields)) == fields
    with pytest.raises(ValueError, match="carries"):
        event_payload(name, {**fields, "more": "x"})


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("Unknown.v1", b"{}"),
        (ACCESS_DECIDED, b"{}"),
        (ACCESS_DECIDED, b"[]"),
        (ACCESS_DECIDED, b'{"attempt_id":"a","custodian":null,"outcome":"permit"}'),
        (ACCESS_DECIDED, b"\xff"),
    ],
)
def test_other_payloads_are_no_events(name: str, payload: bytes) -> None:
    with pytest.raises(LedgerError) as caught:
        read_event(name, payload)
    assert caught.value.code == "JSON_INVALID"


@pytest.mark.parametrize("code", sorted(CATALOGUE))
@given(data=st.data())
def test_reasons_have_words_for_their_parameters(code: str, data: st.DataObject) -> None:
    parameters = {
        name: data.draw(record_documents.values(kind)) for name, kind in CATALOGUE[code].parameters.items()
    }
    reason = Reason(code=code, parameters=parameters)
    assert all(str(value) in words(reason) for value in parameters.values())
    assert Reason.from_dict(decode(reason.to_bytes())) == reason


@pytest.mark.parametrize(
    "document",
    [
        {"code": "NO_SUCH", "parameters": {}},
        {"code": "GRANT_REVOKED", "parameters": {}},
        {"code": "GRANT_REVOKED", "parameters": {"grant_id": "Jane"}},
        {"code": "GRANT_REVOKED", "parameters": {"grant_id": examples.identifier("grant"), "more": "x"}},
        {"code": "GRANT_REVOKED", "parameters": []},
    ],
)
def test_other_reasons_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as caught:
        Reason.from_dict(document)
    assert "Jane" not in str(caught.value)
