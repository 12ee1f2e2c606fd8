"""The filter of system calls, run by a few lines that do what the kernel does with it."""

from __future__ import annotations

import errno
import struct

import pytest

from consentry.gate.compute.inside.system_calls import DENIED, instructions

ALLOWED, KILLED = 0x7FFF0000, 0x80000000
REFUSED, ABSENT = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
MACHINES = {"x86_64": (0xC000003E, 0, 56), "aarch64": (0xC00000B7, 1, 220)}
EVERY_MACHINE = pytest.mark.parametrize("machine", MACHINES)


def verdict(machine: str, call: int, argument: int = 0, architecture: int | None = None) -> int:
    """What the filter says to a call."""
    own = MACHINES[machine][0] if architecture is None else architecture
    data = struct.pack("=IIQ6Q", call, own, 0, argument, 0, 0, 0, 0, 0)
    program = list(struct.iter_unpack("=HBBI", instructions(machine)))
    place = accumulator = 0
    while True:
        code, yes, no, value = program[place]
        place += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif code == 0x06:
            return value
        else:
            holds = {0x15: accumulator == value, 0x25: accumulator > value, 0x45: bool(accumulator & value)}
            place += yes if holds[code] else no


@EVERY_MACHINE
def test_denied_calls_are_refused_and_their_neighbours_are_not(machine: str) -> None:
    column, clone = MACHINES[machine][1:]
    denied = {numbers[column] for numbers in DENIED.values()} - {None}
    for call in range(463):
        if call == clone:
            continue
        expected = ABSENT if call == 435 else REFUSED if call in denied else ALLOWED
        assert verdict(machine, call) == expected, call


@EVERY_MACHINE
def test_threads_may_be_made_and_processes_not(machine: str) -> None:
    clone = MACHINES[machine][2]
    assert verdict(machine, clone, 0x3D0F00) == ALLOWED  # what the C library's threads ask for
    assert verdict(machine, clone, 0x1200011) == REFUSED  # what its fork asks for
    assert verdict(machine, clone, 0x10000000) == REFUSED


@EVERY_MACHINE
@pytest.mark.parametrize("call", [463, 500, 0x40000000 | 39, 0xFFFFFFFF])
def test_calls_that_are_newer_or_of_another_kind_do_not_exist(machine: str, call: int) -> None:
    assert verdict(machine, call) == ABSENT


@EVERY_MACHINE
def test_a_call_by_another_architecture_kills(machine: str) -> None:
    assert verdict(machine, 1, architecture=0x40000003) == KILLED
