"""Strict reading of JSON files: every field named, typed and used, or a sentence that says where and what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from consentry.errors import ConfigurationError

_Type = TypeVar("_Type")
_NAMES = {str: "text", int: "a whole number", dict: "an object", list: "a list"}


def read_json_object(path: Path, code: str) -> Document:
    """Read a file that holds one JSON object.

    Raises:
        ConfigurationError: with `code`, naming the file and the fault.
    """
    try:
        value = json.loads(path.read_bytes().decode())
    except OSError as error:
        raise ConfigurationError(code, f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(code, f"{path} is no UTF-8 JSON document") from error
    if not isinstance(value, dict):
        raise ConfigurationError(code, f"{path}: got {type(value).__name__}, expected an object")
    return Document(value, str(path), code)


class Document:
    """A JSON object whose fields are taken one by one; `finish` refuses what nobody asked for."""

    def __init__(self, values: dict[str, Any], place: str, code: str) -> None:
        self._values = dict(values)
        self._place = place
        self._code = code

    def take(self, name: str, kind: type[_Type]) -> _Type:
        """Return the field `name`, which must be there and of type `kind`."""
        if name not in self._values:
            raise self.error(f"{name} is missing, expected {_NAMES.get(kind, kind.__name__)}")
        value = self._values.pop(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(
                f"{name}: got {type(value).__name__}, expected {_NAMES.get(kind, kind.__name__)}"
            )
        return value

    def take_text(self, name: str) -> str:
        """Return a text field that is not empty."""
        value = self.take(name, str)
        if not value:
            raise self.error(f"{name} is empty, expected text")
        return value

    def take_object(self, name: str) -> Document:
        """Return a field that is an object."""
        return Document(self.take(name, dict), f"{self._place}: {name}", self._code)

    def take_objects(self, name: str) -> list[Document]:
        """Return a field that is a list of objects."""
        items = self.take(name, list)
        if not all(isinstance(item, dict) for item in items):
            raise self.error(f"{name}: expected a list of objects")
        return [Document(item, f"{self._place}: {name}[{i}]", self._code) for i, item in enumerate(items)]

    def names(self) -> tuple[str, ...]:
        """Return the names of the fields not taken yet."""
        return tuple(self._values)

    def finish(self) -> None:
        """Refuse fields that were not taken: a misspelt setting must not be ignored."""
        if self._values:
            raise self.error(f"unknown fields: {', '.join(sorted(self._values))}")

    def error(self, message: str) -> ConfigurationError:
        """Return an error that names the place in the file."""
        return ConfigurationError(self._code, f"{self._place}: {message}")
