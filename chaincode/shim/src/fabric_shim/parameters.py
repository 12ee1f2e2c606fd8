"""Decoders of arguments, made once per parameter from its annotation.

A parameter of type ``str`` takes the argument's UTF-8 text and one of type ``bytes`` its bytes as they are;
everything else is one JSON document: ``int``, ``bool``, ``list[…]``, ``tuple[…, ...]``, ``dict[str, …]``,
``… | None``, ``Any``, enumerations of strings, and classes with a ``from_dict`` class method.
"""

from __future__ import annotations

import enum
import json
import re
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Union, get_args, get_origin

from fabric_shim.canonical import MAXIMUM_DEPTH, SAFE_INTEGER
from fabric_shim.errors import ConfigurationError

Decoder = Callable[[bytes], Any]
Converter = Callable[[Any], Any]


# Strings, in which brackets count for nothing, and brackets.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


class ArgumentRefusedError(ValueError):
    """An argument does not fit its annotation; the text says what was got and expected, without values."""


def argument_decoder(annotation: Any) -> Decoder:
    """Function that turns an argument's bytes into a value of ``annotation``.

    Raises:
        ConfigurationError: no decoder is known for the annotation.
    """
    if annotation is bytes:
        return bytes
    if annotation is str:
        return _text
    convert = _converter(annotation)
    return lambda argument: convert(_json(argument))


def _text(argument: bytes) -> str:
    try:
        return argument.decode()
    except UnicodeDecodeError:
        raise ArgumentRefusedError("got bytes that are not UTF-8, expected UTF-8 text") from None


def _json(argument: bytes) -> Any:
    try:
        value = _decoder.decode(argument.decode())
    except ArgumentRefusedError:
        # Behind more levels than are taken, how far the parser came is up to its version.
        if _is_deep_text(argument):
            raise _not_json() from None
        raise
    except UnicodeDecodeError:
        raise ArgumentRefusedError("got bytes that are not UTF-8, expected a JSON document") from None
    except (ValueError, RecursionError):
        raise _not_json() from None
    if argument.count(b"[") + argument.count(b"{") > MAXIMUM_DEPTH and _is_deep(value):
        raise _not_json()
    return value


def _not_json() -> ArgumentRefusedError:
    return ArgumentRefusedError(
        f"got bytes that are not JSON of {MAXIMUM_DEPTH} levels at most, expected one JSON document"
    )


def _is_deep(value: Any) -> bool:
    """Whether a parsed document has more levels of lists and objects than are taken."""
    level = [value]
    for _ in range(MAXIMUM_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, list | dict)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return any(isinstance(item, list | dict) for item in level)


def _is_deep_text(argument: bytes) -> bool:
    """The same of text that the parser refused."""
    depth = deepest = 0
    for token in _TOKEN.findall(argument):
        if token in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif token in (b"]", b"}"):
            depth -= 1
    return deepest > MAXIMUM_DEPTH


def _no_float(_: str) -> NoReturn:
    raise ArgumentRefusedError("got a number with a fraction or exponent, expected an integer or a string")


def _integer(digits: str) -> int:
    # Python refuses to parse very long integers with an error of its own; 17 characters hold ±(2^53-1).
    value = int(digits) if len(digits) <= 17 else SAFE_INTEGER + 1
    if not -SAFE_INTEGER <= value <= SAFE_INTEGER:
        raise ArgumentRefusedError("got an integer beyond ±(2^53-1), expected a smaller one or a string")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ArgumentRefusedError("got an object with a doubled key, expected each key once")
    return result


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_no_float, parse_int=_integer, parse_constant=_no_float
)


def _converter(annotation: Any) -> Converter:
    if annotation is Any:
        return lambda value: value
    if annotation is None or annotation is type(None):
        return lambda value: _expect(value, value is None, "null")
    if annotation is str or annotation is int or annotation is bool:
        return lambda value: _expect(value, type(value) is annotation, _JSON_NAMES[annotation])
    origin = get_origin(annotation)
    if origin is Union or origin is types.UnionType:
        return _optional(annotation)
    if origin is not None:
        return _container(annotation, origin, get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _enumeration(annotation)
    from_dict = getattr(annotation, "from_dict", None)
    if callable(from_dict):
        return lambda value: from_dict(_expect(value, isinstance(value, dict), "an object"))
    raise ConfigurationError(f"no decoder for the annotation {annotation!r}; see fabric_shim.parameters")


def _optional(annotation: Any) -> Converter:
    members = [member for member in get_args(annotation) if member is not type(None)]
    if len(members) != 1 or len(get_args(annotation)) != 2:
        raise ConfigurationError(f"no decoder for the union {annotation!r}; only 'T | None' can be decoded")
    convert = _converter(members[0])
    return lambda value: None if value is None else convert(value)


def _container(annotation: Any, origin: Any, members: tuple[Any, ...]) -> Converter:
    if origin in (dict, Mapping) and members[0] is str:
        convert = _converter(members[1])
        return lambda value: {
            key: convert(item) for key, item in _expect(value, isinstance(value, dict), "an object").items()
        }
    if origin in (list, Sequence):
        convert = _converter(members[0])
        return lambda value: [convert(item) for item in _expect(value, isinstance(value, list), "a list")]
    if origin is tuple and len(members) == 2 and members[1] is Ellipsis:
        convert = _converter(members[0])
        return lambda value: tuple(
            convert(item) for item in _expect(value, isinstance(value, list), "a list")
        )
    raise ConfigurationError(f"no decoder for the annotation {annotation!r}; see fabric_shim.parameters")


def _enumeration(annotation: type[enum.Enum]) -> Converter:
    values = {member.value: member for member in annotation}

    def convert(value: Any) -> enum.Enum:
        _expect(value, isinstance(value, str) and value in values, f"one of {len(values)} known values")
        return values[value]

    return convert


def _expect(value: Any, fits: bool, expected: str) -> Any:
    if not fits:
        got = _JSON_NAMES.get(type(value), "another value")
        raise ArgumentRefusedError(f"got {got}, expected {expected}")
    return value


_JSON_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "true or false",
    int: "an integer",
    str: "a string",
    list: "a list",
    dict: "an object",
}
