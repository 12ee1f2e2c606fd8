"""A clock of the process that is wrong by days, for everything that asks the standard library."""

from __future__ import annotations

import datetime
import time
from datetime import date as real_date
from datetime import datetime as real_datetime
from typing import Any, Self


def shift_clock(seconds: float) -> None:
    """Move ``time.time`` and its kin, and ``now`` and ``today`` of dates, by ``seconds``, for good.

    Call it before the modules are imported that shall see it. Monotonic clocks stay: they differ between
    processes anyway, and event loops live by them.
    """
    real = time.time, time.time_ns, time.gmtime, time.localtime
    time.time = lambda: real[0]() + seconds
    time.time_ns = lambda: real[1]() + int(seconds * 10**9)
    time.gmtime = lambda moment=None: real[2](time.time() if moment is None else moment)
    time.localtime = lambda moment=None: real[3](time.time() if moment is None else moment)
    _shift_datetime(datetime.timedelta(seconds=seconds))


def _shift_datetime(shift: datetime.timedelta) -> None:
    class _Kind(type):
        # Values that C code makes are of the real classes: to whoever asks they must be these.
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real_datetime if cls is Shifted else real_date)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real_datetime if cls is Shifted else real_date)

    class Shifted(real_datetime, metaclass=_Kind):
        @classmethod
        def now(cls, tz: Any = None) -> Self:
            return super().now(tz) + shift

        @classmethod
        def utcnow(cls) -> Self:
            return cls.now(datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Self:
            return cls.now()

    class ShiftedDate(real_date, metaclass=_Kind):
        @classmethod
        def today(cls) -> Self:
            moment = Shifted.now()
            return cls(moment.year, moment.month, moment.day)

    Shifted.__name__ = Shifted.__qualname__ = "datetime"
    ShiftedDate.__name__ = ShiftedDate.__qualname__ = "date"
    datetime.datetime = Shifted  # type: ignore[misc]
    datetime.date = ShiftedDate  # type: ignore[misc]
