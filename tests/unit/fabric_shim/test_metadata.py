"""Contract metadata in the form of fabric-contract-api's `contract-schema.json`."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import jsonschema
import pytest

from consentry_contracts import contracts
from fabric_shim import ConfigurationError, Context, Contract, Router, evaluation, transaction
from fabric_shim.metadata import contract_metadata
from fabric_shim.schemas import Schemas


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Part:
    name: str
    parts: tuple[Part, ...] = ()

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Part:
        return cls(**document)


@dataclass(frozen=True)
class Thing:
    thing_id: Annotated[str, "an id"]
    colour: str | None
    part: Part
    notes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Thing:
        return cls(**document)


class Things(Contract):
    """Things and
    their parts.

    More about them.
    """

    name = "things"

    @transaction
    async def add(self, ctx: Context, thing: Thing, count: int = 1) -> None: ...

    @evaluation
    async def find(self, ctx: Context, colour: Colour, names: list[str]) -> list[Thing]:
        return []

    async def unmarked(self, ctx: Context) -> None: ...


STRING, THING = {"type": "string"}, {"$ref": "#/components/schemas/Thing"}
SYSTEM_CONTRACT = {
    "info": {
        "title": "org.hyperledger.fabric",
        "version": "",
        "description": "The contract that every chaincode has; clients ask it "
        "``org.hyperledger.fabric:GetMetadata``.",
    },
    "name": "org.hyperledger.fabric",
    "transactions": [
        {"name": "GetMetadata", "parameters": [], "tag": ["EVALUATE", "evaluateTx"], "returns": STRING}
    ],
}
INFO = {"title": "things", "version": "", "description": "Things and their parts."}
EXPECTED = {
    "info": INFO,
    "contracts": {
        "things": {
            "info": INFO,
            "name": "things",
            "transactions": [
                {
                    "name": "add",
                    "parameters": [
                        {"name": "thing", "required": True, "schema": THING},
                        {"name": "count", "required": False, "schema": {"type": "integer"}},
                    ],
                    "tag": ["SUBMIT", "submitTx"],
                },
                {
                    "name": "find",
                    "parameters": [
                        {"name": "colour", "required": True, "schema": {**STRING, "enum": ["red", "blue"]}},
                        {"name": "names", "required": True, "schema": {"type": "array", "items": STRING}},
                    ],
                    "returns": {"type": "array", "items": THING},
                    "tag": ["EVALUATE", "evaluateTx"],
                },
            ],
        },
        "org.hyperledger.fabric": SYSTEM_CONTRACT,
    },
    "components": {
        "schemas": {
            "Part": {
                "$id": "Part",
                "type": "object",
                "properties": {
                    "name": STRING,
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                },
                "required": ["name"],
            },
            "Thing": {
                "$id": "Thing",
                "type": "object",
                "properties": {
                    "thing_id": STRING,
                    "colour": {"type": ["string", "null"]},
                    "part": {"$ref": "#/components/schemas/Part"},
                    "notes": {"type": "object", "additionalProperties": {"type": "integer"}},
                },
                "required": ["thing_id", "colour", "part"],
            },
        }
    },
}


async def test_a_chaincode_tells_its_metadata() -> None:
    arguments = (b"org.hyperledger.fabric:GetMetadata",)
    stub: Any = SimpleNamespace(arguments=arguments, transaction_id="t", refuse_writes=lambda: None)
    outcome = await Router([Things()]).invoke(stub)
    assert outcome.status == 200
    assert json.loads(outcome.payload) == EXPECTED


OFFICIAL = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "contract-schema" / "contract-schema.json").read_bytes()
)


@pytest.mark.parametrize("served", [[Things()], contracts()], ids=["things", "consentry"])
async def test_the_official_schema_takes_it(served: list[Contract]) -> None:
    stub: Any = SimpleNamespace(
        arguments=(b"org.hyperledger.fabric:GetMetadata",), transaction_id="t", refuse_writes=lambda: None
    )
    document = json.loads((await Router(served).invoke(stub)).payload)
    jsonschema.validate(document, OFFICIAL, jsonschema.Draft4Validator)
    first = next(iter(document["contracts"].values()))
    del first["transactions"][0]["name"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, OFFICIAL, jsonschema.Draft4Validator)


def test_the_same_contracts_give_the_same_bytes() -> None:
    first, second = (json.dumps(contract_metadata([Things()])) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (bytes, {"type": "string", "format": "binary"}),
        (bool, {"type": "boolean"}),
        (float, {"type": "number"}),
        (int | None, {"type": ["integer", "null"]}),
        (int | str, {}),
        (Thing | None, {}),
        (Colour | None, {}),
        (Any, {}),
        (list, {}),
        (tuple[int, str], {"type": "array"}),
        (Annotated[int, {"unhashable": []}], {"type": "integer"}),
        (object, {}),
        (Mapping[str, Any], {"type": "object", "additionalProperties": {}}),
    ],
)
def test_annotations_have_schemas(annotation: Any, schema: dict[str, Any]) -> None:
    assert Schemas().of(annotation) == schema


def test_classes_of_one_name_are_told_apart() -> None:
    other = type("Part", (), {"to_dict": lambda self: {}, "__module__": "elsewhere"})
    schemas = Schemas()
    assert [schemas.of(Part), schemas.of(other)] == [
        {"$ref": "#/components/schemas/Part"},
        {"$ref": "#/components/schemas/elsewhere.Part"},
    ]


def test_fields_whose_types_are_not_there_stay_unsaid() -> None:
    @dataclass
    class Unfinished:
        field: Absent  # type: ignore[name-defined]  # noqa: F821

    schemas = Schemas()
    schemas.of(Unfinished)
    assert schemas.components == {"Unfinished": {"$id": "Unfinished", "type": "object"}}


def test_the_systems_name_is_taken() -> None:
    class Impostor(Contract):
        name = "org.hyperledger.fabric"

        @evaluation
        async def GetMetadata(self, ctx: Context) -> str:
            return "{}"

    with pytest.raises(ConfigurationError, match="two contracts are named"):
        Router([Impostor()])
