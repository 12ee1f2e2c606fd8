"""Which columns and categories a grant covers: names as schemas have them, nothing beyond those named."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support import ledger_examples as examples

from consentry_records import Conditions, FieldError, Grant, LedgerError, NewAccessAttempt
from consentry_records.columns import MAXIMUM_COLUMN_NAME, MAXIMUM_COLUMNS
from consentry_records.grant_checks import check_grant_answers_request, narrowed
from consentry_records.grant_rules import Use, grant_refusals

SETTINGS = examples.settings()
NAMES = ("age", "tumour stage", "größe", "年齢")
HOSTILE = (
    "soft\u00adhyphen",
    "",
    " age",
    "age ",
    "\u3000age",
    "a\nb",
    "a\x00b",
    "a\u202eb",
    "a\u200bb",
    "\ufeffage",
    "a\u2028b",
    "a\u00a0b",
    "gro\u0308ße",
    "\ud800",
    "\U0001f9ec",
    "consentry.leaf",
    "x" * (MAXIMUM_COLUMN_NAME + 1),
)
SOME = st.lists(st.sampled_from(NAMES), max_size=3, unique=True).map(tuple)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_kept_as_they_are(name: str) -> None:
    attempt = examples.new_attempt(columns=(name,))
    assert NewAccessAttempt.from_bytes(attempt.to_bytes()).columns == (name,)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_and_not_repeated(name: str) -> None:
    for make in (
        lambda: examples.new_attempt(columns=(name,)),
        lambda: examples.new_request(columns=(name,)),
        lambda: Conditions(columns=(name,)),
    ):
        with pytest.raises(FieldError) as caught:
            make()
        assert caught.value.fields["field"] == "columns[0]"
        assert len(name) < 3 or name not in caught.value.message


@pytest.mark.parametrize("columns", ["age", ("age", "age"), (1,), (None,), {"age": 1}])
def test_columns_are_a_list_of_different_names(columns: Any) -> None:
    with pytest.raises(FieldError):
        examples.new_attempt(columns=columns)


def test_there_is_a_bound() -> None:
    most = tuple(f"c{number}" for number in range(MAXIMUM_COLUMNS))
    assert Conditions(columns=most).columns == most
    with pytest.raises(FieldError):
        Conditions(columns=(*most, "one more"))


@given(st.text(max_size=20))
def test_every_accepted_name_is_in_normal_form_and_can_be_shown(name: str) -> None:
    try:
        examples.new_attempt(columns=(name,))
    except FieldError:
        return
    assert unicodedata.normalize("NFC", name) == name
    assert name.isprintable()


def codes(
    grant: Grant, columns: tuple[str, ...], categories: tuple[str, ...] = ("measurements",)
) -> list[str]:
    use = Use(purpose="DUO:0000006", commercial=False, columns=columns)
    version = examples.version(categories=categories)
    found = grant_refusals(grant, version, use, suspended=False, settings=SETTINGS, at=examples.MIDDLE)
    return [reason.code for reason in found]


def granting(**conditions: Any) -> Grant:
    return examples.grant(conditions=Conditions(**conditions))


@given(SOME, SOME)
def test_a_use_is_allowed_just_the_columns_that_are_granted(
    granted: tuple[str, ...], used: tuple[str, ...]
) -> None:
    expected = []
    if granted and not used:
        expected = ["COLUMNS_NOT_NAMED"]
    elif granted and not set(used) <= set(granted):
        expected = ["COLUMN_NOT_COVERED"]
    assert codes(granting(columns=granted), used) == expected


@given(SOME, SOME, SOME)
def test_narrower_columns_allow_less(
    granted: tuple[str, ...], later: tuple[str, ...], used: tuple[str, ...]
) -> None:
    grant = granting(columns=granted)
    wider = bool(granted) and (not later or not set(later) <= set(granted))
    change = examples.narrowed(conditions=Conditions(columns=later))
    if wider:
        with pytest.raises(LedgerError) as caught:
            narrowed(grant, change)
        assert caught.value.fields["field"] == "conditions.columns"
        return
    assert codes(narrowed(grant, change), used) or not codes(grant, used)


def test_the_first_column_beyond_the_grant_is_named() -> None:
    use = Use(purpose="DUO:0000006", commercial=False, columns=("age", "größe", "年齢"))
    (reason,) = grant_refusals(
        granting(columns=("age",)),
        examples.version(),
        use,
        suspended=False,
        settings=SETTINGS,
        at=examples.MIDDLE,
    )
    assert reason.parameters["column"] == "größe"


@pytest.mark.parametrize(
    ("granted", "version", "expected"),
    [
        ((), ("genomics",), []),
        (("genomics",), ("genomics",), []),
        (("genomics", "imaging"), ("genomics",), []),
        (("imaging",), ("genomics",), ["CATEGORY_NOT_COVERED"]),
        (("imaging",), ("imaging", "genomics"), ["CATEGORY_NOT_COVERED"]),
    ],
)
def test_every_category_of_the_version_has_to_be_granted(
    granted: tuple[str, ...], version: tuple[str, ...], expected: list[str]
) -> None:
    assert codes(granting(data_categories=granted), (), version) == expected


@given(SOME, SOME)
def test_a_grant_gives_no_column_that_was_not_asked_for(
    asked: tuple[str, ...], granted: tuple[str, ...]
) -> None:
    assume(asked)
    request = examples.request(columns=asked)
    grant = examples.new_grant(conditions=Conditions(columns=granted))
    if granted and set(granted) <= set(asked):
        check_grant_answers_request(grant, request)
        return
    with pytest.raises(LedgerError) as caught:
        check_grant_answers_request(grant, request)
    assert caught.value.code == ("GRANT_COLUMN_NOT_REQUESTED" if granted else "GRANT_COLUMNS_MISSING")


def test_a_request_for_all_is_answered_by_any_columns() -> None:
    check_grant_answers_request(
        examples.new_grant(conditions=Conditions(columns=("age",))), examples.request()
    )
