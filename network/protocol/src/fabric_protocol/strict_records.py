"""Reading records from JSON documents: unknown, missing and mistyped fields are refused by name."""

from collections.abc import Mapping
from typing import Any

from fabric_protocol.errors import TopologyError


def read_record(
    document: object, where: str, required: Mapping[str, type], optional: Mapping[str, type]
) -> dict[str, Any]:
    """Check a JSON object's fields.

    Parameters:
        document: what the JSON parser gave.
        where: name of the object in messages, e.g. "topology.ordering".
        required: field → type (str, int, bool, list, dict).
        optional: field → type; null counts as absent.

    Returns:
        the fields that are there; null ones left out.

    Raises:
        TopologyError: TOPOLOGY_INVALID.
    """
    if not isinstance(document, dict):
        raise invalid(f"{where}: expected an object, got {type(document).__name__}")
    unknown = sorted(str(name) for name in document if name not in required and name not in optional)
    if unknown:
        raise invalid(f"{where}: unknown field {unknown[0]!r}; known are {', '.join([*required, *optional])}")
    missing = [name for name in required if document.get(name) is None]
    if missing:
        raise invalid(f"{where}: field {missing[0]!r} is missing")
    fields = {name: value for name, value in document.items() if value is not None}
    for name, value in fields.items():
        expected = required.get(name) or optional[name]
        # bool is an int to isinstance, never to a reader of the file.
        if type(value) is not expected:
            raise invalid(f"{where}.{name}: expected {expected.__name__}, got {type(value).__name__}")
    return fields


def read_texts(values: list[Any], where: str) -> tuple[str, ...]:
    """Check that a list holds texts only.

    Raises:
        TopologyError: TOPOLOGY_INVALID.
    """
    for value in values:
        if not isinstance(value, str):
            raise invalid(f"{where}: expected texts, got {type(value).__name__}")
    return tuple(values)


def invalid(message: str) -> TopologyError:
    """A TOPOLOGY_INVALID error."""
    return TopologyError("TOPOLOGY_INVALID", message)
