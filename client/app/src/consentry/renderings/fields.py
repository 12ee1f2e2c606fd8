"""Which field of a standard is made of what: rows that docs/renderings.md prints and tests compare."""

from __future__ import annotations

from dataclasses import dataclass

CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a standard.

    Attributes:
        name: as the standard calls it.
        path: where it stands in the rendering; lists are passed through; in a FHIR Bundle the first part
            names the resource.
        source: fields of the records, `consent.state`, `private.language`, …, with commas between; or
            `constant`.
        required: whether the standard, or a profile named in the documents, demands it.
        otherwise: the reason that is printed where the source lacks; empty where it never does or the field
            is left out then.
    """

    name: str
    path: str
    source: str
    required: bool = True
    otherwise: str = ""


def fhir(path: str, source: str, *, required: bool = True, otherwise: str = "") -> Field:
    """A field that is called as it stands."""
    return Field(path, path, source, required, otherwise)
