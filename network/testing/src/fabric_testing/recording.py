"""Conversations between chaincode and peer, recorded while tests run, for ``fabric_testing.replay``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from fabric_protos.peer import chaincode_shim_pb2

from fabric_shim import Contract

_COMPLETED = chaincode_shim_pb2.ChaincodeMessage.COMPLETED


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """One message of a stream.

    Attributes:
        by_chaincode: whether the chaincode sent it, else the peer.
        message: the ``ChaincodeMessage``.
    """

    by_chaincode: bool
    message: Any


@dataclass(frozen=True, slots=True)
class RecordedTransaction:
    """One run of one chaincode, from ``REGISTER`` to ``COMPLETED``.

    Attributes:
        contracts: classes of the chaincode's contracts, ``module:Class``.
        clock: what the chaincode service's clock showed, in seconds since 1970.
        messages: the whole stream, in order.
    """

    contracts: tuple[str, ...]
    clock: float
    messages: list[RecordedMessage]

    @property
    def complete(self) -> bool:
        """Whether the chaincode answered; a test may have ended before."""
        return bool(self.messages) and self.messages[-1].message.type == _COMPLETED


class Recorder:
    """Keeps what ledgers run while it is installed (``recording``).

    Attributes:
        transactions: what can be replayed.
        skipped: contracts that a second process could not make, with the reason; their runs are not kept.
    """

    def __init__(self) -> None:
        self.transactions: list[RecordedTransaction] = []
        self.skipped: dict[str, str] = {}

    def begin(self, contracts: Sequence[Contract], clock: float) -> list[RecordedMessage]:
        """Start a transaction; the list that its messages go to."""
        messages: list[RecordedMessage] = []
        reasons = {_name(contract): _reason_against(contract) for contract in contracts}
        self.skipped.update({name: reason for name, reason in reasons.items() if reason})
        if not any(reasons.values()):
            self.transactions.append(RecordedTransaction(tuple(reasons), clock, messages))
        return messages


_installed: list[Recorder] = []


@contextmanager
def recording(into: Recorder | None = None) -> Iterator[Recorder]:
    """Record every transaction that any ``Ledger`` runs meanwhile.

    Args:
        into: where to; left out, a new recorder.

    with recording() as recorder:
        await ledger.submit(alice, "notes:write", "first", "hello")
    replay(recorder)
    """
    recorder = into or Recorder()
    _installed.append(recorder)
    try:
        yield recorder
    finally:
        _installed.remove(recorder)


def begin_all(contracts: Sequence[Contract], clock: float) -> list[list[RecordedMessage]]:
    """Start a transaction with every installed recorder."""
    return [recorder.begin(contracts, clock) for recorder in _installed]


def _name(contract: Contract) -> str:
    return f"{type(contract).__module__}:{type(contract).__qualname__}"


def _reason_against(contract: Contract) -> str:
    module = type(contract).__module__
    if "<" in type(contract).__qualname__ or not _can_be_found(module):
        return "the class is not importable; define it in a module, outside of functions"
    if vars(contract):
        return "the contract was made with arguments or keeps state; a second process cannot make the same"
    return ""


@cache
def _can_be_found(module: str) -> bool:
    try:
        return module != "__main__" and find_spec(module) is not None
    except (ImportError, ValueError):
        return False
