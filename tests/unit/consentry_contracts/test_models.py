"""Models and their versions."""

from __future__ import annotations

from typing import Any

from support import ledger_examples as examples
from support.consortium import Consortium, new_session
from support.ledger_examples import LAKESIDE, RIVERSIDE, identifier

from consentry_records import Model, ModelVersion, NewModel, NewModelVersion, keys


def model_version(number: int = 1, **changes: Any) -> NewModelVersion:
    fields: dict[str, Any] = {
        "model_version_id": identifier("modelversion", number),
        "model_id": identifier("model"),
        "weights_digest": examples.digest("weights"),
        "architecture_digest": examples.digest("architecture"),
        "parent": None,
        "sessions": (identifier("session"),),
        "metrics": {"accuracy": "0.9649", "auc": "0.99"},
        "test_set_digest": examples.digest("test set"),
    }
    return NewModelVersion(**{**fields, **changes})


async def trained(consortium: Consortium, state: str | None = "completed") -> Any:
    """Model 1, trained in session 1; Riverside's researcher."""
    await consortium.register_version()
    await consortium.grant()
    await consortium.permitted_attempt()
    await consortium.model()
    researcher = consortium.person("researcher", RIVERSIDE)
    await consortium.submit(researcher, "training:start", new_session())
    if state is not None:
        finish = {"session_id": identifier("session"), "state": state, "failure": None, "used": []}
        await consortium.submit(researcher, "training:finish", finish)
    return researcher


async def test_a_model_belongs_to_the_callers_organization(consortium: Consortium) -> None:
    await consortium.model()
    assert consortium.record(Model, keys.model(identifier("model"))).owner == RIVERSIDE
    assert await consortium.refusal(consortium.model()) == "MODEL_EXISTS"
    named = NewModel(model_id=identifier("model", 2), name="model-1")
    call = consortium.submit(consortium.person("researcher", RIVERSIDE), "models:register", named)
    assert await consortium.refusal(call) == "MODEL_NAME_TAKEN"
    await consortium.submit(consortium.person("researcher", LAKESIDE), "models:register", named)
    assert consortium.record(Model, keys.model(named.model_id)).owner == LAKESIDE


async def test_versions_have_sessions_and_parents(consortium: Consortium) -> None:
    researcher = await trained(consortium)
    await consortium.submit(researcher, "models:register_version", model_version())
    child = model_version(2, parent=identifier("modelversion"))
    await consortium.submit(researcher, "models:register_version", child)
    recorded = consortium.record(ModelVersion, keys.model_version(child.model_version_id))
    assert recorded.registered_by == researcher.identity.common_name
    found = await consortium.evaluate(researcher, "models:get", child.model_version_id)
    assert found == recorded.to_dict()
    assert found["metrics"] == {"accuracy": "0.9649", "auc": "0.99"}


async def test_a_models_versions_are_listed(consortium: Consortium) -> None:
    researcher = await trained(consortium)
    for number in (2, 1):
        await consortium.submit(researcher, "models:register_version", model_version(number))
    await consortium.model(2)
    anybody = consortium.person("")
    found = await consortium.evaluate(anybody, "models:versions", identifier("model"))
    wanted = [identifier("modelversion", 1), identifier("modelversion", 2)]
    assert [version["model_version_id"] for version in found] == wanted
    assert await consortium.evaluate(anybody, "models:versions", identifier("model", 2)) == []
    for model_id, code in ((identifier("model", 9), "MODEL_NOT_FOUND"), ("model-x", "FIELD_INVALID")):
        call = consortium.evaluate(anybody, "models:versions", model_id)
        assert await consortium.refusal(call) == code


async def test_a_version_can_be_registered_while_its_session_runs(consortium: Consortium) -> None:
    researcher = await trained(consortium, state=None)
    await consortium.submit(researcher, "models:register_version", model_version())
    again = consortium.submit(researcher, "models:register_version", model_version())
    assert await consortium.refusal(again) == "MODEL_VERSION_EXISTS"


async def test_failed_sessions_give_no_version(consortium: Consortium) -> None:
    researcher = await trained(consortium, state="failed")
    call = consortium.submit(researcher, "models:register_version", model_version())
    assert await consortium.refusal(call) == "SESSION_NOT_USABLE"


async def test_versions_that_are_refused(consortium: Consortium) -> None:
    researcher = await trained(consortium)
    await consortium.submit(researcher, "models:register_version", model_version())
    await consortium.model(2)
    session = new_session(2, model_id=identifier("model", 2))
    await consortium.submit(researcher, "training:start", session)
    of_another = {"model_id": identifier("model", 2), "sessions": (identifier("session", 2),)}
    stranger = consortium.person("researcher", LAKESIDE)
    parent = identifier("modelversion")
    cases = [
        (researcher, model_version(2, model_id=identifier("model", 9)), "MODEL_NOT_FOUND"),
        (researcher, model_version(2, sessions=(identifier("session", 9),)), "SESSION_NOT_FOUND"),
        (researcher, model_version(2, model_id=identifier("model", 2)), "SESSION_NOT_USABLE"),
        (researcher, model_version(2, parent=identifier("modelversion", 9)), "MODEL_VERSION_NOT_FOUND"),
        (researcher, model_version(2, **of_another, parent=parent), "MODEL_PARENT_DIFFERS"),
        (stranger, model_version(2), "NOT_OWNER"),
        (researcher, model_version(2).to_dict() | {"metrics": {"accuracy": 1}}, "FIELD_INVALID"),
        (researcher, model_version(2).to_dict() | {"parent": parent, "sessions": []}, "FIELD_INVALID"),
    ]
    for caller, argument, code in cases:
        call = consortium.submit(caller, "models:register_version", argument)
        assert await consortium.refusal(call) == code
    unknown = consortium.evaluate(researcher, "models:get", identifier("modelversion", 9))
    assert await consortium.refusal(unknown) == "MODEL_VERSION_NOT_FOUND"
