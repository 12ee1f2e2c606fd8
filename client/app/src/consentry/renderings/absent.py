"""What a format asks for and the records lack is said, with the reason, and never made up."""

from __future__ import annotations

from typing import Any

PREFIX = "absent: "
PRIVATE = "kept by the custodian in its own collection"
NOBODY_NAMED = "records of the first release name nobody"
NO_PARTY = "names and addresses are not on the ledger; state them in a file of parties"
FHIR_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def words(reason: str) -> str:
    """The reason as it is printed."""
    return PREFIX + reason


def fhir_absent(reason: str, code: str = "unknown") -> dict[str, Any]:
    """A FHIR Reference (or anything with `display`) that has no value; `code` is of data-absent-reason."""
    return {**fhir_extension(code), "display": words(reason)}


def fhir_extension(code: str) -> dict[str, Any]:
    """The extension that takes the place of a FHIR element's value."""
    return {"extension": [{"url": FHIR_ABSENT, "valueCode": code}]}


def json_ld_absent(reason: str) -> dict[str, str]:
    """A JSON-LD node that stands for a missing value."""
    return {"dct:description": words(reason)}
