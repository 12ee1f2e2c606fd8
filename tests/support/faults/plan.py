"""Which faults strike whom and for how long: all of it from one seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

ORGANIZATIONS = ("northgate", "riverside", "lakeside", "regulator")
HOSPITALS = ORGANIZATIONS[:3]
KILL_PEER, KILL_ORDERER, KILL_CHAINCODE, KILL_DECIDER = (
    "kill -9 of a peer",
    "kill -9 of an orderer",
    "kill -9 of a chaincode service",
    "kill -9 of a decision service",
)
STOP_PEER, STOP_ORDERER, STOP_CHAINCODE = (
    "SIGSTOP of a peer",
    "a silent orderer (SIGSTOP)",
    "SIGSTOP of a chaincode service",
)
CUT_ONE, CUT_HALVES = "one organization cut off", "two organizations cut from the other two"
SLOW_PEER, SLOW_ORDERER, FULL_PEER = "a peer's slow disk", "an orderer's slow disk", "a peer's full disk"
PEER_CLOCK, ORDERER_CLOCK, CHAINCODE_CLOCK, DECIDER_CLOCK = (
    "a peer's clock",
    "an orderer's clock",
    "a chaincode service's clock",
    "a decision service's clock",
)
LYING_ORDERER, TWO_FACED_ORDERER = (
    "an orderer that lies to clients and peers",
    "an orderer that lies to orderers (two with its keys)",
)

PROCESS_KINDS = (
    KILL_PEER,
    KILL_ORDERER,
    KILL_CHAINCODE,
    KILL_DECIDER,
    STOP_PEER,
    STOP_ORDERER,
    STOP_CHAINCODE,
)
CUT_KINDS = (CUT_ONE, CUT_HALVES)
DISK_KINDS = (SLOW_PEER, SLOW_ORDERER, FULL_PEER)
CLOCK_KINDS = (PEER_CLOCK, ORDERER_CLOCK, CHAINCODE_CLOCK, DECIDER_CLOCK)
LIE_KINDS = (LYING_ORDERER, TWO_FACED_ORDERER)
TWINNED = "riverside"
"""The organization of which there can be two."""
_SHORTEST, _LONGEST = 1.0, 4.0
_LARGEST_OFFSET = 75
# Whoever lies has to be asked first.
_LIES_LAST = 3


@dataclass(frozen=True)
class Fault:
    """One fault.

    Parameters:
        number: its place in the run.
        kind: one of the kinds of this module.
        organizations: whom it strikes; with halves, those on one side; with two faces, who sees the second.
        seconds: how long it lasts.
        offset: how far a clock is off, in seconds.
    """

    number: int
    kind: str
    organizations: tuple[str, ...]
    seconds: float
    offset: int = 0

    def __str__(self) -> str:
        offset = f" by {self.offset:+} s" if self.offset else ""
        return f"{self.kind}{offset}: {' and '.join(self.organizations)}, {self.seconds:.1f} s"


def planned(seed: int, count: int, kinds: Sequence[str]) -> list[Fault]:
    """The faults of a run; every kind comes before any comes a second time."""
    generator = random.Random(seed)
    faults: list[Fault] = []
    waiting: list[str] = []
    for number in range(1, count + 1):
        if not waiting:
            waiting = generator.sample(kinds, len(kinds))
        faults.append(_fault(number, waiting.pop(), generator))
    return faults


def _fault(number: int, kind: str, generator: random.Random) -> Fault:
    seconds = generator.uniform(_SHORTEST, _LONGEST) * (_LIES_LAST if kind in LIE_KINDS else 1)
    if kind == CUT_HALVES:
        return Fault(number, kind, tuple(sorted(generator.sample(ORGANIZATIONS, 2))), seconds)
    if kind == TWO_FACED_ORDERER:
        others = [name for name in ORGANIZATIONS if name != TWINNED]
        return Fault(number, kind, tuple(generator.sample(others, generator.choice((1, 2)))), seconds)
    if kind == FULL_PEER:
        # Only this peer has a file system of its own.
        return Fault(number, kind, ("lakeside",), seconds)
    if kind in (KILL_DECIDER, DECIDER_CLOCK):
        target = generator.choice(HOSPITALS[::2])
    else:
        target = generator.choice(ORGANIZATIONS)
    offset = generator.choice((-_LARGEST_OFFSET, _LARGEST_OFFSET)) if kind in CLOCK_KINDS else 0
    return Fault(number, kind, (target,), seconds, offset)
