"""The register of breaches: its steps, its clock, and who may keep it."""

from __future__ import annotations

from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import RIVERSIDE, identifier

from consentry_records import keys
from consentry_records.breach import STEPS, Breach, NewBreach

BREACH = identifier("breach")
AWARE = "2026-03-10T11:00:00.000Z"


def new_breach(**changes: Any) -> dict[str, Any]:
    fields = {
        "breach_id": BREACH,
        "aware_at": AWARE,
        "natures": ["confidentiality"],
        "categories": ["diagnosis"],
        "subject_count": 40,
        "record_count": 120,
        "versions": [identifier("version")],
        "facts_digest": examples.digest("facts"),
    }
    return fields | changes


def step(name: str, revision: int, **changes: Any) -> dict[str, Any]:
    fields = {"breach_id": BREACH, "revision": revision, "step": name, "happened_at": AWARE}
    return fields | {"document_digest": None} | changes


async def record(consortium: Consortium, **changes: Any) -> None:
    await consortium.submit(consortium.person("dpo"), "breaches:record", new_breach(**changes))


async def advance(consortium: Consortium, name: str, revision: int, **changes: Any) -> None:
    document = step(name, revision, **changes)
    await consortium.submit(consortium.person("dpo"), "breaches:advance", document)


def breach(consortium: Consortium) -> Breach:
    found: Breach = consortium.record(Breach, keys.breach(BREACH))
    return found


async def test_a_breach_is_kept_from_its_discovery_to_its_end(consortium: Consortium) -> None:
    await record(consortium)
    assert breach(consortium).notify_before == "2026-03-13T11:00:00.000Z"
    names = ("assessed", "authority-notified", "subjects-not-notified", "assessed", "closed")
    for revision, name in enumerate(names, 1):
        await advance(consortium, name, revision)
    found = breach(consortium)
    assert [event.event for event in found.events] == ["recorded", *names]
    assert found.state == "closed"
    assert found.events[0].recorded_by == consortium.name("dpo")
    assert (await consortium.evaluate(consortium.person(""), "breaches:get", BREACH))["state"] == "closed"


async def test_only_its_controllers_officer_keeps_it(consortium: Consortium) -> None:
    await record(consortium)
    other = consortium.person("dpo", RIVERSIDE)
    document = step("assessed", 1)
    assert await consortium.refusal(consortium.submit(other, "breaches:advance", document)) == "NOT_CUSTODIAN"
    steward = consortium.person("steward")
    call = consortium.submit(steward, "breaches:advance", document)
    assert await consortium.refusal(call) == "ROLE_REQUIRED"


@pytest.mark.parametrize(
    ("before", "name", "changes", "code"),
    [
        ((), "closed", {}, "BREACH_STEP_INVALID"),
        (("authority-notified",), "closed", {}, "BREACH_STEP_INVALID"),
        (("authority-notified",), "authority-not-notified", {}, "BREACH_STEP_INVALID"),
        (("subjects-notified",), "subjects-notified", {}, "BREACH_STEP_INVALID"),
        (("authority-notified", "subjects-notified", "closed"), "assessed", {}, "BREACH_STEP_INVALID"),
        ((), "assessed", {"happened_at": "2026-03-10T10:59:59.000Z"}, "BREACH_STEP_INVALID"),
        ((), "assessed", {"happened_at": "2026-03-11T00:00:00.000Z"}, "HAPPENED_TOO_LATE"),
        ((), "assessed", {"revision": 2}, "BREACH_REVISION_DIFFERS"),
        ((), "assessed", {"breach_id": identifier("breach", 2)}, "BREACH_NOT_FOUND"),
        ((), "reported", {}, "FIELD_INVALID"),
    ],
)
async def test_a_step_that_does_not_follow_is_refused(
    consortium: Consortium, before: tuple[str, ...], name: str, changes: dict[str, Any], code: str
) -> None:
    await record(consortium)
    for revision, earlier in enumerate(before, 1):
        await advance(consortium, earlier, revision)
    call = advance(consortium, name, changes.pop("revision", len(before) + 1), **changes)
    assert await consortium.refusal(call) == code


async def test_a_breach_is_recorded_once_and_not_before_it_was_known(consortium: Consortium) -> None:
    late = record(consortium, aware_at="2026-03-10T13:00:00.000Z")
    assert await consortium.refusal(late) == "HAPPENED_TOO_LATE"
    await record(consortium)
    assert await consortium.refusal(record(consortium)) == "BREACH_EXISTS"
    assert await consortium.refusal(record(consortium, natures=[])) == "FIELD_INVALID"
    assert await consortium.refusal(record(consortium, subject_count=-1)) == "FIELD_INVALID"


def test_every_step_says_where_it_stands_in_the_law() -> None:
    assert all("Art." in words or name == "closed" for name, words in STEPS.items())
    assert NewBreach.from_dict(new_breach()).to_dict() == new_breach()
