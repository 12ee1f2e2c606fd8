"""Import of consents, withdrawal, and who consents to what now."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium, consent_batch, consent_ids, private_entries
from support.ledger_examples import LAKESIDE, NORTHGATE, RIVERSIDE, identifier

from consentry_records import Consent, PrivateBatch, RecordedBatch, SubjectConsents, keys
from consentry_records.digest import sha256_digest
from consentry_records.identifiers import first_consent_identifiers
from consentry_records.private_entries import encode_entries, private_batch

PEOPLE = ["first", "second", "third"]
SUBJECTS = [examples.commitment(name) for name in PEOPLE]
IDS = consent_ids(PEOPLE)
ENTRIES = private_entries(PEOPLE)
COLLECTION = keys.collection(NORTHGATE)


async def test_an_import_writes_every_consent_and_its_subject(consortium: Consortium) -> None:
    at, steward = consortium.instant(0.01), consortium.name("steward")
    await consortium.import_consents(PEOPLE)
    for consent_id, subject in zip(IDS, SUBJECTS, strict=True):
        recorded = consortium.record(Consent, keys.consent(consent_id))
        given = examples.event(recorded_at=at, recorded_by=steward)
        expected = Consent(
            **{
                **examples.consent().to_dict(),
                "consent_id": consent_id,
                "subject": subject,
                "events": [given],
            }
        )
        assert recorded == expected
        assert consortium.ledger.state(keys.consent(consent_id)) == expected.to_bytes()
        listed = SubjectConsents(subject=subject, custodian=NORTHGATE, consents=(consent_id,), limits=())
        assert consortium.ledger.state(keys.subject(subject)) == listed.to_bytes()
    batch = consortium.record(RecordedBatch, keys.batch(identifier("batch")))
    assert (batch.count, batch.contents) == (3, "consents")


async def test_a_batch_that_the_first_release_prepared_is_recorded_under_the_ids_of_its_entries(
    consortium: Consortium,
) -> None:
    document = consent_batch(PEOPLE, await consortium.store_private(PEOPLE)).to_dict()
    del document["consent_ids"], document["schema"]
    await consortium.submit(consortium.person("steward"), "consents:import_batch", json.dumps(document))
    ids = first_consent_identifiers(identifier("batch"), len(PEOPLE))
    recorded = [consortium.record(Consent, keys.consent(consent_id)) for consent_id in ids]
    assert [consent.subject for consent in recorded] == SUBJECTS
    assert consortium.ledger.state(keys.consent(IDS[0])) is None


async def test_an_earlier_date_is_a_claim_beside_the_recording(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE[:1], claimed_at="2025-06-01T09:00:00.000Z")
    (event,) = consortium.record(Consent, keys.consent(IDS[0])).events
    assert event.claimed_at == "2025-06-01T09:00:00.000Z"
    assert event.recorded_at > event.claimed_at
    stored = await consortium.store_private(["later"], batch=2)
    late = consent_batch(["later"], stored, 2, claimed_at=consortium.instant(30))
    call = consortium.submit(consortium.person("steward"), "consents:import_batch", late)
    assert await consortium.refusal(call) == "CLAIMED_TOO_LATE"


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
    for key in ENTRIES:
        assert consortium.ledger.private(NORTHGATE, COLLECTION, key) == b"encrypted"
        assert consortium.ledger.private(RIVERSIDE, COLLECTION, key) is None
    assert consortium.ledger.private(NORTHGATE, COLLECTION, keys.batch(batch.batch_id)) == batch.to_bytes()
    block = consortium.ledger.blocks[-1].SerializeToString()
    assert b"encrypted" not in block
    assert next(iter(ENTRIES)).encode() not in block


@pytest.mark.parametrize(
    ("transient", "code"),
    [
        ({"entries": b"{}", "batch": b"{}"}, "TOO_LARGE"),
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
                "entries": encode_entries(private_entries(PEOPLE[:2])),
                "batch": private_batch(identifier("batch"), ENTRIES).to_bytes(),
            },
            "BATCH_COUNT_DIFFERS",
        ),
        (
            {
                "entries": encode_entries(private_entries(PEOPLE, batch=2)),
                "batch": private_batch(identifier("batch"), private_entries(PEOPLE, batch=2)).to_bytes(),
            },
            "BATCH_KEY_DIFFERS",
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
    await consortium.store_private(PEOPLE)
    assert await consortium.refusal(consortium.store_private(PEOPLE[:1])) == "BATCH_EXISTS"


async def test_an_import_needs_its_private_entries_first(consortium: Consortium) -> None:
    steward = consortium.person("steward")
    early = consent_batch(PEOPLE, sha256_digest(private_batch(identifier("batch"), ENTRIES).to_bytes()))
    call = consortium.submit(steward, "consents:import_batch", early)
    assert await consortium.refusal(call) == "BATCH_PRIVATE_ENTRY_MISSING"
    await consortium.store_private(PEOPLE)
    other = consortium.submit(steward, "consents:import_batch", consent_batch(PEOPLE, examples.digest()))
    assert await consortium.refusal(other) == "BATCH_PRIVATE_ENTRY_DIFFERS"
    await consortium.submit(steward, "consents:import_batch", early)
    again = consortium.submit(steward, "consents:import_batch", early)
    assert await consortium.refusal(again) == "BATCH_EXISTS"


async def test_an_import_is_the_custodians_own(consortium: Consortium) -> None:
    stored = await consortium.store_private(PEOPLE)
    stranger = consortium.person("steward", RIVERSIDE)
    call = consortium.submit(stranger, "consents:import_batch", consent_batch(PEOPLE, stored))
    assert await consortium.refusal(call) == "NOT_CUSTODIAN"


async def test_a_foreign_subject_is_refused(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    call = consortium.import_consents(PEOPLE[:1], batch=3, msp_id=LAKESIDE)
    assert await consortium.refusal(call) == "SUBJECT_OF_OTHER_CUSTODIAN"


async def test_terms_that_the_batch_lacks_are_refused(consortium: Consortium) -> None:
    document = consent_batch(PEOPLE, examples.digest()).to_dict()
    for changes, code in (
        ({"chosen": [0, 1, 0]}, "TERMS_NOT_IN_BATCH"),
        ({"chosen": [0, 0]}, "COLUMNS_DIFFER"),
        ({"claimed_at": [None, None]}, "COLUMNS_DIFFER"),
        ({"chosen": [0, -1, 0]}, "FIELD_INVALID"),
        ({"subjects": []}, "FIELD_INVALID"),
    ):
        call = consortium.submit(consortium.person("steward"), "consents:import_batch", document | changes)
        assert await consortium.refusal(call) == code


async def test_a_subject_gives_several_consents_up_to_a_limit(consortium: Consortium) -> None:
    first = await consortium.import_consents(["one"] * 2, batch=1)
    second = await consortium.import_consents(["one"] * 62, batch=2)
    listed = consortium.record(SubjectConsents, keys.subject(examples.commitment("one")))
    assert list(listed.consents) == [*first, *second]
    stored = await consortium.store_private(["one"], batch=3)
    document = consent_batch(["one"], stored, batch=3)
    call = consortium.submit(consortium.person("steward"), "consents:import_batch", document)
    assert await consortium.refusal(call) == "SUBJECT_FULL"


async def test_a_large_batch_is_one_transaction(consortium: Consortium) -> None:
    await consortium.import_consents([f"subject {number}" for number in range(1000)])
    assert len(consortium.ledger.states("consent/", "consent0")) == 1000


async def permitted(consortium: Consortium, subjects: list[str], **changes: Any) -> dict[str, Any]:
    query = {"subjects": subjects, "purpose": "DUO:0000006", "commercial": False, "recipient": RIVERSIDE}
    answer: dict[str, Any] = await consortium.evaluate(
        consortium.person("researcher"), "consents:permitted", {**query, **changes}
    )
    return answer


async def test_permitted_gives_the_newest_consent_that_allows_the_use(consortium: Consortium) -> None:
    subject = examples.commitment("one")
    (_, second) = await consortium.import_consents(["one", "one"])
    (care,) = await consortium.import_consents(["one"], batch=2, purposes=("TREAT",))
    unknown = examples.commitment("nobody")
    answer = await permitted(consortium, [unknown, subject])
    assert answer == {"permitted": [None, second], "epoch": ""}
    assert (await permitted(consortium, [subject], purpose="TREAT"))["permitted"] == [care]
    assert (await permitted(consortium, [subject], commercial=True))["permitted"] == [None]
    assert (await permitted(consortium, [unknown])) == {"permitted": [None], "epoch": ""}


async def test_recipients_are_organizations_or_classes_of_the_consortium(consortium: Consortium) -> None:
    subjects = [examples.commitment(name) for name in ("members", "hospitals", "named")]
    for batch, (name, recipients) in enumerate(
        {"members": ("ANY_MEMBER",), "hospitals": ("ANY_HOSPITAL",), "named": (LAKESIDE,)}.items(), start=1
    ):
        await consortium.import_consents([name], batch, recipients=recipients)
    expected = {
        NORTHGATE: [True, True, True],
        LAKESIDE: [True, True, True],
        RIVERSIDE: [True, True, False],
        "RegulatorMSP": [True, False, False],
        "StrangerMSP": [False, False, False],
        "ANY-MEMBER": [False, False, False],
    }
    for recipient, allowed in expected.items():
        answer = await permitted(consortium, subjects, recipient=recipient)
        assert [consent is not None for consent in answer["permitted"]] == allowed


async def test_a_withdrawal_counts_from_the_next_question_on(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    assert None not in (await permitted(consortium, SUBJECTS))["permitted"]
    result = await consortium.submit(consortium.person("dpo"), "consents:withdraw", IDS[1])
    answer = await permitted(consortium, SUBJECTS)
    assert answer["permitted"] == [IDS[0], None, IDS[2]]
    assert answer["epoch"] == result.transaction_id
    withdrawn = consortium.record(Consent, keys.consent(IDS[1]))
    assert withdrawn.state == "withdrawn"
    assert withdrawn.withdrawn_at >= withdrawn.recorded_at
    again = consortium.submit(consortium.person("steward"), "consents:withdraw", IDS[1])
    assert await consortium.refusal(again) == "CONSENT_ALREADY_WITHDRAWN"


async def test_withdrawals_that_are_refused(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    steward, consent_id = consortium.person("steward"), IDS[0]
    stranger = consortium.person("steward", RIVERSIDE)
    early = {"time": consortium.ledger.time - timedelta(seconds=30)}
    cases = [
        (consortium.submit(steward, "consents:withdraw", "consent-1"), "FIELD_INVALID"),
        (consortium.submit(steward, "consents:withdraw", identifier("consent", 9)), "CONSENT_NOT_FOUND"),
        (consortium.submit(stranger, "consents:withdraw", consent_id), "NOT_CUSTODIAN"),
        (consortium.submit(steward, "consents:withdraw", consent_id, **early), "PROPOSAL_TIME_TOO_EARLY"),
    ]
    for call, code in cases:
        assert await consortium.refusal(call) == code


async def test_consents_are_read_by_their_ids(consortium: Consortium) -> None:
    await consortium.import_consents(PEOPLE)
    nobody = consortium.person("")
    ids = [IDS[2], IDS[0]]
    found = await consortium.evaluate(nobody, "consents:get", ids)
    assert [consent["consent_id"] for consent in found] == ids
    unknown = consortium.evaluate(nobody, "consents:get", [identifier("consent", 9)])
    assert await consortium.refusal(unknown) == "CONSENT_NOT_FOUND"
    for wrong in ([], ["x"], ids * 2, [identifier("consent", n) for n in range(401)]):
        assert await consortium.refusal(consortium.evaluate(nobody, "consents:get", wrong)) == "FIELD_INVALID"


async def test_subjects_of_one_custodian_are_asked_for_at_a_time(consortium: Consortium) -> None:
    await consortium.import_consents(["here"])
    await consortium.import_consents(["there"], batch=2, msp_id=LAKESIDE)
    call = permitted(consortium, [examples.commitment("here"), examples.commitment("there")])
    assert await consortium.refusal(call) == "QUERY_SEVERAL_CUSTODIANS"
