"""The base of every record: a frozen dataclass whose annotations say how each field is read.

A record that exists is valid: construction checks every field, `from_dict` additionally that the fields are
exactly those of the record. Field types are written `Annotated[str, KIND]` with a kind of the module `kinds`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, ClassVar, Self, get_type_hints

from .canonical import decode
from .errors import FieldError, describe, field_invalid
from .kinds import Kind

Migration = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""From the JSON object of an earlier form of a record to that of the next one."""

_NAME_WORTH_REPEATING = re.compile(r"[a-z_]{1,32}")
_Definition = tuple[tuple[str, ...], tuple[tuple[str, Kind], ...]]
_DEFINITIONS: dict[type[Record], _Definition] = {}
_NO_SCHEMA = ""
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class Record:
    """A record; its subclasses are frozen, keyword-only dataclasses.

    `MIGRATIONS` gives for the `schema` of each earlier form the function that makes the next form of it, so
    that what an earlier release wrote is read for ever; the ledger's bytes stay as they were written.
    """

    __slots__ = ()
    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType({})

    def __post_init__(self) -> None:
        """Read every field; raises FieldError naming the field, what was expected and what came (type and
        size).
        """
        for name, kind in _definition(type(self))[1]:
            try:
                object.__setattr__(self, name, kind.read(getattr(self, name)))
            except FieldError as error:
                raise error.within(type(self).__name__, name) from error
        self.check()

    def check(self) -> None:
        """Rules over several fields; raises LedgerError. Records without such rules leave it empty."""

    @classmethod
    def from_dict(cls, value: object) -> Self:
        """The record in a decoded JSON object.

        Raises FieldError RECORD_NOT_OBJECT, FIELD_UNKNOWN, FIELD_MISSING or FIELD_INVALID, or what `check`
        raises.
        """
        if not isinstance(value, Mapping):
            raise FieldError(
                "RECORD_NOT_OBJECT", {"record": cls.__name__, "field": "", "got": describe(value)}
            )
        value = _migrated(cls, value)
        names = field_names(cls)
        for name in names:
            if name not in value:
                raise FieldError("FIELD_MISSING", {"record": cls.__name__, "field": name})
        if len(value) != len(names):
            unknown = next(name for name in value if name not in names)
            shown = (
                unknown
                if isinstance(unknown, str) and _NAME_WORTH_REPEATING.fullmatch(unknown)
                else "(not shown)"
            )
            known = ", ".join(names)
            raise FieldError("FIELD_UNKNOWN", {"record": cls.__name__, "field": shown, "expected": known})
        return cls(**value)

    @classmethod
    def from_bytes(cls, data: bytes | str) -> Self:
        """The record in JSON text. Raises LedgerError JSON_INVALID and what `from_dict` raises."""
        return cls.from_dict(decode(data))

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values: lists for tuples, objects for records inside."""
        # Most values are text already; the call for each would be a third of the time of an import.
        values = ((name, getattr(self, name)) for name in field_names(type(self)))
        return {name: value if type(value) is str else _plain(value) for name, value in values}

    def to_bytes(self) -> bytes:
        """Canonical JSON (RFC 8785) as UTF-8, the bytes that the ledger stores.

        Records hold no floats and no names beyond ASCII, where the standard library's sorted, compact encoder
        gives RFC 8785's bytes four times as fast as the library that `canonical` uses; tests compare the two.
        """
        return _ENCODER.encode(self.to_dict()).encode("utf-8")


class Nested:
    """A record inside a record."""

    __slots__ = ("record",)

    def __init__(self, record: type[Record]) -> None:
        self.record = record

    def read(self, value: object) -> Record:
        """The record itself, or the one in a JSON object."""
        if isinstance(value, Record):
            if type(value) is not self.record:
                raise field_invalid(f"a {self.record.__name__}", value)
            return value
        return self.record.from_dict(value)


def field_names(record: type[Record]) -> tuple[str, ...]:
    """The names of a record's fields, in the order of their definition."""
    return _definition(record)[0]


def field_kinds(record: type[Record]) -> tuple[tuple[str, Kind], ...]:
    """The kinds of a record's fields that are checked, by the fields' names."""
    return _definition(record)[1]


def _migrated(record: type[Record], value: Mapping[str, Any]) -> Mapping[str, Any]:
    while record.MIGRATIONS:
        # Forms before the first that names itself have no such field; an empty one is nobody's.
        schema = value.get("schema", _NO_SCHEMA)
        known = isinstance(schema, str) and (schema or "schema" not in value)
        migration = record.MIGRATIONS.get(schema) if known else None
        if migration is None:
            break
        value = migration(value)
    return value


def _definition(record: type[Record]) -> _Definition:
    known = _DEFINITIONS.get(record)
    if known is None:
        hints = get_type_hints(record, include_extras=True)
        names = tuple(field.name for field in fields(record))  # type: ignore[arg-type]
        known = (names, tuple((name, hints[name].__metadata__[0]) for name in names))
        _DEFINITIONS[record] = known  # deterministic: a cache; its values follow from its keys
    return known


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, tuple):
        return [item if type(item) is str else _plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value
