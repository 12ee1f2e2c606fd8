"""The fields of an argument as rows of words: every field is shown, and different values show differently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from consentry.web.actions.safe_text import visible

CODED: Mapping[str, str] = MappingProxyType(
    {
        "purposes": "purposes",
        "restrictions": "restrictions",
        "recommendation": "recommendations",
        "reasons": "review_reasons",
        "required_roles": "roles",
        "right": "rights_kinds",
        "step": "request_steps",
        "ground": "rights_grounds",
        "store": "rights_stores",
        "method": "rights_methods",
        "state": "emergency_states",
        "findings": "emergency_findings",
        "natures": "breach_natures",
    }
)
"""Fields whose values are codes, and the group of the catalogue that has their words."""

_INSTANTS = frozenset(
    {
        "not_before",
        "not_after",
        "publication_not_before",
        "received_at",
        "notified_at",
        "aware_at",
        "happened_at",
    }
)
_Words = Callable[..., str]


def shown_fields(
    fields: Mapping[str, Any], words: _Words, codes: Mapping[str, str] = CODED
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield name and values of each field in words; those of a record inside come in its place.

    `codes` gives the groups of fields whose values are codes.

    Raises:
        KeyError: the catalogue has no words for a field or a code.
    """
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from shown_fields(value, words, codes)
            continue
        yield words(f"argument.{name}"), _shown(name, value, words, codes)


def in_sentence(name: str, value: Any) -> str:
    """A field's value for the place of its name in a sentence; of a list how many there are."""
    if isinstance(value, list):
        return str(len(value))
    return instant(value) if name in _INSTANTS and value is not None else visible(str(value))


def _shown(name: str, value: Any, words: _Words, codes: Mapping[str, str]) -> tuple[str, ...]:
    if value is None or value == []:
        return (words(f"argument-empty.{name}"),)
    if isinstance(value, list):
        return tuple(_one(name, item, words, codes) for item in value)
    return (_one(name, value, words, codes),)


def _one(name: str, value: Any, words: _Words, codes: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return words("answer.yes") if value else words("answer.no")
    if isinstance(value, Mapping):
        return "; ".join(
            f"{label}: {', '.join(values)}" for label, values in shown_fields(value, words, codes)
        )
    if isinstance(value, int):
        return str(value)
    if name in codes:
        return f"{words(f'{codes[name]}.{value}')} ({value})"
    return instant(value) if name in _INSTANTS else visible(value)


def instant(text: str) -> str:
    """An instant of a record as people read it: `2027-01-31 12:00:00.000 UTC`."""
    return f"{text[:10]} {text[11:-1]} UTC"
