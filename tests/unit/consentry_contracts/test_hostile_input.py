"""Hostile arguments get stable codes and write nothing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium, change, change_batch, consent_batch, consent_ids

from consentry_records import Consent, keys
from consentry_records.roles import ROLES

MEGABYTE = 2**20
PEOPLE = ["first", "second"]


@pytest.mark.parametrize(
    "argument",
    [
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'"' + b"x" * MEGABYTE + b'"',
        json.dumps(consent_batch(PEOPLE, examples.digest()).to_dict() | {"x" * MEGABYTE: 1}).encode(),
        json.dumps(
            consent_batch(PEOPLE, examples.digest()).to_dict() | {"custodian": "N" * MEGABYTE}
        ).encode(),
        json.dumps(
            consent_batch(PEOPLE, examples.digest()).to_dict()
            | {"subjects": [examples.commitment()] * 20_000}
        ).encode(),
        b'{"batch_id":1' + b"0" * 5_000 + b"}",
    ],
    ids=["brackets", "nesting", "text", "name", "field", "list", "number"],
)
async def test_large_and_deep_arguments_are_refused(consortium: Consortium, argument: bytes) -> None:
    call = consortium.submit(consortium.person("steward"), "consents:import_batch", argument)
    code = await consortium.refusal(call)
    assert code in {"ARGUMENT_INVALID", "FIELD_INVALID", "FIELD_UNKNOWN"}


@pytest.mark.parametrize(
    "wrong",
    [
        "consent-" + "0" * 31 + "０",  # a full-width zero
        "consеnt-" + "0" * 32,  # a Cyrillic letter
        "consent-" + "0" * 32 + "\u0301",
        "consent-" + "0" * 32 + "\x00",
        "consent-" + "0" * 32 + "/../epoch",
        "\u0000consent-" + "0" * 32,
        "consent/" + "0" * 32,
        "CONSENT-" + "0" * 32,
        " consent-" + "0" * 32,
        "",
    ],
)
async def test_ids_are_of_their_form_to_the_letter(consortium: Consortium, wrong: str) -> None:
    calls = [
        consortium.submit(consortium.person("dpo"), "consents:withdraw", wrong),
        consortium.evaluate(consortium.person("dpo"), "consents:get", [wrong]),
    ]
    for call in calls:
        assert await consortium.refusal(call) == "FIELD_INVALID"


async def test_roles_in_arguments_count_for_nothing(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    nobody = consortium.person("researcher")
    forged = change_batch([change(consent_ids(PEOPLE)[0])]).to_dict() | {"roles": list(ROLES)}
    call = consortium.submit(nobody, "consents:change", forged)
    assert await consortium.refusal(call) in {"ROLE_REQUIRED", "FIELD_UNKNOWN"}
    steward = consortium.person("steward")
    assert await consortium.refusal(consortium.submit(steward, "consents:change", forged)) == "FIELD_UNKNOWN"


async def test_back_dated_changes_are_refused(consortium: Consortium) -> None:
    (consent_id, _) = await consortium.import_consents(PEOPLE)
    early = consortium.ledger.time - timedelta(seconds=30)
    call = consortium.submit(
        consortium.person("dpo"), "consents:change", change_batch([change(consent_id)]), time=early
    )
    assert await consortium.refusal(call) == "PROPOSAL_TIME_TOO_EARLY"


async def test_a_change_that_was_endorsed_before_another_has_no_effect_after_it(
    consortium: Consortium,
) -> None:
    (consent_id, _) = await consortium.import_consents(PEOPLE)
    steward = consortium.person("steward")
    later = examples.terms(not_after="2026-09-30T00:00:00.000Z")
    renewal = change_batch([change(consent_id, "renewed", terms=later)])
    held = await consortium.ledger.endorse(steward, "consents:change", renewal)
    await consortium.submit(consortium.person("dpo"), "consents:withdraw", consent_id)
    assert consortium.ledger.commit([held])[0].code == "MVCC_READ_CONFLICT"
    assert consortium.record(Consent, keys.consent(consent_id)).state == "withdrawn"
