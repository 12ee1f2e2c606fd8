"""Import of consents, withdrawal, and who consents to what now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium, consent_batch
from support.ledger_examples import LAKESIDE, NORTHGATE, RIVERSIDE, identifier

from consentry_records import Consent, ImportedBatch, PrivateBatch, SubjectConsents, keys
from consentry_records.digest import sha256_digest
from consentry_records.private_entries import encode_entries, private_batch, private_entry

CONSENTS = [examples.new_consent(number) for number in range(1, 4)]
ENTRIES = [private_entry(consent.subject, consent.consent_id, b"encrypted") for consent in CONSENTS]
COLLECTION = keys.collection(NORTHGATE)


async def test_an_import_writes_every_consent_and_its_subject(consortium: Consortium) -> None:
    result = await consortium.import_consents(CONSENTS)
    for new in CONSENTS:
        recorded = consortium.record(Consent, keys.consent(new.consent_id))
        assert recorded.to_dict() == new.to_dict() | {
            "custodian": NORTHGATE,
            "state": "given",
            "recorded_at": recorded.recorded_at,
            "withdrawn_at": None,
            "schema": "consentry.consent/1",
        }
        subject = consortium.record(SubjectConsents, keys.subject(new.subject))
        assert subject.consents == (new.consent_id,)
    batch = consortium.record(ImportedBatch, keys.batch(identifier("batch")))
    assert batch.count == 3
    assert result.event is not None
    assert result.event.name == "BatchImported.v1"


async def test_the_private_transaction_writes_the_custodians_collection_and_nothing_else(
    consortium: Consortium,
) -> None:
    before = consortium.ledger.states()
    batch = private_batch(identifier("batch"), ENTRIES)
    transient = {"entries": encode_entries(ENTRIES), "batch": batch.to_bytes()}
    steward = consortium.person("steward")
    result = await consortium.submit(steward, "consents:store_private", transient=transient)
    assert result.endorsers == (NORTHGATE,)
    assert consortium.ledger.states() == before
    for entry in ENTRIES:
        assert consortium.ledger.private(NORTHGATE, COLLECTION, entry.key) == b"encrypted"
        assert consortium.ledger.private(RIVERSIDE, COLLECTION, entry.key) is None
    assert consortium.ledger.private(NORTHGATE, COLLECTION, keys.batch(batch.batch_id)) == batch.to_bytes()
    block = consortium.ledger.blocks[-1].SerializeToString()
    assert b"encrypted" not in block
    assert ENTRIES[0].key.encode() not in block


@pytest.mark.parametrize(
    ("transient", "code"),
    [
        ({"entries": b"[]", "batch": b"{}"}, "TOO_LARGE"),
        ({"entries": encode_entries(ENTRIES), "batch": b"{}"}, "FIELD_MISSING"),
        ({"entries": encode_entries(ENTRIES), "batch": b"{"}, "JSON_INVALID"),
        (
            {
                "entries": encode_entries(ENTRIES),
                "batch": b" " + private_batch(identifier("batch"), ENTRIES).to_bytes(),
            },
            "BATCH_NOT_CANONICAL",
        ),
        (
            {
                "entries": encode_entries(ENTRIES[:2]),
                "batch": private_batch(identifier("batch"), ENTRIES).to_bytes(),
            },
            "BATCH_COUNT_DIFFERS",
        ),
        (
            {
                "entries": encode_entries(ENTRIES),
                "batch": PrivateBatch(
                    batch_id=identifier("batch"), count=3, root=examples.digest()
                ).to_bytes(),
            },
            "BATCH_ROOT_DIFFERS",
        ),
    ],
)
async def test_private_entries_that_do_not_fit_are_refused(
    consortium: Consortium, transient: dict[str, bytes], code: str
) -> None:
    call = consortium.submit(consortium.person("steward"), "consents:store_private", transient=transient)
    assert await consortium.refusal(call) == code
    assert consortium.ledger.private_keys(NORTHGATE, COLLECTION) == []


async def test_private_entries_are_never_overwritten(consortium: Consortium) -> None:
    await consortium.store_private(ENTRIES)
    assert await consortium.refusal(consortium.store_private(ENTRIES[:1])) == "BATCH_EXISTS"
    assert await consortium.refusal(consortium.store_private(ENTRIES[:1], batch=2)) == "PRIVATE_ENTRY_EXISTS"


async def test_an_import_needs_its_private_entries_first(consortium: Consortium) -> None:
    steward = consortium.person("steward")
    early = consent_batch(CONSENTS, sha256_digest(private_batch(identifier("batch"), ENTRIES).to_bytes()))
    call = consortium.submit(steward, "consents:import_batch", early)
    assert await consortium.refusal(call) == "BATCH_PRIVATE_ENTRY_MISSING"
    await consortium.store_private(ENTRIES)
    other = consortium.submit(steward, "consents:import_batch", consent_batch(CONSENTS, examples.digest()))
    assert await consortium.refusal(other) == "BATCH_PRIVATE_ENTRY_DIFFERS"
    await consortium.submit(steward, "consents:import_batch", early)
    assert (
        await consortium.refusal(consortium.submit(steward, "consents:import_batch", early)) == "BATCH_EXISTS"
    )


async def test_an_import_is_the_custodians_own(consortium: Consortium) -> None:
    stored = await consortium.store_private(ENTRIES)
    stranger = consortium.person("steward", RIVERSIDE)
    call = consortium.submit(stranger, "consents:import_batch", consent_batch(CONSENTS, stored))
    assert await consortium.refusal(call) == "NOT_CUSTODIAN"


async def test_doubled_consents_and_foreign_subjects_are_refused(consortium: Consortium) -> None:
    await consortium.import_consents(CONSENTS)
    again = [examples.new_consent(1)]
    stored = await consortium.store_private(
        [private_entry(again[0].subject, identifier("consent", 9), b"x")], batch=2
    )
    steward = consortium.person("steward")
    call = consortium.submit(steward, "consents:import_batch", consent_batch(again, stored, batch=2))
    assert await consortium.refusal(call) == "CONSENT_EXISTS"

    lakeside = consortium.person("steward", LAKESIDE)
    stolen = examples.new_consent(8, subject=CONSENTS[0].subject)
    entries = [private_entry(stolen.subject, stolen.consent_id, b"x")]
    batch = private_batch(identifier("batch", 3), entries)
    transient = {"entries": encode_entries(entries), "batch": batch.to_bytes()}
    await consortium.submit(lakeside, "consents:store_private", transient=transient)
    foreign = consent_batch([stolen], sha256_digest(batch.to_bytes()), batch=3).to_dict() | {
        "custodian": LAKESIDE
    }
    call = consortium.submit(lakeside, "consents:import_batch", foreign)
    assert await consortium.refusal(call) == "SUBJECT_OF_OTHER_CUSTODIAN"


async def test_a_subject_gives_several_consents_up_to_a_limit(consortium: Consortium) -> None:
    subject = examples.commitment("one subject")
    consents = [examples.new_consent(number, subject=subject) for number in range(1, 66)]
    await consortium.import_consents(consents[:2], batch=1)
    await consortium.import_consents(consents[2:64], batch=2)
    listed = consortium.record(SubjectConsents, keys.subject(subject))
    assert list(listed.consents) == [consent.consent_id for consent in consents[:64]]
    stored = await consortium.store_private([private_entry(subject, consents[64].consent_id, b"x")], batch=3)
    call = consortium.submit(
        consortium.person("steward"), "consents:import_batch", consent_batch(consents[64:], stored, batch=3)
    )
    assert await consortium.refusal(call) == "SUBJECT_FULL"


async def test_a_large_batch_is_one_transaction(consortium: Consortium) -> None:
    consents = [examples.new_consent(number) for number in range(1, 401)]
    result = await consortium.import_consents(consents)
    assert result.code == "VALID"
    assert len(consortium.ledger.states("consent/", "consent0")) == 400


async def permitted(consortium: Consortium, subjects: list[str], **changes: Any) -> dict[str, Any]:
    query = {"subjects": subjects, "purpose": "DUO:0000006", "commercial": False, "recipient": RIVERSIDE}
    answer: dict[str, Any] = await consortium.evaluate(
        consortium.person("researcher"), "consents:permitted", {**query, **changes}
    )
    return answer


async def test_permitted_gives_the_newest_consent_that_allows_the_use(consortium: Consortium) -> None:
    subject = examples.commitment("one subject")
    await consortium.import_consents(
        [
            examples.new_consent(1, subject=subject),
            examples.new_consent(2, subject=subject),
            examples.new_consent(3, subject=subject, purposes=("TREAT",)),
        ]
    )
    unknown = examples.commitment("nobody")
    answer = await permitted(consortium, [unknown, subject])
    assert answer == {"permitted": [None, identifier("consent", 2)], "epoch": ""}
    assert (await permitted(consortium, [subject], purpose="TREAT"))["permitted"] == [
        identifier("consent", 3)
    ]
    assert (await permitted(consortium, [subject], commercial=True))["permitted"] == [None]
    assert (await permitted(consortium, [unknown])) == {"permitted": [None], "epoch": ""}


async def test_a_withdrawal_counts_from_the_next_question_on(consortium: Consortium) -> None:
    await consortium.import_consents(CONSENTS)
    subjects = [consent.subject for consent in CONSENTS]
    assert None not in (await permitted(consortium, subjects))["permitted"]
    result = await consortium.submit(consortium.person("dpo"), "consents:withdraw", identifier("consent", 2))
    answer = await permitted(consortium, subjects)
    assert answer["permitted"] == [identifier("consent", 1), None, identifier("consent", 3)]
    assert answer["epoch"] == result.transaction_id
    withdrawn = consortium.record(Consent, keys.consent(identifier("consent", 2)))
    assert withdrawn.state == "withdrawn"
    assert withdrawn.withdrawn_at >= withdrawn.recorded_at
    again = consortium.submit(consortium.person("steward"), "consents:withdraw", identifier("consent", 2))
    assert await consortium.refusal(again) == "CONSENT_ALREADY_WITHDRAWN"


async def test_withdrawals_that_are_refused(consortium: Consortium) -> None:
    await consortium.import_consents(CONSENTS)
    steward, consent_id = consortium.person("steward"), identifier("consent", 1)
    cases = [
        (consortium.submit(steward, "consents:withdraw", "consent-1"), "FIELD_INVALID"),
        (consortium.submit(steward, "consents:withdraw", identifier("consent", 9)), "CONSENT_NOT_FOUND"),
        (
            consortium.submit(consortium.person("steward", RIVERSIDE), "consents:withdraw", consent_id),
            "NOT_CUSTODIAN",
        ),
        (
            consortium.submit(
                steward, "consents:withdraw", consent_id, time=consortium.ledger.time - timedelta(seconds=30)
            ),
            "PROPOSAL_TIME_TOO_EARLY",
        ),
    ]
    for call, code in cases:
        assert await consortium.refusal(call) == code


async def test_consents_are_read_by_their_ids(consortium: Consortium) -> None:
    await consortium.import_consents(CONSENTS)
    nobody = consortium.person("")
    ids = [identifier("consent", 3), identifier("consent", 1)]
    found = await consortium.evaluate(nobody, "consents:get", ids)
    assert [consent["consent_id"] for consent in found] == ids
    unknown = consortium.evaluate(nobody, "consents:get", [identifier("consent", 9)])
    assert await consortium.refusal(unknown) == "CONSENT_NOT_FOUND"
    for wrong in ([], ["x"], ids * 2, [identifier("consent", n) for n in range(401)]):
        assert await consortium.refusal(consortium.evaluate(nobody, "consents:get", wrong)) == "FIELD_INVALID"


async def test_subjects_of_one_custodian_are_asked_for_at_a_time(consortium: Consortium) -> None:
    await consortium.import_consents(CONSENTS[:1])
    lakeside = consortium.person("steward", LAKESIDE)
    entries = [private_entry(CONSENTS[1].subject, CONSENTS[1].consent_id, b"x")]
    batch = private_batch(identifier("batch", 2), entries)
    await consortium.submit(
        lakeside,
        "consents:store_private",
        transient={"entries": encode_entries(entries), "batch": batch.to_bytes()},
    )
    document = consent_batch(CONSENTS[1:2], sha256_digest(batch.to_bytes()), batch=2).to_dict()
    await consortium.submit(lakeside, "consents:import_batch", document | {"custodian": LAKESIDE})
    call = permitted(consortium, [CONSENTS[0].subject, CONSENTS[1].subject])
    assert await consortium.refusal(call) == "QUERY_SEVERAL_CUSTODIANS"
