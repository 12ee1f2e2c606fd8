"""Make a fault, keep it up for its time, end it."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping

from support.faults import plan
from support.faults.clocks import clock_off, clocks_allowed
from support.faults.consortium import SMALL_DISK, FaultyConsortium
from support.faults.disks import full_disk, slow_disk, slow_disks_allowed
from support.faults.lying import lying_orderer, two_faced_orderer
from support.faults.plan import Fault


def possible_kinds() -> tuple[tuple[str, ...], dict[str, str]]:
    """Kinds of faults that can be made on this machine, and why the others cannot."""
    kinds, missing = [*plan.PROCESS_KINDS, *plan.CUT_KINDS, *plan.LIE_KINDS, plan.FULL_PEER], {}
    if slow_disks_allowed():
        kinds += [plan.SLOW_PEER, plan.SLOW_ORDERER]
    else:
        missing |= dict.fromkeys((plan.SLOW_PEER, plan.SLOW_ORDERER), "no cgroup (v1) blkio controller")
    if clocks_allowed():
        kinds += plan.CLOCK_KINDS
    else:
        missing |= dict.fromkeys(plan.CLOCK_KINDS, "not root, or no x86-64 Linux")
    return tuple(kinds), missing


def inject(consortium: FaultyConsortium, fault: Fault) -> None:
    """Make a fault and end it; afterwards everything that it hurt is as before, or was started again."""
    with _MAKERS[fault.kind](consortium, fault):
        time.sleep(fault.seconds)


@contextlib.contextmanager
def _killed(consortium: FaultyConsortium, fault: Fault) -> Iterator[None]:
    name = f"{_PROCESSES[fault.kind]}-{fault.organizations[0]}"
    consortium.kill(name)
    yield
    if name.startswith("decide-"):
        consortium.start_decider(fault.organizations[0])
    else:
        consortium.network.start_node(name)


@contextlib.contextmanager
def _stopped(consortium: FaultyConsortium, fault: Fault) -> Iterator[None]:
    name = f"{_PROCESSES[fault.kind]}-{fault.organizations[0]}"
    consortium.signal(name, signal.SIGSTOP)
    try:
        yield
    finally:
        consortium.signal(name, signal.SIGCONT)


@contextlib.contextmanager
def _cut(consortium: FaultyConsortium, fault: Fault) -> Iterator[None]:
    consortium.switchboard.cut(fault.organizations)
    try:
        yield
    finally:
        consortium.switchboard.heal()


@contextlib.contextmanager
def _slow(consortium: FaultyConsortium, fault: Fault) -> Iterator[None]:
    name = f"{_PROCESSES[fault.kind]}-{fault.organizations[0]}"
    record = consortium.keeper.find(name)
    assert record is not None
    with slow_disk(record.pid, consortium.network.directory):
        yield


@contextlib.contextmanager
def _full(consortium: FaultyConsortium, fault: Fault) -> Iterator[None]:
    node = SMALL_DISK[0]
    with full_disk(consortium.data(node)):
        yield
    if consortium.keeper.find(node) is None:
        # Fabric ends a peer that cannot write; whoever runs it makes room and starts it.
        consortium.network.start_node(node)


@contextlib.contextmanager
def _clock(consortium: FaultyConsortium, fault: Fault) -> Iterator[None]:
    name = f"{_PROCESSES[fault.kind]}-{fault.organizations[0]}"
    record = consortium.keeper.find(name)
    assert record is not None
    with clock_off(record.pid, fault.offset):
        yield


@contextlib.contextmanager
def _lying(consortium: FaultyConsortium, fault: Fault) -> Iterator[None]:
    with lying_orderer(consortium, fault.organizations[0]):
        yield


@contextlib.contextmanager
def _two_faced(consortium: FaultyConsortium, fault: Fault) -> Iterator[None]:
    with two_faced_orderer(consortium, fault.organizations):
        yield


_PROCESSES: Mapping[str, str] = {
    plan.KILL_PEER: "peer",
    plan.KILL_ORDERER: "orderer",
    plan.KILL_CHAINCODE: "chaincode",
    plan.KILL_DECIDER: "decide",
    plan.STOP_PEER: "peer",
    plan.STOP_ORDERER: "orderer",
    plan.STOP_CHAINCODE: "chaincode",
    plan.SLOW_PEER: "peer",
    plan.SLOW_ORDERER: "orderer",
    plan.PEER_CLOCK: "peer",
    plan.ORDERER_CLOCK: "orderer",
    plan.CHAINCODE_CLOCK: "chaincode",
    plan.DECIDER_CLOCK: "decide",
}
_Maker = Callable[[FaultyConsortium, Fault], contextlib.AbstractContextManager[None]]
_MAKERS: Mapping[str, _Maker] = {
    **dict.fromkeys((plan.KILL_PEER, plan.KILL_ORDERER, plan.KILL_CHAINCODE, plan.KILL_DECIDER), _killed),
    **dict.fromkeys((plan.STOP_PEER, plan.STOP_ORDERER, plan.STOP_CHAINCODE), _stopped),
    **dict.fromkeys(plan.CUT_KINDS, _cut),
    **dict.fromkeys((plan.SLOW_PEER, plan.SLOW_ORDERER), _slow),
    plan.FULL_PEER: _full,
    **dict.fromkeys(plan.CLOCK_KINDS, _clock),
    plan.LYING_ORDERER: _lying,
    plan.TWO_FACED_ORDERER: _two_faced,
}
