from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_protocol.durations import parse_duration
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
