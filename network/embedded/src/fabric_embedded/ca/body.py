"""Reading JSON bodies of requests field by field, with checks; fields that nobody asks for are ignored."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from fabric_embedded.ca.attributes import Attribute
from fabric_embedded.ca.errors import EMPTY_BODY, CaError, bad_body

# RFC 5280 ub-common-name: an id becomes the common name of a certificate.
_ID = re.compile(r"[!-~]{1,64}")
_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_AFFILIATION = re.compile(r"(?=.{1,256}\Z)[^\s.,%]+(\.[^\s.,%]+)*")
_MAX_ENTRIES, _MAX_ATTRIBUTE_LENGTH = 64, 1024


def read_object(body: bytes) -> Mapping[str, object]:
    """Read a JSON object; null is an empty one, as in Go.

    Raises:
        CaError: 400, code 4 when the body is empty, code 5 when it is something else.
    """
    if not body:
        raise CaError(400, EMPTY_BODY, "Empty request body")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_body("not JSON") from error
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise bad_body("expected a JSON object")
    return fields


def text(fields: Mapping[str, object], name: str) -> str:
    """A text; "" when it is absent."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad_body(f"{name} must be a string")
    return value


def boolean(fields: Mapping[str, object], name: str) -> bool:
    """A boolean; false when it is absent."""
    value = fields.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise bad_body(f"{name} must be a boolean")
    return value


def integer(fields: Mapping[str, object], name: str) -> int:
    """An integer below 2^31; 0 when it is absent."""
    value = fields.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value >= 2**31:
        raise bad_body(f"{name} must be an integer")
    return value


def entries(value: object, name: str) -> list[object]:
    """A list that is not too long; empty when it is null."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MAX_ENTRIES:
        raise bad_body(f"{name} must be a list of at most {_MAX_ENTRIES} entries")
    return value


def enrolment_id(fields: Mapping[str, object]) -> str:
    """The field `id` of whoever is to be known by it."""
    identity = text(fields, "id")
    if not _ID.fullmatch(identity):
        raise bad_body("id must be 1 to 64 printable ASCII characters without spaces")
    return identity


def identity_type(fields: Mapping[str, object]) -> str:
    """The field `type`; "" when it is absent."""
    kind = text(fields, "type")
    if kind and not _TYPE.fullmatch(kind):
        raise bad_body("type must be 1 to 64 letters, digits, dots, dashes or underscores")
    return kind


def affiliation(fields: Mapping[str, object], name: str = "affiliation") -> str:
    """An affiliation; "." is the root, "" when it is absent."""
    value = text(fields, name)
    if value not in ("", ".") and not _AFFILIATION.fullmatch(value):
        raise bad_body(f"{name} must be parts without spaces, commas and percent signs, separated by dots")
    return value


def attributes(fields: Mapping[str, object]) -> tuple[Attribute, ...]:
    """The field `attrs`: attributes, each named once."""
    found = tuple(_attribute(entry) for entry in entries(fields.get("attrs"), "attrs"))
    if len({attribute.name for attribute in found}) != len(found):
        raise bad_body("an attribute is named twice")
    return found


def instant(fields: Mapping[str, object], name: str) -> datetime | None:
    """A time in RFC 3339; None when it is absent, or Go's zero time (year 1)."""
    value = text(fields, name)
    if not value:
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise bad_body(f"{name} must be a time in RFC 3339") from error
    if time.tzinfo is None:
        raise bad_body(f"{name} must have a time zone")
    return None if time.year == 1 else time.astimezone(UTC)


def _attribute(entry: object) -> Attribute:
    match entry:
        case {"name": str(name), **rest} if 0 < len(name) <= _MAX_ATTRIBUTE_LENGTH:
            value, ecert = rest.get("value", ""), rest.get("ecert", False)
            if isinstance(value, str) and len(value) <= _MAX_ATTRIBUTE_LENGTH and isinstance(ecert, bool):
                return Attribute(name, value, ecert)
    raise bad_body("each of attrs must have a name, a value as a string, and ecert as a boolean if at all")
