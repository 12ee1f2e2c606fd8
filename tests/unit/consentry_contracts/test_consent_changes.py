"""Renewal, narrowing, withdrawal in bulk, expiry and error, and the opt-out register."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium, change, change_batch, consent_ids
from support.ledger_examples import NORTHGATE, RIVERSIDE, identifier

from consentry_records import Consent, OptOut, OptOutBatch, SubjectConsents, keys

PEOPLE = ["first", "second", "third"]
IDS = consent_ids(PEOPLE)
LATER = "2026-09-30T00:00:00.000Z"


async def permitted(consortium: Consortium, purpose: str = "DUO:0000006") -> list[bool]:
    query = {
        "subjects": [examples.commitment(name) for name in PEOPLE],
        "purpose": purpose,
        "commercial": False,
        "recipient": RIVERSIDE,
    }
    answer = await consortium.evaluate(consortium.person("researcher"), "consents:permitted", query)
    return [consent is not None for consent in answer["permitted"]]


def consent(consortium: Consortium, number: int = 0) -> Consent:
    found: Consent = consortium.record(Consent, keys.consent(IDS[number]))
    return found


async def test_many_withdrawals_are_one_transaction(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    document = change_batch([change(name, claimed_at=examples.START) for name in IDS[:2]])
    result = await consortium.submit(consortium.person("dpo"), "consents:change", document)
    assert await permitted(consortium) == [False, False, True]
    assert consortium.ledger.state(keys.epoch(NORTHGATE)) == result.transaction_id.encode()
    event = consent(consortium).events[-1]
    assert (event.event, event.claimed_at) == ("withdrawn", examples.START)
    assert event.recorded_by == consortium.name("dpo")
    again = consortium.submit(consortium.person("dpo"), "consents:change", document)
    assert await consortium.refusal(again) == "BATCH_EXISTS"


async def test_a_batch_is_recorded_as_a_whole_or_not_at_all(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    await consortium.submit(consortium.person("dpo"), "consents:withdraw", IDS[2])
    call = consortium.submit(
        consortium.person("dpo"), "consents:change", change_batch([change(name) for name in IDS])
    )
    assert await consortium.refusal(call) == "CONSENT_ALREADY_WITHDRAWN"
    assert await permitted(consortium) == [True, True, False]


async def test_a_renewal_ends_later_and_keeps_what_it_replaced(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    terms = examples.terms(not_after=LATER, notice_digest=examples.digest("newer notice"))
    document = change_batch([change(IDS[0], "renewed", terms=terms)])
    await consortium.submit(consortium.person("steward"), "consents:change", document)
    renewed = consent(consortium)
    assert (renewed.state, renewed.terms) == ("given", terms)
    assert renewed.events[-1].replaced == examples.terms()
    assert consortium.ledger.state(keys.epoch(NORTHGATE)) is None


async def test_a_narrowing_counts_at_the_next_question(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    terms = examples.terms(purposes=("TREAT",), recipients=(RIVERSIDE,))
    document = change_batch([change(IDS[0], "narrowed", terms=terms)])
    await consortium.submit(consortium.person("steward"), "consents:change", document)
    assert await permitted(consortium) == [False, True, True]
    assert await permitted(consortium, "TREAT") == [True, True, True]
    assert consortium.ledger.state(keys.epoch(NORTHGATE)) is not None


async def test_how_a_change_came_about_is_in_the_custodians_collection(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    early = change_batch([change(IDS[0])], private_entry_digest=examples.digest())
    call = consortium.submit(consortium.person("dpo"), "consents:change", early)
    assert await consortium.refusal(call) == "BATCH_PRIVATE_ENTRY_MISSING"
    stored = await consortium.store_private(PEOPLE[:1], batch=100)
    document = change_batch([change(IDS[0])], private_entry_digest=stored)
    await consortium.submit(consortium.person("dpo"), "consents:change", document)
    assert consent(consortium).events[-1].batch_id == identifier("batch", 100)


async def test_expiry_is_recorded_once_the_period_is_over(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE, not_after=consortium.instant(60))
    document = change_batch([change(name, "expired") for name in IDS])
    steward = consortium.person("steward")
    early = consortium.submit(steward, "consents:change", document)
    assert await consortium.refusal(early) == "CONSENT_NOT_LAPSED"
    consortium.ledger.advance(timedelta(seconds=63))
    renewal = change(IDS[0], "renewed", terms=examples.terms(not_after=LATER))
    late = consortium.submit(steward, "consents:change", change_batch([renewal]))
    assert await consortium.refusal(late) == "CONSENT_LAPSED"
    await consortium.submit(steward, "consents:change", document)
    assert consent(consortium).state == "expired"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([change(identifier("consent", 9))], "CONSENT_NOT_FOUND"),
        ([change(IDS[0], claimed_at="2027-01-01T00:00:00.000Z")], "CLAIMED_TOO_LATE"),
        ([change(IDS[0], "narrowed", terms=examples.terms())], "CONSENT_UNCHANGED"),
        ([change(IDS[0], "narrowed", terms=examples.terms(not_after=LATER))], "CONSENT_WIDENED"),
        ([change(IDS[0], "renewed", terms=examples.terms())], "CONSENT_WIDENED"),
    ],
)
async def test_changes_that_are_refused(consortium: Consortium, changes: list[Any], code: str) -> None:
    await consortium.import_consents(PEOPLE)
    call = consortium.submit(consortium.person("steward"), "consents:change", change_batch(changes))
    assert await consortium.refusal(call) == code


async def test_changes_are_the_custodians_own(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    stranger = consortium.person("dpo", RIVERSIDE)
    for custodian in (NORTHGATE, RIVERSIDE):
        document = change_batch([change(IDS[0])], custodian=custodian)
        call = consortium.submit(stranger, "consents:change", document)
        assert await consortium.refusal(call) == "NOT_CUSTODIAN"


def opt_outs(*entries: tuple[str, bool], batch: int = 200, custodian: str = NORTHGATE) -> OptOutBatch:
    return OptOutBatch(
        batch_id=identifier("batch", batch),
        custodian=custodian,
        entries=tuple(
            OptOut(subject=examples.commitment(name), opted_out=out, claimed_at=None) for name, out in entries
        ),
    )


async def test_an_opt_out_ends_secondary_use_whatever_was_consented_to(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    dpo = consortium.person("dpo")
    await consortium.submit(dpo, "subjects:opt_out", opt_outs(("first", True), ("never seen", True)))
    assert await permitted(consortium) == [False, True, True]
    assert await permitted(consortium, "TREAT") == [True, True, True]
    assert consortium.ledger.state(keys.epoch(NORTHGATE)) is not None
    await consortium.import_consents(["first", "never seen"], batch=2)
    assert await permitted(consortium) == [False, True, True]
    await consortium.submit(dpo, "subjects:opt_out", opt_outs(("first", False), batch=201))
    assert await permitted(consortium) == [True, True, True]
    unseen = consortium.record(SubjectConsents, keys.subject(examples.commitment("never seen")))
    assert (len(unseen.consents), [limit.kind for limit in unseen.limits]) == (1, ["opt-out"])
    again = consortium.submit(dpo, "subjects:opt_out", opt_outs(("second", True)))
    assert await consortium.refusal(again) == "BATCH_EXISTS"


async def test_opting_out_twice_is_one_limit(consortium: Consortium) -> None:
    dpo = consortium.person("dpo")
    for batch in (200, 201):
        await consortium.submit(dpo, "subjects:opt_out", opt_outs(("first", True), batch=batch))
    answer = await consortium.evaluate(dpo, "subjects:get", [examples.commitment("first")])
    assert len(answer[0]["limits"]) == 1
    unknown = consortium.evaluate(dpo, "subjects:get", [examples.commitment("nobody")])
    assert await consortium.refusal(unknown) == "SUBJECT_NOT_FOUND"


async def test_nobody_opts_out_for_another_custodian(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    stranger = consortium.person("dpo", RIVERSIDE)
    for custodian in (NORTHGATE, RIVERSIDE):
        document = opt_outs(("first", True), custodian=custodian)
        call = consortium.submit(stranger, "subjects:opt_out", document)
        assert await consortium.refusal(call) == "NOT_CUSTODIAN"
