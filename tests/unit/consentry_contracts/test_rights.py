"""Requests of data subjects: the clock, what holds meanwhile, and an erasure that is seen to be one."""

from __future__ import annotations

from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium, consent_batch, private_entries
from support.ledger_examples import NORTHGATE, RIVERSIDE, identifier

from consentry_records import RightsRequest, SubjectConsents, keys
from consentry_records.rights_request import METHODS, STORES

SUBJECT = examples.commitment("first")
REQUEST = identifier("rightsrequest")
COLLECTION = keys.collection(NORTHGATE)
RECEIVED = "2026-03-10T11:00:00.000Z"


def new_request(right: str = "erasure", number: int = 1, **changes: Any) -> dict[str, Any]:
    fields = {
        "rights_request_id": identifier("rightsrequest", number),
        "right": right,
        "subject": SUBJECT,
        "received_at": RECEIVED,
        "purposes": ["DUO:0000006"] if right == "objection" else [],
        "evidence_digest": None,
    }
    return fields | changes


async def receive(consortium: Consortium, right: str = "erasure", **changes: Any) -> None:
    await consortium.submit(consortium.person("dpo"), "rights:receive", new_request(right, **changes))


async def advance(
    consortium: Consortium, step: str, revision: int = 1, ground: str | None = None, request: str = REQUEST
) -> None:
    document = {"rights_request_id": request, "revision": revision, "step": step, "ground": ground}
    await consortium.submit(consortium.person("dpo"), "rights:advance", document)


async def permitted(consortium: Consortium, purpose: str = "DUO:0000006") -> bool:
    query = {"subjects": [SUBJECT], "purpose": purpose, "commercial": False, "recipient": RIVERSIDE}
    answer = await consortium.evaluate(consortium.person("researcher"), "consents:permitted", query)
    return answer["permitted"] != [None]


def request(consortium: Consortium) -> RightsRequest:
    found: RightsRequest = consortium.record(RightsRequest, keys.rights(REQUEST))
    return found


def fulfilment(right: str = "erasure", revision: int = 2, **changes: Any) -> dict[str, Any]:
    stores = [{"store": store, "method": "searched"} for store in STORES] if right == "erasure" else []
    fields = {"rights_request_id": REQUEST, "revision": revision, "purged": 0, "stores": stores}
    return fields | changes


@pytest.mark.parametrize(
    ("right", "research", "care"),
    [
        ("erasure", False, False),
        ("restriction", False, False),
        ("objection", False, True),
        ("rectification", True, True),
    ],
)
async def test_a_request_is_heard_from_its_receipt_on(
    consortium: Consortium, right: str, research: bool, care: bool
) -> None:
    await consortium.import_consents(["first"])
    await receive(consortium, right)
    assert (await permitted(consortium), await permitted(consortium, "TREAT")) == (research, care)
    assert (consortium.ledger.state(keys.epoch(NORTHGATE)) is None) == (right == "rectification")
    await advance(consortium, "rejected", ground="NOT-APPLICABLE")
    assert await permitted(consortium)
    assert request(consortium).state == "rejected"


async def test_the_clock_runs_a_month_from_the_receipt_and_three_if_extended(consortium: Consortium) -> None:
    await receive(consortium, "rectification")
    assert request(consortium).due_at == "2026-04-10T11:00:00.000Z"
    await receive(consortium, "access", number=2, received_at="2026-02-01T00:00:00.000Z")
    open_now = await consortium.evaluate(consortium.person("dpo"), "rights:unanswered", NORTHGATE)
    assert [entry["right"] for entry in open_now] == ["access", "rectification"]
    await advance(consortium, "extended", ground="GDPR-12-3", request=identifier("rightsrequest", 2))
    open_now = await consortium.evaluate(consortium.person("dpo"), "rights:unanswered", NORTHGATE)
    assert [entry["due_at"] for entry in open_now] == ["2026-04-10T11:00:00.000Z", "2026-05-01T00:00:00.000Z"]
    await advance(consortium, "cancelled")
    open_now = await consortium.evaluate(consortium.person("dpo"), "rights:unanswered", NORTHGATE)
    assert [entry["right"] for entry in open_now] == ["access"]
    assert await consortium.evaluate(consortium.person("dpo"), "rights:unanswered", RIVERSIDE) == []


async def test_an_erasure_purges_attests_and_tells(consortium: Consortium) -> None:
    (consent_id,) = await consortium.import_consents(["first"])
    dpo, (entry,) = consortium.person("dpo"), private_entries(["first"])
    await receive(consortium)
    await advance(consortium, "accepted")
    early = consortium.submit(dpo, "rights:fulfil", fulfilment())
    assert await consortium.refusal(early) == "PRIVATE_ENTRY_LEFT"
    order = {"rights_request_id": REQUEST, "entries": [entry]}
    result = await consortium.submit(dpo, "rights:purge", order)
    assert result.endorsers == (NORTHGATE,)
    assert consortium.ledger.private(NORTHGATE, COLLECTION, entry) is None
    await consortium.submit(dpo, "rights:fulfil", fulfilment(purged=1))
    told = {"recipient": RIVERSIDE, "notified_at": consortium.instant()}
    notices = {"rights_request_id": REQUEST, "revision": 3, "notices": [told]}
    await consortium.submit(dpo, "rights:notify", notices)
    done = request(consortium)
    assert [event.event for event in done.events] == ["received", "accepted", "fulfilled", "notified"]
    assert (done.state, done.purged, done.notices[0].recipient) == ("fulfilled", 1, RIVERSIDE)
    assert {attestation.store for attestation in done.stores} == set(STORES)
    assert not await permitted(consortium, "TREAT")
    subject = consortium.record(SubjectConsents, keys.subject(SUBJECT))
    assert (subject.erased, subject.consents) == (True, (consent_id,))
    stored = await consortium.store_private(["first"], batch=2)
    again = consent_batch(["first"], stored, batch=2)
    call = consortium.submit(consortium.person("steward"), "consents:import_batch", again)
    assert await consortium.refusal(call) == "SUBJECT_ERASED"


async def test_a_purge_is_for_an_accepted_erasure_of_that_subject_only(consortium: Consortium) -> None:
    await consortium.import_consents(["first", "second"])
    dpo = consortium.person("dpo")
    first, second = private_entries(["first", "second"])
    order = {"rights_request_id": REQUEST, "entries": [first]}
    assert (
        await consortium.refusal(consortium.submit(dpo, "rights:purge", order)) == "RIGHTS_REQUEST_NOT_FOUND"
    )
    await receive(consortium)
    assert await consortium.refusal(consortium.submit(dpo, "rights:purge", order)) == "RIGHTS_STEP_INVALID"
    await advance(consortium, "accepted")
    for wrong in (second, keys.batch(identifier("batch"))):
        call = consortium.submit(dpo, "rights:purge", order | {"entries": [wrong]})
        assert await consortium.refusal(call) == "PURGE_KEY_INVALID"
    stranger = consortium.person("dpo", RIVERSIDE)
    assert await consortium.refusal(consortium.submit(stranger, "rights:purge", order)) == "NOT_CUSTODIAN"


async def test_an_objection_that_was_fulfilled_can_be_lifted(consortium: Consortium) -> None:
    await consortium.import_consents(["first"])
    await receive(consortium, "objection")
    await advance(consortium, "accepted")
    await consortium.submit(consortium.person("dpo"), "rights:fulfil", fulfilment("objection"))
    assert not await permitted(consortium)
    assert not await permitted(consortium, "DUO:0000042")
    await advance(consortium, "lifted", revision=3)
    assert await permitted(consortium)


async def test_steps_that_do_not_follow_are_refused(consortium: Consortium) -> None:
    await receive(consortium)
    again = consortium.submit(consortium.person("dpo"), "rights:receive", new_request())
    cases = [
        (again, "RIGHTS_REQUEST_EXISTS"),
        (advance(consortium, "lifted"), "RIGHTS_STEP_INVALID"),
        (advance(consortium, "accepted", revision=2), "RIGHTS_REVISION_DIFFERS"),
        (advance(consortium, "rejected"), "GROUND_INVALID"),
        (advance(consortium, "accepted", ground="GDPR-12-5"), "GROUND_INVALID"),
        (advance(consortium, "accepted", request=identifier("rightsrequest", 9)), "RIGHTS_REQUEST_NOT_FOUND"),
        (
            consortium.submit(consortium.person("dpo"), "rights:fulfil", fulfilment(revision=1)),
            "RIGHTS_STEP_INVALID",
        ),
    ]
    for call, code in cases:
        assert await consortium.refusal(call) == code
    await advance(consortium, "extended", ground="GDPR-12-3")
    twice = advance(consortium, "extended", revision=2, ground="GDPR-12-3")
    assert await consortium.refusal(twice) == "RIGHTS_STEP_INVALID"
    await advance(consortium, "accepted", revision=2)
    for stores in ([], [{"store": "custody", "method": next(iter(METHODS))}]):
        document = fulfilment(revision=3, stores=stores)
        call = consortium.submit(consortium.person("dpo"), "rights:fulfil", document)
        assert await consortium.refusal(call) == "STORES_INVALID"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"received_at": "2026-03-11T00:00:00.000Z"}, "RECEIVED_TOO_LATE"),
        ({"purposes": ["TREAT"]}, "OBJECTION_PURPOSES_INVALID"),
        ({"right": "objection"}, "OBJECTION_PURPOSES_INVALID"),
        ({"right": "erasure of everything"}, "FIELD_INVALID"),
        ({"evidence_digest": examples.digest()}, "FIELD_INVALID"),
    ],
)
async def test_requests_that_are_refused(consortium: Consortium, changes: dict[str, Any], code: str) -> None:
    call = consortium.submit(consortium.person("dpo"), "rights:receive", new_request() | changes)
    assert await consortium.refusal(call) == code


async def test_an_opt_out_has_room_however_many_requests_limit_a_subject(consortium: Consortium) -> None:
    for number in range(1, 64):
        objection = {"rights_request_id": identifier("rightsrequest", number), "purposes": ["PUBHLTH"]}
        await receive(consortium, "objection", **objection)
    one_more = {"rights_request_id": identifier("rightsrequest", 64), "purposes": ["PUBHLTH"]}
    assert await consortium.refusal(receive(consortium, "objection", **one_more)) == "LIMITS_FULL"
    entry = {"subject": SUBJECT, "opted_out": True, "claimed_at": None}
    batch = {"batch_id": identifier("batch", 9), "custodian": NORTHGATE, "entries": [entry]}
    await consortium.submit(consortium.person("dpo"), "subjects:opt_out", batch)
    (subject,) = await consortium.evaluate(consortium.person(""), "subjects:get", [SUBJECT])
    assert [limit["kind"] for limit in subject["limits"]] == ["opt-out", *["objection"] * 63]


async def test_nobody_handles_anothers_requests(consortium: Consortium) -> None:
    await consortium.import_consents(["first"])
    stranger = consortium.person("dpo", RIVERSIDE)
    call = consortium.submit(stranger, "rights:receive", new_request())
    assert await consortium.refusal(call) == "NOT_CUSTODIAN"
    await receive(consortium)
    step = {"rights_request_id": REQUEST, "revision": 1, "step": "rejected", "ground": "GDPR-12-5"}
    call = consortium.submit(stranger, "rights:advance", step)
    assert await consortium.refusal(call) == "NOT_CUSTODIAN"
    of_subject = await consortium.evaluate(stranger, "rights:of_subject", SUBJECT)
    assert [entry["rights_request_id"] for entry in of_subject] == [REQUEST]
