"""Durations in Go's notation, as channel configurations hold them ("2s", "10ms", "1m30s").

Source: fabric-behaviour §11.2 (BatchTimeout); Go's `time.ParseDuration`.
"""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Final

from fabric_protocol.errors import ConfigError

_MICROSECONDS: Final = {
    "ns": Decimal("0.001"),
    "us": Decimal(1),
    "µs": Decimal(1),
    "μs": Decimal(1),
    "ms": Decimal(1000),
    "s": Decimal(1_000_000),
    "m": Decimal(60_000_000),
    "h": Decimal(3_600_000_000),
}
_PART: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,12})?)(ns|us|µs|μs|ms|s|m|h)")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?")
_UNKNOWN_UNIT: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?([^0-9.]+)")
_WHOLE: Final = re.compile(rf"(?:{_PART.pattern})+")


def parse_duration(text: str) -> timedelta:
    """Read a positive duration; finer parts than a microsecond are cut off.

    Raises:
        ConfigError: DURATION_INVALID, not in Go's notation, or not at least a microsecond.
    """
    if len(text) <= 64 and _WHOLE.fullmatch(text):
        microseconds = sum(Decimal(amount) * _MICROSECONDS[unit] for amount, unit in _PART.findall(text))
        if 1 <= microseconds < 10**15:
            return timedelta(microseconds=int(microseconds))
    raise ConfigError(
        "DURATION_INVALID", f"expected a positive duration such as '2s' or '10ms', got {text!r}"
    )


def parse_go_duration(text: str) -> timedelta:
    """Read any duration, zero and negative ones too, finer parts than a microsecond cut off.

    Raises:
        ConfigError: DURATION_INVALID, with the words of Go's library.
    """
    digits = text[1:] if text[:1] in ("+", "-") else text
    if digits == "0":
        return timedelta(0)
    if len(text) <= 64 and _WHOLE.fullmatch(digits):
        microseconds = sum(Decimal(amount) * _MICROSECONDS[unit] for amount, unit in _PART.findall(digits))
        return timedelta(microseconds=int(microseconds)) * (-1 if text[0] == "-" else 1)
    reason = "invalid duration"
    if _NUMBER.fullmatch(digits):
        reason = "missing unit in duration"
    elif unknown := _UNKNOWN_UNIT.fullmatch(digits):
        reason = f'unknown unit "{unknown[1]}" in duration'
    raise ConfigError("DURATION_INVALID", f'time: {reason} "{text}"')
