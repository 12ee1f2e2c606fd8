"""A ledger that the first release wrote, read, used and carried on by this one."""

from __future__ import annotations

import json
from typing import Any

from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import NORTHGATE, REGULATOR, RIVERSIDE, identifier
from support.seeding import let_seed

from consentry_records import AccessDecision, Consent, Settings, keys
from consentry_records.earlier_consents import Consent1, SubjectConsents1

CONSENT, SUBJECT = identifier("consent"), examples.commitment("first")
START, END = "2026-03-01T00:00:00.000Z", "2026-03-31T00:00:00.000Z"
SETTINGS_1 = {
    "organizations": [
        *({"msp_id": msp_id, "kind": "hospital"} for msp_id in examples.HOSPITALS),
        {"msp_id": REGULATOR, "kind": "regulator"},
    ],
    "time_tolerance_ms": 2000,
    "schema": "consentry.settings/1",
}
CONSENT_1 = Consent1(
    consent_id=CONSENT,
    subject=SUBJECT,
    custodian=NORTHGATE,
    controller=NORTHGATE,
    purposes=("TREAT", "DUO:0000006"),
    restrictions=(),
    categories=("measurements",),
    recipients=("ANY_MEMBER",),
    not_before=START,
    not_after=END,
    notice_digest=examples.digest("notice"),
    state="given",
    recorded_at=START,
    withdrawn_at=None,
).to_dict()
VERSION_1 = {
    "version_id": identifier("version"),
    "dataset_id": identifier("dataset"),
    "name": "dataset-1",
    "number": 1,
    "content_digest": "hmac-" + examples.digest("content"),
    "schema_digest": examples.digest("schema"),
    "row_count": 190,
    "categories": ["measurements"],
    "legal_bases": ["GDPR-9-2-a"],
    "duo_terms": ["DUO:0000006"],
    "merkle_root": examples.digest("root"),
    "derived_from": [],
    "transformation_digest": None,
    "custodian": NORTHGATE,
    "registered_at": START,
    "schema": "consentry.version/1",
}
GRANT_1 = {
    "grant_id": identifier("grant"),
    "request_id": identifier("request"),
    "versions": [identifier("version")],
    "purposes": ["DUO:0000006"],
    "restrictions": [],
    "not_before": START,
    "not_after": END,
    "custodian": NORTHGATE,
    "grantee": RIVERSIDE,
    "ethics_approval_digest": None,
    "state": "active",
    "revision": 1,
    "schema": "consentry.grant/1",
}
SUBJECT_1 = SubjectConsents1(subject=SUBJECT, custodian=NORTHGATE, consents=(CONSENT,)).to_dict()
LEDGER_1: dict[str, Any] = {
    keys.SETTINGS: SETTINGS_1,
    keys.consent(CONSENT): CONSENT_1,
    keys.subject(SUBJECT): SUBJECT_1,
    keys.version(identifier("version")): VERSION_1,
    keys.grant(identifier("grant")): GRANT_1,
}


def written(document: dict[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


async def earlier() -> Consortium:
    consortium = Consortium()
    let_seed(consortium)
    values = {key: written(document) for key, document in LEDGER_1.items()}
    index = keys.grant_index(identifier("version"), RIVERSIDE, identifier("grant"))
    await consortium.submit(
        consortium.person("steward"), "seeding:write", {**values, index: identifier("grant")}
    )
    return consortium


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
