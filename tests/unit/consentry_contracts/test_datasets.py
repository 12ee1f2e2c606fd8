"""Dataset versions."""

from __future__ import annotations

from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import LAKESIDE, NORTHGATE, identifier

from consentry_records import Dataset, DatasetVersion, keys
from consentry_records.rows import rows_root_of_digests


async def test_a_first_version_brings_its_dataset(consortium: Consortium) -> None:
    await consortium.register_version()
    version = consortium.record(DatasetVersion, keys.version(identifier("version")))
    assert version.to_dict() == examples.new_version().to_dict() | {
        "custodian": NORTHGATE,
        "registered_at": version.registered_at,
        "state": "active",
        "retirement": None,
        "schema": "consentry.version/2",
    }
    dataset = consortium.record(Dataset, keys.dataset(identifier("dataset")))
    assert (dataset.name, dataset.custodian) == ("dataset-1", NORTHGATE)
    found = await consortium.evaluate(consortium.person(""), "datasets:get", identifier("version"))
    assert found == version.to_dict()


async def test_later_versions_belong_to_the_same_dataset(consortium: Consortium) -> None:
    await consortium.register_version()
    same = {"dataset_id": identifier("dataset"), "name": "dataset-1"}
    derived = {"derived_from": (identifier("version"),), "transformation": examples.transformation()}
    await consortium.register_version(2, **same, **derived, number=2)
    assert (
        consortium.ledger.state(keys.dataset_number(identifier("dataset"), 2))
        == identifier("version", 2).encode()
    )


@pytest.mark.parametrize(
    ("changes", "msp_id", "code"),
    [
        ({"version_id": identifier("version")}, NORTHGATE, "VERSION_EXISTS"),
        ({"dataset_id": identifier("dataset"), "name": "dataset-1"}, NORTHGATE, "VERSION_NUMBER_TAKEN"),
        ({"dataset_id": identifier("dataset"), "name": "other", "number": 2}, NORTHGATE, "DATASET_DIFFERS"),
        (
            {"dataset_id": identifier("dataset"), "name": "dataset-1", "number": 2},
            LAKESIDE,
            "DATASET_DIFFERS",
        ),
        ({"name": "dataset-1"}, NORTHGATE, "DATASET_NAME_TAKEN"),
        (
            {"derived_from": (identifier("version", 9),), "transformation": examples.transformation()},
            NORTHGATE,
            "VERSION_NOT_FOUND",
        ),
    ],
)
async def test_versions_that_are_refused(
    consortium: Consortium, changes: dict[str, Any], msp_id: str, code: str
) -> None:
    await consortium.register_version()
    assert await consortium.refusal(consortium.register_version(2, msp_id, **changes)) == code


async def test_names_are_free_for_every_custodian(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.register_version(2, LAKESIDE, name="dataset-1")
    assert (
        consortium.ledger.state(keys.dataset_name(LAKESIDE, "dataset-1")) == identifier("dataset", 2).encode()
    )


async def test_unknown_versions_are_not_found(consortium: Consortium) -> None:
    for version_id, code in ((identifier("version", 9), "VERSION_NOT_FOUND"), ("version-x", "FIELD_INVALID")):
        call = consortium.evaluate(consortium.person(""), "datasets:get", version_id)
        assert await consortium.refusal(call) == code


async def test_a_datasets_versions_are_listed_by_their_numbers(consortium: Consortium) -> None:
    same = {"dataset_id": identifier("dataset"), "name": "dataset-1"}
    for which, number in ((1, 1), (2, 10), (3, 2)):
        await consortium.register_version(which, **same, number=number)
    await consortium.register_version(4, LAKESIDE)
    anybody = consortium.person("")
    found = await consortium.evaluate(anybody, "datasets:versions", identifier("dataset"))
    assert [version["number"] for version in found] == [1, 2, 10]
    for dataset_id, code in ((identifier("dataset", 9), "DATASET_NOT_FOUND"), ("dataset-x", "FIELD_INVALID")):
        call = consortium.evaluate(anybody, "datasets:versions", dataset_id)
        assert await consortium.refusal(call) == code


LEAVES = (examples.digest("row 1"), examples.digest("row 2"))


def update(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "dataset_id": identifier("dataset"),
        "name": "dataset-1",
        "number": 2,
        "derived_from": (identifier("version"),),
        "transformation": examples.transformation(kinds=("removal",)),
        "supersedes": identifier("version"),
        "row_count": 188,
        "removed_count": 2,
        "removed_root": rows_root_of_digests(LEAVES),
    }
    version = examples.new_version(2, **{**fields, **changes})
    return {"version": version.to_dict(), "removed": list(LEAVES)}


async def test_an_update_names_the_rows_that_it_lacks(consortium: Consortium) -> None:
    await consortium.register_version()
    steward = consortium.person("steward")
    await consortium.submit(steward, "datasets:update", update())
    version = consortium.record(DatasetVersion, keys.version(identifier("version", 2)))
    assert (version.supersedes, version.removed_count) == (identifier("version"), 2)
    found = await consortium.evaluate(steward, "datasets:removed", identifier("version", 2))
    assert found["removed"] == list(LEAVES)
    assert await consortium.evaluate(steward, "datasets:removed", identifier("version")) is None
    index = keys.composite(keys.DERIVED_VERSIONS, identifier("version"), identifier("version", 2))
    assert consortium.ledger.state(index) == identifier("version", 2).encode()


async def test_updates_that_do_not_fit_are_refused(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.register_version(3)
    steward = consortium.person("steward")
    other_root = update()
    other_root["removed"] = [LEAVES[0], examples.digest("row 3")]
    cases = [
        (update(supersedes=identifier("version", 3)), "SUPERSEDED_DIFFERS"),
        (update(supersedes=identifier("version", 9)), "VERSION_NOT_FOUND"),
        (other_root, "REMOVAL_INVALID"),
        (update(row_count=190), "REMOVAL_INVALID"),
        (update(row_count=187), "REMOVAL_INVALID"),
        (update() | {"removed": []}, "FIELD_INVALID"),
    ]
    for document, code in cases:
        call = consortium.submit(steward, "datasets:update", document)
        assert await consortium.refusal(call) == code
    call = consortium.submit(steward, "datasets:register", update()["version"])
    assert await consortium.refusal(call) == "USE_UPDATE"


async def test_a_retired_version_permits_nothing_from_the_next_decision_on(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.grant()
    assert (await consortium.decide(await consortium.attempt(1)))["outcome"] == "permit"
    held = await consortium.attempt(2)
    retirement = {"version_id": identifier("version"), "reason": "withdrawals"}
    dpo = consortium.person("dpo")
    late = await consortium.ledger.endorse(consortium.person("service"), "access:decide", held)
    await consortium.submit(dpo, "datasets:retire", retirement)
    assert consortium.ledger.commit([late])[0].code == "MVCC_READ_CONFLICT"
    decision = await consortium.decide(held)
    assert [reason["code"] for reason in decision["reasons"]] == ["VERSION_RETIRED"]
    version = consortium.record(DatasetVersion, keys.version(identifier("version")))
    assert (version.state, version.retirement.retired_by) == ("retired", consortium.name("dpo"))
    again = consortium.submit(dpo, "datasets:retire", retirement)
    assert await consortium.refusal(again) == "VERSION_RETIRED"
    stranger = consortium.person("dpo", LAKESIDE)
    assert (
        await consortium.refusal(consortium.submit(stranger, "datasets:retire", retirement))
        == "NOT_CUSTODIAN"
    )
