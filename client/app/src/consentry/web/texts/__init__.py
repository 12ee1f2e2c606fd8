"""The catalogue of texts: every word on a page, one file a language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

LANGUAGES = ("en", "de")
"""Languages there are, the first for whoever asks for none of them."""


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """The texts of a language by their keys, such as ``overview.title``.

    Args:
        language: one of `LANGUAGES`.
    """
    data = resources.files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return MappingProxyType(dict(_flat("", tomllib.loads(data))))


def text(language: str, key: str, **parameters: object) -> str:
    """A text with its placeholders filled.

    Raises:
        KeyError: there is no such text, or it names a placeholder that is not given.
    """
    found = catalogue(language)[key]
    return found.format_map(parameters) if "{" in found or "}" in found else found


def negotiated(accepted: str) -> str:
    """The language that a browser's Accept-Language asks for first, among those there are."""
    wanted = (part.partition(";")[0].strip().lower()[:2] for part in accepted[:200].split(","))
    return next((language for language in wanted if language in LANGUAGES), LANGUAGES[0])


def _flat(prefix: str, values: dict[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        key = f"{prefix}{name}"
        found += _flat(f"{key}.", value) if isinstance(value, dict) else [(key, str(value))]
    return found
