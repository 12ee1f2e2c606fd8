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
