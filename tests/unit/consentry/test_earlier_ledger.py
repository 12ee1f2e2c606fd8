"""A ledger that the first release wrote, read, used and carried on by this one."""

from __future__ import annotations

import json
from typing import Any

from support import earlier_ledger
from support.consortium import Consortium, new_session
from support.earlier_ledger import CONSENT, LEDGER_1, START, SUBJECT, VERSION_1, earlier, seed, written
from support.ledger_examples import NORTHGATE, REGULATOR, RIVERSIDE, identifier

from consentry_records import AccessDecision, Consent, Settings, keys


async def permitted(consortium: Consortium) -> list[Any]:
    query = {"subjects": [SUBJECT], "purpose": "DUO:0000006", "commercial": False, "recipient": RIVERSIDE}
    answer = await consortium.evaluate(consortium.person(""), "consents:permitted", query)
    found: list[Any] = answer["permitted"]
    return found


async def test_what_the_first_release_wrote_is_read_and_decided_on() -> None:
    consortium = await earlier()
    assert await permitted(consortium) == [CONSENT]
    assert consortium.record(Settings, keys.SETTINGS).country_of(NORTHGATE) is None
    decision = await consortium.decide(await consortium.attempt())
    assert (decision["outcome"], decision["grant_id"]) == ("permit", identifier("grant"))
    assert {"columns/1", "categories/1"} <= set(decision["rules"])
    made = consortium.record(AccessDecision, keys.decision(identifier("attempt")))
    assert made.consent_root == VERSION_1["merkle_root"]
    for key, document in LEDGER_1.items():
        assert consortium.ledger.state(key) == written(document).encode(), "nothing is rewritten by reading"


async def test_what_is_changed_is_written_in_the_newest_form() -> None:
    consortium = await earlier()
    await consortium.submit(consortium.person("dpo"), "consents:withdraw", CONSENT)
    document = json.loads(consortium.ledger.state(keys.consent(CONSENT)) or b"")
    assert document["schema"] == "consentry.consent/2"
    consent = consortium.record(Consent, keys.consent(CONSENT))
    assert [event.event for event in consent.events] == ["given", "withdrawn"]
    assert (consent.recorded_at, consent.events[0].recorded_by) == (START, None)
    assert await permitted(consortium) == [None]
    await consortium.submit(consortium.person("dpo"), "grants:revoke", identifier("grant"))
    grant = json.loads(consortium.ledger.state(keys.grant(identifier("grant"))) or b"")
    assert (grant["schema"], grant["state"], grant["revision"]) == ("consentry.grant/3", "revoked", 2)
    decision = await consortium.decide(await consortium.attempt())
    assert [reason["code"] for reason in decision["reasons"]] == ["GRANT_REVOKED"]


async def used() -> Consortium:
    """The first release's ledger with a request, a permit that a session uses, and what came of it."""
    consortium = await earlier()
    researcher = consortium.name("researcher", RIVERSIDE)
    documents = {
        keys.request(identifier("request")): earlier_ledger.REQUEST_1,
        keys.attempt(identifier("attempt", 2)): earlier_ledger.attempt_1(2, researcher),
        keys.attempt(identifier("attempt", 3)): earlier_ledger.attempt_1(3, researcher),
        keys.decision(identifier("attempt", 2)): earlier_ledger.DECISION_1,
        keys.delivery(identifier("attempt", 2), 1): earlier_ledger.DELIVERY_1,
        keys.model(identifier("model")): earlier_ledger.MODEL_1,
        keys.session(identifier("session")): earlier_ledger.session_1(researcher),
        keys.model_version(identifier("modelversion")): earlier_ledger.MODEL_VERSION_1,
    }
    await seed(consortium, documents)
    return consortium


def schema_of(consortium: Consortium, key: str) -> str:
    return str(json.loads(consortium.ledger.state(key) or b"")["schema"])


async def test_what_was_asked_permitted_delivered_and_trained_is_read() -> None:
    consortium = await used()
    anybody = consortium.person("")
    found = await consortium.evaluate(anybody, "access:get", identifier("attempt", 2))
    assert (found["attempt"]["output"], found["attempt"]["columns"]) == ("rows", [])
    assert (found["decision"]["outcome"], found["decision"]["purpose"]) == ("permit", None)
    (delivery,) = await consortium.evaluate(anybody, "deliveries:of_attempt", identifier("attempt", 2))
    assert delivery["computation"] is None
    may = await consortium.evaluate(anybody, "deliveries:may_go_on", identifier("attempt", 2))
    assert may["holds"]
    usage = await consortium.evaluate(anybody, "training:usage", identifier("session"))
    assert [one["grant_id"] for one in usage["versions"]] == [identifier("grant")]
    made = await consortium.evaluate(anybody, "models:get", identifier("modelversion"))
    assert made["signature"] is None
    asked = await consortium.evaluate(anybody, "grants:get_request", identifier("request"))
    assert (asked["commercial"], asked["columns"], asked["topics"]) == (False, [], [])
    origin = await consortium.evaluate(anybody, "impact:of_model_version", identifier("modelversion"))
    assert [grant["grant_id"] for grant in origin["grants"]] == [identifier("grant")]


async def test_what_the_first_release_began_is_carried_on_in_the_newest_forms() -> None:
    consortium = await used()
    researcher, dpo = consortium.person("researcher", RIVERSIDE), consortium.person("dpo")
    assert (await consortium.decide(identifier("attempt", 3)))["outcome"] == "permit"
    finished = {"session_id": identifier("session"), "state": "completed", "failure": None, "used": []}
    await consortium.submit(researcher, "training:finish", finished)
    assert schema_of(consortium, keys.session(identifier("session"))) == "consentry.session/2"
    under_old_permit = new_session(2, attempts=(identifier("attempt", 2),))
    await consortium.submit(researcher, "training:start", under_old_permit)
    added = {"model_version_id": identifier("modelversion", 2), "parent": identifier("modelversion")}
    gone = ("registered_at", "registered_by", "schema")
    fields = {k: v for k, v in earlier_ledger.MODEL_VERSION_1.items() if k not in gone}
    child = {**fields, **added, "sessions": [identifier("session", 2)], "signature": None}
    await consortium.submit(researcher, "models:register_version", child)
    step = {"stage": "validation", "reasons": ["VALIDATED"], "evidence_digest": None}
    owner = consortium.person("dpo", RIVERSIDE)
    for number in (1, 2):
        of_version = {"model_version_id": identifier("modelversion", number), **step}
        await consortium.submit(owner, "models:change_stage", of_version)
    later = {"grant_id": identifier("grant"), "not_after": consortium.instant(25 * 24 * 3600)}
    await consortium.submit(dpo, "grants:renew", later)
    assert schema_of(consortium, keys.grant(identifier("grant"))) == "consentry.grant/3"


async def test_a_suspension_of_the_first_release_holds_until_it_is_lifted() -> None:
    consortium = await used()
    key = keys.suspension(identifier("grant"))
    await seed(consortium, {key: earlier_ledger.SUSPENSION_1})
    decision = await consortium.decide(await consortium.attempt(4))
    assert [reason["code"] for reason in decision["reasons"]] == ["GRANT_SUSPENDED"]
    regulator = consortium.person("regulator", REGULATOR)
    await consortium.submit(regulator, "grants:lift_suspension", identifier("grant"))
    assert schema_of(consortium, key) == "consentry.suspension/2"
    assert (await consortium.decide(await consortium.attempt(5)))["outcome"] == "permit"
