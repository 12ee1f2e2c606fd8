"""What a chaincode service counts, for Prometheus: ``GET /metrics`` of ``operations``.

Labels hold names of this package only, never what a client or a contract chose.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from fabric_shim.messages import operation_name

_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counters of one process; every stream of it adds to the same ones.

    Attributes:
        streams: peers whose registration stands now.
        running: transactions that run now.
        waiting: transactions that wait because as many run as may.
    """

    def __init__(self) -> None:
        self.streams = 0
        self.running = 0
        self.waiting = 0
        self._transactions: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._round_trips: Counter[int] = Counter()
        self._durations = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0

    def started(self) -> None:
        """A transaction runs."""
        self.running += 1

    def ended(self, status: int | None, seconds: float) -> None:
        """A transaction has ended.

        Args:
            status: of its answer; ``None`` if it was cancelled and got none.
            seconds: how long it ran.
        """
        self.running -= 1
        self._transactions[_outcome(status)] += 1
        self._durations[bisect_left(_BOUNDS, seconds)] += 1
        self._seconds += seconds

    def refused(self, code: str) -> None:
        """A proposal was refused by the service itself."""
        self._refused[code] += 1

    def asked(self, message_type: int) -> None:
        """A request was sent to the peer."""
        self._round_trips[message_type] += 1

    def exposition(self) -> str:
        """All metrics in Prometheus's text format, version 0.0.4."""
        return "".join(line + "\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield from _gauge("chaincode_peer_streams", "Peers that are registered now.", self.streams)
        yield from _gauge("chaincode_running_transactions", "Transactions that run now.", self.running)
        yield from _gauge(
            "chaincode_waiting_transactions", "Transactions that wait for others.", self.waiting
        )
        trips = {operation_name(number): count for number, count in self._round_trips.items()}
        yield from _counter(
            "chaincode_transactions_total", "Transactions that ended.", "outcome", self._transactions
        )
        yield from _counter(
            "chaincode_refused_proposals_total", "Proposals refused by the service.", "code", self._refused
        )
        yield from _counter("chaincode_peer_requests_total", "Round trips to peers.", "operation", trips)
        yield from self._histogram("chaincode_transaction_duration_seconds", "Run time of transactions.")

    def _histogram(self, name: str, words: str) -> Iterator[str]:
        yield f"# HELP {name} {words}"
        yield f"# TYPE {name} histogram"
        total = 0
        for bound, count in zip((*_BOUNDS, "+Inf"), self._durations, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._seconds}"
        yield f"{name}_count {total}"


def _outcome(status: int | None) -> str:
    if status is None:
        return "cancelled"
    if status < 400:
        return "success"
    return "refused" if status < 500 else "failed"


def _gauge(name: str, words: str, value: int) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} gauge"
    yield f"{name} {value}"


def _counter(name: str, words: str, label: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} counter"
    for value in sorted(values):
        yield f'{name}{{{label}="{value}"}} {values[value]}'
