"""From a withdrawal to everything that rests on it, and from a model version back, by index keys alone."""

from __future__ import annotations

from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium, new_session
from support.ledger_examples import LAKESIDE, RIVERSIDE, identifier

DERIVED = {"derived_from": (identifier("version"),), "transformation": examples.transformation()}


def model_version(number: int = 1, **changes: Any) -> dict[str, Any]:
    fields = {
        "model_version_id": identifier("modelversion", number),
        "model_id": identifier("model"),
        "weights_digest": examples.digest(f"weights {number}"),
        "architecture_digest": examples.digest("architecture"),
        "parent": None,
        "sessions": [identifier("session")],
        "metrics": {},
        "test_set_digest": None,
        "signature": None,
    }
    return fields | changes


async def told() -> tuple[Consortium, str]:
    """A consent, versions 1 and 2 (made of 1) and 3, a session on 1, a model version and its child."""
    consortium = await Consortium.initialized()
    (consent_id,) = await consortium.import_consents(["first"])
    await consortium.register_version()
    await consortium.register_version(2, **DERIVED)
    await consortium.register_version(3)
    await consortium.register_version(4, LAKESIDE)
    await consortium.grant()
    await consortium.permitted_attempt()
    await consortium.model()
    researcher = consortium.person("researcher", RIVERSIDE)
    await consortium.submit(researcher, "training:start", new_session())
    await consortium.submit(researcher, "models:register_version", model_version())
    child = model_version(2, parent=identifier("modelversion"))
    await consortium.submit(researcher, "models:register_version", child)
    await consortium.submit(consortium.person("dpo"), "consents:withdraw", consent_id)
    return consortium, consent_id


async def impact(consortium: Consortium, consent_id: str, *versions: str) -> dict[str, Any]:
    query = {"consent_id": consent_id, "versions": list(versions)}
    found: dict[str, Any] = await consortium.evaluate(consortium.person("dpo"), "impact:of_consent", query)
    return found


async def test_a_withdrawal_reaches_versions_grants_sessions_and_model_versions() -> None:
    consortium, consent_id = await told()
    found = await impact(consortium, consent_id, identifier("version"))
    assert found == {
        "consent_id": consent_id,
        "basis": "named versions",
        "versions": [identifier("version", 1), identifier("version", 2)],
        "grants": [identifier("grant")],
        "sessions": [identifier("session")],
        "model_versions": [identifier("modelversion", 1), identifier("modelversion", 2)],
        "complete": True,
    }
    elsewhere = await impact(consortium, consent_id, identifier("version", 3))
    assert (elsewhere["versions"], elsewhere["sessions"]) == ([identifier("version", 3)], [])


async def test_a_grant_that_was_narrowed_away_from_a_version_is_still_reached() -> None:
    consortium = await Consortium.initialized()
    (consent_id,) = await consortium.import_consents(["first"])
    await consortium.register_version(1)
    await consortium.register_version(2)
    first, second = identifier("version", 1), identifier("version", 2)
    await consortium.grant(versions=(first, second))
    await consortium.permitted_attempt()
    end = consortium.end_of_grant(identifier("grant"))
    narrower = examples.narrowed(1, versions=(second,), not_after=end)
    await consortium.submit(consortium.person("dpo"), "grants:narrow", narrower)
    assert (await impact(consortium, consent_id, first))["grants"] == [identifier("grant")]
    decision = await consortium.decide(await consortium.attempt(2))
    assert [reason["code"] for reason in decision["reasons"]] == ["NO_GRANT"]


async def test_without_row_manifests_all_that_the_custodian_registered_meanwhile_is_taken() -> None:
    consortium, consent_id = await told()
    await consortium.register_version(5)
    found = await impact(consortium, consent_id)
    assert found["basis"] == "custodian and time"
    assert found["versions"] == [identifier("version", number) for number in (1, 2, 3)]


async def test_a_model_version_goes_back_to_sessions_grants_and_data() -> None:
    consortium, _ = await told()
    origin = await consortium.evaluate(
        consortium.person(""), "impact:of_model_version", identifier("modelversion", 2)
    )
    assert [entry["model_version_id"] for entry in origin["model_versions"]] == [
        identifier("modelversion", 2),
        identifier("modelversion", 1),
    ]
    assert [entry["session_id"] for entry in origin["sessions"]] == [identifier("session")]
    assert [entry["grant_id"] for entry in origin["grants"]] == [identifier("grant")]
    assert [entry["merkle_root"] for entry in origin["versions"]] == [examples.digest("root")]
    assert origin["complete"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"consent_id": identifier("consent", 9), "versions": []}, "CONSENT_NOT_FOUND"),
        ({"versions": [identifier("version", 9)]}, "VERSION_NOT_FOUND"),
        ({"versions": [identifier("version", 4)]}, "VERSION_NOT_FOUND"),
        ({"versions": ["version-*"]}, "FIELD_INVALID"),
    ],
)
async def test_questions_that_are_refused(query: dict[str, Any], code: str) -> None:
    consortium, consent_id = await told()
    call = consortium.evaluate(
        consortium.person("dpo"), "impact:of_consent", {"consent_id": consent_id} | query
    )
    assert await consortium.refusal(call) == code
    unknown = consortium.evaluate(
        consortium.person("dpo"), "impact:of_model_version", identifier("modelversion", 9)
    )
    assert await consortium.refusal(unknown) == "MODEL_VERSION_NOT_FOUND"
