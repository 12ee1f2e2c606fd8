from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_protocol.durations import parse_duration, parse_go_duration
from fabric_protocol.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2s", 2_000_000),
        ("10ms", 10_000),
        ("1m30s", 90_000_000),
        ("1.5h", 5_400_000_000),
        ("7µs", 7),
        ("1500ns", 1),
    ],
)
def test_go_durations(text: str, microseconds: int) -> None:
    assert parse_duration(text) == timedelta(microseconds=microseconds)


@pytest.mark.parametrize(
    "text", ["", "2", "s", "-1s", "0s", "1ns", "1 s", "1d", "1e3s", "9" * 70 + "s", "٣s", "1s\n"]
)
def test_what_is_no_positive_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_duration(text)
    assert caught.value.code == "DURATION_INVALID"


@given(st.integers(1, 10**9))
def test_milliseconds_read_back(count: int) -> None:
    assert parse_duration(f"{count}ms") == timedelta(milliseconds=count)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [("2s", 2_000_000), ("0", 0), ("0s", 0), ("-1m30s", -90_000_000), ("+5ms", 5_000)],
)
def test_any_go_duration(text: str, microseconds: int) -> None:
    assert parse_go_duration(text) == timedelta(microseconds=microseconds)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'time: invalid duration ""'),
        ("abc", 'time: invalid duration "abc"'),
        ("5", 'time: missing unit in duration "5"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
    ],
)
def test_what_is_no_go_duration_is_refused_in_gos_words(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_go_duration(text)
    assert (caught.value.code, caught.value.message) == ("DURATION_INVALID", problem)
