"""Matching requests with DUO terms: yes, no, or for a person, with reasons; diseases by their ancestors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ledger_examples as examples

from consentry_records.disease_hierarchy import RELEASE
from consentry_records.duo import Match, match, worst
from consentry_records.reasons import words
from consentry_records.vocabulary import DUO_TERMS, PURPOSES, RESEARCH_TOPICS, terms_cover

DIABETES, TYPE_2, CANCER = "MONDO:0005015", "MONDO:0005148", "MONDO:0004992"
UNKNOWN, OBSOLETE = "MONDO:9999999", "MONDO:0000010"
TYPE_1, MODY_1, GLIOBLASTOMA = "MONDO:0005147", "MONDO:0007452", "MONDO:0018177"
DISEASE_ONLY = ("DUO:0000007",)


def matched(terms: tuple[str, ...], diseases: tuple[str, ...] = (), /, **request: Any) -> Match:
    return match(examples.new_request(**request), examples.version(duo_terms=terms, diseases=diseases))


@pytest.mark.parametrize(
    ("terms", "request_fields", "outcome", "reasons"),
    [
        ((), {}, "yes", []),
        (("DUO:0000004",), {}, "yes", []),
        (("DUO:0000042",), {}, "yes", []),
        (("DUO:0000007",), {}, "no", ["PURPOSE_EXCLUDED_BY_DATASET"]),
        (("DUO:0000006", "DUO:0000018"), {"commercial": True}, "no", ["DUO_TERM_EXCLUDES"]),
        (("DUO:0000006", "DUO:0000046"), {}, "yes", []),
        (("DUO:0000021",), {}, "no", ["DUO_TERM_EXCLUDES"]),
        (("DUO:0000021",), {"ethics_approval_digest": examples.digest()}, "yes", []),
        (("DUO:0000015",), {"topics": ("methods",)}, "no", ["DUO_TERM_EXCLUDES"]),
        (("DUO:0000016",), {"topics": ("methods",)}, "no", ["DUO_TERM_EXCLUDES"]),
        (("DUO:0000016",), {"topics": ("genetic",)}, "yes", []),
        (("DUO:0000011",), {"topics": ("ancestry",)}, "yes", []),
        (("DUO:0000044",), {"topics": ("ancestry",)}, "no", ["DUO_TERM_EXCLUDES"]),
        (("DUO:0000020", "DUO:0000019"), {}, "person", ["DUO_TERM_FOR_PERSON"] * 2),
        (("DUO:0000020", "DUO:0000021"), {}, "no", ["DUO_TERM_EXCLUDES"]),
        ((), {"purposes": ("TREAT",)}, "person", ["DUO_SILENT_ON_CARE"]),
    ],
)
def test_terms_answer(
    terms: tuple[str, ...], request_fields: dict[str, Any], outcome: str, reasons: list[str]
) -> None:
    found = matched(terms, **request_fields)
    assert (found.outcome, [reason.code for reason in found.reasons]) == (outcome, reasons)
    assert all(words(reason) for reason in found.reasons)


@pytest.mark.parametrize(
    ("asked", "outcome", "code"),
    [
        ((DIABETES,), "yes", None),
        ((TYPE_2,), "yes", None),
        ((MODY_1, TYPE_1), "yes", None),
        ((TYPE_2, CANCER), "no", "DISEASE_NOT_COVERED_BY_DATASET"),
        ((GLIOBLASTOMA,), "no", "DISEASE_NOT_COVERED_BY_DATASET"),
        ((UNKNOWN,), "person", "DISEASE_UNKNOWN"),
        ((OBSOLETE,), "person", "DISEASE_UNKNOWN"),
        ((UNKNOWN, CANCER), "no", "DISEASE_NOT_COVERED_BY_DATASET"),
        ((), "person", "DISEASE_NOT_STATED"),
    ],
)
def test_disease_specific_data_go_by_the_ancestors(
    asked: tuple[str, ...], outcome: str, code: str | None
) -> None:
    found = matched(DISEASE_ONLY, (DIABETES,), purposes=("DUO:0000007",), diseases=asked)
    assert found.outcome == outcome
    assert [reason.code for reason in found.reasons][:1] == ([code] if code else [])
    for reason in found.reasons:
        assert reason.parameters.get("release", RELEASE) == RELEASE
        assert ("Mondo " + RELEASE in words(reason)) == ("disease" in reason.parameters)


def test_siblings_do_not_lie_within_each_other() -> None:
    found = matched(DISEASE_ONLY, (TYPE_1,), purposes=("DUO:0000007",), diseases=(TYPE_2,))
    assert (found.outcome, dict(found.reasons[0].parameters)) == (
        "no",
        {"disease": TYPE_2, "release": RELEASE},
    )


def test_a_disease_of_the_dataset_that_nobody_knows_still_equals_itself() -> None:
    found = matched(DISEASE_ONLY, (UNKNOWN,), purposes=("DUO:0000007",), diseases=(UNKNOWN,))
    assert found.outcome == "yes"
    without = matched(DISEASE_ONLY, (), purposes=("DUO:0000007",), diseases=(TYPE_2,))
    assert without.outcome == "person"


@given(
    terms=st.lists(st.sampled_from(sorted(DUO_TERMS)), max_size=5, unique=True).map(tuple),
    purposes=st.lists(st.sampled_from(sorted(PURPOSES)), min_size=1, max_size=3, unique=True).map(tuple),
    topics=st.lists(st.sampled_from(sorted(RESEARCH_TOPICS)), unique=True).map(tuple),
    commercial=st.booleans(),
)
def test_an_answer_is_yes_exactly_without_reasons_and_more_terms_never_help(
    terms: tuple[str, ...], purposes: tuple[str, ...], topics: tuple[str, ...], commercial: bool
) -> None:
    fields: dict[str, Any] = {"purposes": purposes, "topics": topics, "commercial": commercial}
    found = matched(terms, **fields)
    assert (found.outcome == "yes") == (found.reasons == ())
    if found.outcome != "no":
        assert all(terms_cover(terms, purpose) for purpose in purposes)
    modifiers = tuple(term for term in terms if term not in ("DUO:0000042", "DUO:0000006", "DUO:0000007"))
    rank = {"yes": 0, "person": 1, "no": 2}
    for left_out in modifiers:
        fewer = matched(tuple(term for term in terms if term != left_out), **fields)
        assert rank[fewer.outcome] <= rank[found.outcome]
    assert worst([found, Match("yes", ())]) == found.outcome
