"""The shipped release of Mondo: what it says of diseases, and that nothing else is taken for it."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from importlib.resources import files

import pytest

from consentry_records import disease_hierarchy
from consentry_records.disease_hierarchy import ADDED, FILE, RELEASE, check_file, superclasses
from consentry_records.diseases import all_within, ancestors, within
from consentry_records.rule_catalogue import DISEASE, RULES

DISEASE_ROOT, NEOPLASM, CANCER = "MONDO:0000001", "MONDO:0005070", "MONDO:0004992"
GLIOBLASTOMA, BREAST_CANCER = "MONDO:0018177", "MONDO:0007254"
DIABETES, TYPE_1, TYPE_2 = "MONDO:0005015", "MONDO:0005147", "MONDO:0005148"
AUTOIMMUNE, NERVOUS_SYSTEM = "MONDO:0007179", "MONDO:0005071"
OBSOLETE_CEREBROOCULOFACIOSKELETAL, UNKNOWN = "MONDO:0000010", "MONDO:9999999"
# What decisions by `disease/1` went by: disease and a superclass.
BY_HAND = """
    5070<1 4992<5070 7254<4992 8903<4992 8903<5087 5575<4992 8315<4992 5105<4992 5059<4992 5062<4992 5066<1
    5015<5066 5147<5015 5148<5015 4995<1 5267<4995 5010<5267 5044<4995 5071<1 5559<5071 4975<5559 5180<5559
    5301<5071 5301<7179 5027<5071 7179<1 8383<7179 5087<1 4979<5087 5002<5087 5550<1 100096<5550 5812<5550
    2025<1 5090<2025
"""


def content() -> bytes:
    return files("consentry_records").joinpath(FILE).read_bytes()


def test_the_file_is_the_release_that_the_rule_names_and_says_whose_it_is() -> None:
    assert check_file(content()) == content()
    assert content().startswith(f"# Mondo Disease Ontology {RELEASE}, CC BY 4.0".encode())
    notice = files("consentry_records").joinpath("mondo.NOTICE.md").read_text("utf-8")
    assert f"release {RELEASE}" in notice
    assert "https://creativecommons.org/licenses/by/4.0/" in notice
    assert disease_hierarchy.DIGEST in RULES[DISEASE]


def test_every_line_is_canonical_and_the_hierarchy_is_closed_and_without_cycles() -> None:
    parsed: dict[str, tuple[str, ...]] = {}
    numbers = []
    for line in content().decode("ascii").splitlines()[1:]:
        assert re.fullmatch(r"[1-9][0-9]{0,6}:(?:[1-9][0-9]{0,6}(?: [1-9][0-9]{0,6})*)?", line), line
        number, _, above = line.partition(":")
        numbers.append(int(number))
        disease = f"MONDO:{int(number):07}"
        parsed[disease] = tuple(f"MONDO:{int(other):07}" for other in above.split())
        parsed[disease] += ADDED.get(disease, ())
        assert superclasses(disease) == parsed[disease]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 27_990
    assert all(other in parsed for above in parsed.values() for other in above)
    assert ADDED.keys() <= parsed.keys()
    assert len(tuple(TopologicalSorter(parsed).static_order())) == len(parsed)


@pytest.mark.parametrize(
    ("disease", "allowed", "answer"),
    [
        (CANCER, CANCER, True),
        (BREAST_CANCER, CANCER, True),
        (GLIOBLASTOMA, CANCER, True),
        (GLIOBLASTOMA, NERVOUS_SYSTEM, True),
        (GLIOBLASTOMA, DISEASE_ROOT, True),
        (TYPE_1, AUTOIMMUNE, True),
        (TYPE_1, DIABETES, True),
        (TYPE_2, AUTOIMMUNE, False),
        (TYPE_1, TYPE_2, False),
        (CANCER, GLIOBLASTOMA, False),
        (BREAST_CANCER, NERVOUS_SYSTEM, False),
        (OBSOLETE_CEREBROOCULOFACIOSKELETAL, DISEASE_ROOT, None),
        (CANCER, OBSOLETE_CEREBROOCULOFACIOSKELETAL, None),
        (OBSOLETE_CEREBROOCULOFACIOSKELETAL, OBSOLETE_CEREBROOCULOFACIOSKELETAL, True),
        (UNKNOWN, DISEASE_ROOT, None),
        (CANCER, UNKNOWN, None),
        ("MONDO:0000000", DISEASE_ROOT, None),
        (UNKNOWN, UNKNOWN, True),
    ],
)
def test_a_disease_lies_within_its_superclasses_however_far_up(
    disease: str, allowed: str, answer: bool | None
) -> None:
    assert within(disease, (allowed,)) is answer
    assert all_within((disease,), (allowed,)) is (answer is True)


def test_what_the_list_by_hand_allowed_is_allowed_still() -> None:
    pairs = [
        (f"MONDO:{int(below):07}", f"MONDO:{int(above):07}")
        for below, above in (pair.split("<") for pair in BY_HAND.split())
    ]
    assert len(pairs) == 35
    assert [pair for pair in pairs if within(pair[0], (pair[1],)) is not True] == []


def test_superclasses_are_added_only_where_the_release_lacks_them() -> None:
    for disease, added in ADDED.items():
        direct = superclasses(disease) or ()
        released = {above for other in direct if other not in added for above in ancestors(other) or ()}
        assert not released & set(added)
        assert not set(direct[: -len(added)]) & set(added)


def test_nothing_named_is_within_nothing_narrower_than_all() -> None:
    assert not all_within((), (DIABETES,))
    assert not all_within((TYPE_2, UNKNOWN), (DIABETES,))
    assert all_within((UNKNOWN,), ())


@pytest.mark.parametrize("change", [b"", b"1:\n", None])
def test_another_file_is_refused(change: bytes | None) -> None:
    with pytest.raises(RuntimeError, match=f"mondo.txt .* is not Mondo {RELEASE}"):
        check_file(content() + b"28000:1\n" if change is None else change)
