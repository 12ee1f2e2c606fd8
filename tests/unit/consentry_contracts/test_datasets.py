"""Dataset versions."""

from __future__ import annotations

from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import LAKESIDE, NORTHGATE, identifier

from consentry_records import Dataset, DatasetVersion, keys


async def test_a_first_version_brings_its_dataset(consortium: Consortium) -> None:
    await consortium.register_version()
    version = consortium.record(DatasetVersion, keys.version(identifier("version")))
    assert version.to_dict() == examples.new_version().to_dict() | {
        "custodian": NORTHGATE,
        "registered_at": version.registered_at,
        "schema": "consentry.version/1",
    }
    dataset = consortium.record(Dataset, keys.dataset(identifier("dataset")))
    assert (dataset.name, dataset.custodian) == ("dataset-1", NORTHGATE)
    found = await consortium.evaluate(consortium.person(""), "datasets:get", identifier("version"))
    assert found == version.to_dict()


async def test_later_versions_belong_to_the_same_dataset(consortium: Consortium) -> None:
    await consortium.register_version()
    same = {"dataset_id": identifier("dataset"), "name": "dataset-1"}
    derived = {"derived_from": (identifier("version"),), "transformation_digest": examples.digest("code")}
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
            {"derived_from": (identifier("version", 9),), "transformation_digest": examples.digest()},
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
