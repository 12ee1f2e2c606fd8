"""How the value of one field is read: the closed set of shapes that a record may hold."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from .errors import FieldError, field_invalid
from .identifiers import ACTOR_PATTERN, MSP_ID_PATTERN, SLUG_PATTERN, identifier_pattern
from .instants import parse_instant


class Kind(Protocol):
    """One shape of value."""

    def read(self, value: object) -> object:
        """The value as the record holds it (lists as tuples). Raises FieldError without ever repeating the
        value.
        """
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Text that matches a pattern as a whole; every pattern admits ASCII only."""

    pattern: re.Pattern[str]
    expected: str

    def read(self, value: object) -> str:
        """The text itself."""
        if type(value) is not str or not self.pattern.fullmatch(value):
            raise field_invalid(self.expected, value)
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few codes."""

    values: Collection[str]

    def read(self, value: object) -> str:
        """The code itself."""
        if type(value) is not str or value not in self.values:
            raise field_invalid(f"one of {', '.join(self.values)}", value)
        return value


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time, see the module `instants`."""

    def read(self, value: object) -> str:
        """The instant as text."""
        expected = "an instant YYYY-MM-DDTHH:MM:SS.mmmZ"
        if type(value) is not str:
            raise field_invalid(expected, value)
        try:
            parse_instant(value)
        except ValueError as error:
            raise field_invalid(expected, value) from error
        return value


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number within bounds, both allowed."""

    minimum: int
    maximum: int

    def read(self, value: object) -> int:
        """The number itself; a boolean is no number."""
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise field_invalid(f"a whole number from {self.minimum} to {self.maximum}", value)
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, value: object) -> bool:
        """The boolean itself; 0 and 1 are none."""
        if type(value) is not bool:
            raise field_invalid("true or false", value)
        return value


@dataclass(frozen=True, slots=True)
class Nullable:
    """A kind, or null."""

    kind: Kind

    def read(self, value: object) -> object:
        """None, or what the kind reads."""
        return None if value is None else self.kind.read(value)


@dataclass(frozen=True, slots=True)
class Many:
    """A list of values, its length within bounds; no text comes twice unless `repeated`."""

    kind: Kind
    minimum: int
    maximum: int
    repeated: bool = False

    def read(self, value: object) -> tuple[object, ...]:
        """The values as a tuple, in their order."""
        if type(value) not in (list, tuple):
            raise field_invalid(f"a list of {self.minimum} to {self.maximum}", value)
        items: list[object] = list(value)  # type: ignore[call-overload]
        if not self.minimum <= len(items) <= self.maximum:
            raise field_invalid(f"a list of {self.minimum} to {self.maximum}", value)
        result: list[object] = []
        read = self.kind.read
        try:
            for item in items:
                result.append(read(item))
        except FieldError as error:
            raise error.within("", f"[{len(result)}]") from error
        if self.repeated:
            return tuple(result)
        # Records inside a list are told apart by their ids, which the record that holds the list checks.
        codes = [item for item in result if isinstance(item, str)]
        if len(dict.fromkeys(codes)) != len(codes):
            raise field_invalid("a list in which nothing comes twice", value)
        return tuple(result)


@dataclass(frozen=True, slots=True)
class Table:
    """An object whose names are slugs, its size bounded."""

    kind: Kind
    maximum: int

    def read(self, value: object) -> Mapping[str, object]:
        """A read-only mapping in order of its names."""
        if not isinstance(value, Mapping) or len(value) > self.maximum:
            raise field_invalid(f"an object of at most {self.maximum} names", value)
        result: dict[str, object] = {}
        for position, name in enumerate(value):
            if type(name) is not str or not METRIC_NAME.fullmatch(name):
                raise field_invalid("names of 1 to 64 lower-case letters, digits, '_' or '-'", value)
            try:
                result[name] = self.kind.read(value[name])
            except FieldError as error:
                raise error.within("", f"[{position}]") from error
        return MappingProxyType({name: result[name] for name in sorted(result)})


def identifier(kind: str) -> Text:
    """An id `<kind>-<32 hex>`."""
    return Text(identifier_pattern(kind), f"{kind}-<32 lower-case hex>")


METRIC_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MSP_ID = Text(MSP_ID_PATTERN, "an MSP id of 1 to 64 ASCII letters, digits, '.' or '-'")
ACTOR = Text(ACTOR_PATTERN, "an enrolment id of 1 to 64 ASCII letters, digits, '.', '_' or '-'")
SLUG = Text(SLUG_PATTERN, "a name of 1 to 64 lower-case ASCII letters, digits or '-'")
DIGEST = Text(re.compile(r"sha256:[0-9a-f]{64}"), "sha256:<64 lower-case hex>")
KEYED_DIGEST = Text(re.compile(r"hmac-sha256:[0-9a-f]{64}"), "hmac-sha256:<64 lower-case hex>")
CONTENT_DIGEST = Text(
    re.compile(r"(?:hmac-)?sha256:[0-9a-f]{64}"), "sha256: or hmac-sha256:<64 lower-case hex>"
)
COMMITMENT = KEYED_DIGEST
DECIMAL = Text(
    re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?"), 'a decimal number as text, such as "0.9649"'
)
TRANSACTION_ID = Text(re.compile(r"(?:[0-9a-f]{64})?"), "a transaction id of 64 hex, or empty text")
COUNTRY = Text(re.compile(r"[A-Z]{2}"), "a country code of two upper-case letters (ISO 3166-1)")
DISEASE = Text(re.compile(r"MONDO:[0-9]{7}"), "a disease as MONDO:<7 digits>")
MONDO_RELEASE = Text(re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "a release of Mondo as YYYY-MM-DD")
INSTANT = Instant()
FLAG = Flag()
