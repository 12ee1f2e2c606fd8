"""What Linux knows about the exactness of its own clock: adjtimex(2), read only."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass

_STA_UNSYNC = 0x0040
_MICROSECONDS = 1_000_000
# struct timex is 208 bytes on 64-bit Linux; more than it needs is harmless.
_ROOM = 512


class _Timex(ctypes.Structure):
    """The start of struct timex, up to `status`; the rest is not read."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * _ROOM),
    )


@dataclass(frozen=True)
class KernelClock:
    """Whether something keeps the clock in step, and how far off it may be at most, in seconds."""

    synchronized: bool
    largest_error_seconds: float


def kernel_clock() -> KernelClock | None:
    """Ask the kernel; None where the system has no such call or refuses it."""
    if not sys.platform.startswith("linux"):
        return None
    state = _Timex()
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    except (OSError, AttributeError):
        return None
    if answer < 0:
        return None
    return KernelClock(not state.status & _STA_UNSYNC, state.maxerror / _MICROSECONDS)
