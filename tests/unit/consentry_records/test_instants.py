"""Instants: text order is order in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.record_documents import INSTANTS

from consentry_records.instants import (
    EARLIEST,
    LATEST,
    format_instant,
    milliseconds_between,
    months_after,
    parse_instant,
    shift,
)


@given(INSTANTS, INSTANTS)
def test_text_order_is_time_order(one: str, other: str) -> None:
    assert format_instant(parse_instant(one)) == one
    assert (one < other) == (parse_instant(one) < parse_instant(other))
    assert shift(one, milliseconds_between(one, other)) == other


@given(INSTANTS, st.integers(-(10**15), 10**15))
def test_shifting_stays_within_the_years(instant: str, milliseconds: int) -> None:
    shifted = shift(instant, milliseconds)
    assert EARLIEST <= shifted <= LATEST
    assert shifted in (EARLIEST, LATEST) or milliseconds_between(instant, shifted) == milliseconds


def test_fractions_of_a_millisecond_are_cut() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert format_instant(moment) == "2026-03-01T10:00:00.999Z"


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), datetime(1969, 12, 31, tzinfo=UTC)])
def test_moments_that_cannot_be_written(moment: datetime) -> None:
    with pytest.raises(ValueError, match="expected"):
        format_instant(moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-01",
        "2026-03-01T00:00:00Z",
        "2026-03-01T00:00:00.000+00:00",
        "2026-03-01t00:00:00.000z",
        "2026-13-01T00:00:00.000Z",
        "1969-12-31T23:59:59.999Z",
        "2026-03-01T24:00:00.000Z",
        "2026-03-01T00:00:60.000Z",
        "2026-03-01T00:00:00.000Z\n",
    ],
)
def test_other_texts_are_no_instants(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-03-10T11:00:00.000Z", 1, "2026-04-10T11:00:00.000Z"),
        ("2026-01-31T00:00:00.001Z", 1, "2026-02-28T00:00:00.001Z"),
        ("2028-01-31T00:00:00.000Z", 1, "2028-02-29T00:00:00.000Z"),
        ("2026-11-30T00:00:00.000Z", 1, "2026-12-30T00:00:00.000Z"),
        ("2026-12-31T00:00:00.000Z", 2, "2027-02-28T00:00:00.000Z"),
        ("9999-11-30T00:00:00.000Z", 3, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_months_are_counted_by_the_day(start: str, months: int, end: str) -> None:
    assert months_after(start, months) == end
