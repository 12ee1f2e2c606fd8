"""A running process's clock, set off without its knowing.

Programs ask the kernel's shared code (the vDSO) what time it is, Go's runtime as well as the C library. That
code is replaced, in one process, by a system call and an addition; monotonic clocks are left alone.
Source: vdso(7), proc_pid_mem(5), Intel's manual for the instructions.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SECONDS_ASKED = 2.0
_DYNAMIC_SYMBOLS = 11
_SYMBOL = struct.Struct("<IBBHQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
# number of the system call, then what it gives is changed by the offset where it tells the time of day
_CLOCK_GETTIME = bytes.fromhex(
    "b8e4000000"  # mov eax, 228 (clock_gettime)
    "0f05"  # syscall
    "85c0"  # test eax, eax
    "750b"  # jne end
    "85ff"  # test edi, edi (CLOCK_REALTIME)
    "7507"  # jne end
    "488106"  # add qword [rsi], offset
)
_GETTIMEOFDAY = bytes.fromhex(
    "b860000000"  # mov eax, 96 (gettimeofday)
    "0f05"  # syscall
    "4885ff"  # test rdi, rdi
    "7407"  # je end
    "488107"  # add qword [rdi], offset
)
_TIME = bytes.fromhex(
    "b8c9000000"  # mov eax, 201 (time)
    "57"  # push rdi
    "31ff"  # xor edi, edi
    "0f05"  # syscall
    "5f"  # pop rdi
    "4805"  # add rax, offset
)
_TIME_STORED = bytes.fromhex(
    "4885ff"  # test rdi, rdi
    "7403"  # je end
    "488907"  # mov [rdi], rax
)
_RETURN = b"\xc3"


@dataclass(frozen=True)
class _Code:
    """The kernel's shared code in a process: where it lies, and where each function of it begins."""

    start: int
    end: int
    functions: dict[str, int]


def clocks_allowed() -> bool:
    """Whether the clock of another process can be set off here: it takes root and an x86-64 kernel."""
    return platform.machine() == "x86_64" and os.geteuid() == 0 and _code(os.getpid()) is not None


@contextlib.contextmanager
def clock_off(pid: int, seconds: int) -> Iterator[None]:
    """Let a process's clock be so many seconds ahead, or behind; it may end meanwhile."""
    code = _code(pid)
    assert code is not None, f"process {pid} has no shared code"
    before = _exchanged(pid, code, _altered(code, seconds))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            _exchanged(pid, code, before)


def _altered(code: _Code, seconds: int) -> dict[int, bytes]:
    """What to write where."""
    offset = struct.pack("<i", seconds)
    wanted = {
        "__vdso_clock_gettime": _CLOCK_GETTIME + offset + _RETURN,
        "__vdso_gettimeofday": _GETTIMEOFDAY + offset + _RETURN,
        "__vdso_time": _TIME + offset + _TIME_STORED + _RETURN,
    }
    return {code.functions[name]: data for name, data in wanted.items()}


def _exchanged(pid: int, code: _Code, wanted: dict[int, bytes]) -> dict[int, bytes]:
    """Write into a process while none of its threads is in the code; what was there before."""
    try:
        _stop_outside(pid, code)
        with Path(f"/proc/{pid}/mem").open("r+b", buffering=0) as memory:
            return {place: _swap(memory.fileno(), place, data) for place, data in wanted.items()}
    finally:
        os.kill(pid, signal.SIGCONT)


def _swap(memory: int, place: int, data: bytes) -> bytes:
    before = os.pread(memory, len(data), place)
    assert os.pwrite(memory, data, place) == len(data)
    return before


def _stop_outside(pid: int, code: _Code) -> None:
    deadline = time.monotonic() + _SECONDS_ASKED
    while time.monotonic() < deadline:
        os.kill(pid, signal.SIGSTOP)
        while _state(pid) not in "tT":
            assert time.monotonic() < deadline, f"process {pid} does not stop"
            time.sleep(0.001)
        if not any(code.start <= place < code.end for place in _instructions(pid)):
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.005)
    raise AssertionError(f"process {pid} never left the shared code")


def _state(pid: int) -> str:
    """The worst of its threads' states: one that runs still counts."""
    states = {
        (task / "stat").read_text().rpartition(")")[2].split()[0]
        for task in Path(f"/proc/{pid}/task").iterdir()
    }
    return next((state for state in states if state not in "tTXZ"), "T")


def _instructions(pid: int) -> list[int]:
    """Where each of a stopped process's threads will go on."""
    lines = [(task / "syscall").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    return [int(line[-1], 16) for line in lines if line[-1].startswith("0x")]


def _code(pid: int) -> _Code | None:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if line.endswith("[vdso]"):
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
                image = os.pread(memory.fileno(), end - start, start)
            functions = {name: start + offset for name, offset in _functions(image).items()}
            return _Code(start, end, functions)
    return None


def _functions(image: bytes) -> dict[str, int]:
    """Names and offsets of the functions of a 64-bit ELF image. Source: elf(5)."""
    (table,) = struct.unpack_from("<Q", image, 40)
    size, count = struct.unpack_from("<HH", image, 58)
    sections = [_SECTION.unpack_from(image, table + size * number) for number in range(count)]
    symbols = next(section for section in sections if section[1] == _DYNAMIC_SYMBOLS)
    names = sections[symbols[6]]
    found = {}
    for place in range(symbols[4], symbols[4] + symbols[5], _SYMBOL.size):
        name, _, _, _, value, _ = _SYMBOL.unpack_from(image, place)
        begin = names[4] + name
        found[image[begin : image.index(b"\0", begin)].decode()] = value
    return found
