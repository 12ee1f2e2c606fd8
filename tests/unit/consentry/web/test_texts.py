"""The catalogue of texts: the same keys and placeholders in every language, and none that is missing."""

from __future__ import annotations

import re
import string
from importlib import resources

import pytest

from consentry.web.pages import NAVIGATION
from consentry.web.texts import LANGUAGES, catalogue, negotiated, text
from consentry_records.roles import ROLES

_USED = re.compile(r"""(?:text|words)\(\s*['"]([a-zA-Z0-9_.]+)['"]\s*[,)]""")
_TITLES = re.compile(r"""title_key=["']([a-z_.]+)["']""")


def placeholders(value: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts(language):
    first = catalogue(LANGUAGES[0])
    other = catalogue(language)
    assert set(other) == set(first)
    assert {key: placeholders(other[key]) for key in first} == {
        key: placeholders(first[key]) for key in first
    }
    assert all(value.strip() for value in other.values())


def test_pages_name_no_text_that_is_missing():
    package = resources.files("consentry.web")
    sources = [
        *package.joinpath("templates").iterdir(),
        *package.joinpath("pages").iterdir(),
        *package.iterdir(),
    ]
    named = {"errors.title"} | {item.text_key for item in NAVIGATION} | {f"roles.{role}" for role in ROLES}
    for source in sources:
        if source.name.endswith((".html", ".py")):
            content = source.read_text(encoding="utf-8")
            named |= set(_USED.findall(content)) | set(_TITLES.findall(content))
    assert len(named) > 30
    assert named <= set(catalogue("en"))


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr, de;q=0.5", "de"),
        ("x" * 9000, "en"),
        ("EN-gb", "en"),
    ],
)
def test_the_language_is_the_first_that_there_is(accepted, language):
    assert negotiated(accepted) == language


def test_values_are_put_in_by_name():
    assert text("en", "accesses.block", block=7) == "block 7"
    with pytest.raises(KeyError):
        text("en", "accesses.block")
