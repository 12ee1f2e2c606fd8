"""What the engine counts and measures, for Prometheus: `GET /metrics` of the operations endpoint.

Names are those of Fabric's metrics where the same thing is measured (`core/ledger/kvledger/metrics.go`,
`core/endorser/metrics.go`, `orderer/common/broadcast/metrics.go`); counters end in `_total`, as Prometheus's
own library writes them. Labels hold names of services, channels, organizations and codes: never what a client
chose.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from fabric_protos.common import common_pb2
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from fabric_protocol.validation_codes import ValidationCode

_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)

if TYPE_CHECKING:
    from fabric_embedded.ordering.committer import CommittedBlock

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REGISTRY = CollectorRegistry()
"""The process's one registry; an engine is a process."""

disable_created_metrics()  # type: ignore[no-untyped-call]
ProcessCollector(registry=REGISTRY)
_HEIGHT = Gauge("ledger_blockchain_height", "Blocks of the ledger.", ["channel"], registry=REGISTRY)
_TRANSACTIONS = Counter(
    "ledger_transaction_count",
    "Transactions committed since the engine started, by validation code.",
    ["channel", "transaction_type", "validation_code"],
    registry=REGISTRY,
)
_BLOCK_SIZE = Histogram(
    "ledger_block_transactions",
    "Transactions in a committed block.",
    ["channel"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
    registry=REGISTRY,
)
_ENDORSEMENT = Histogram(
    "endorser_proposal_duration",
    "Seconds from a proposal to a peer's answer, by the peer's organization.",
    ["mspid", "success"],
    registry=REGISTRY,
)
_BROADCAST = Counter(
    "broadcast_processed_count", "Envelopes sent for ordering, by status.", ["status"], registry=REGISTRY
)
_WAITING = Gauge("ordering_waiting_envelopes", "Envelopes taken but not yet in a block.", registry=REGISTRY)
_OPEN = Gauge("grpc_server_open_calls", "Calls and streams at work now.", ["service"], registry=REGISTRY)
_open_calls: dict[str, int] = {}
_COMPLETED = Counter(
    "grpc_server_requests_completed",
    "Calls and streams that ended, by method and status code.",
    ["service", "method", "code"],
    registry=REGISTRY,
)
_REFUSED_FOR_MEMORY = Counter(
    "grpc_server_refused_for_memory",
    "Messages refused while they arrived, as memory was short.",
    registry=REGISTRY,
)
_OVER_LIMIT = Counter(
    "grpc_server_requests_over_limit",
    "Calls refused because as many as allowed were open.",
    ["service"],
    registry=REGISTRY,
)


def exposition() -> bytes:
    """All metrics in Prometheus's text format."""
    return generate_latest(REGISTRY)


def block_observer(channel_id: str, height: int) -> Callable[[CommittedBlock], None]:
    """What is to be told of each committed block.

    Parameters:
        channel_id: of the ledger.
        height: its height now.
    """
    ledger_height, size = _HEIGHT.labels(channel_id), _BLOCK_SIZE.labels(channel_id)
    ledger_height.set(height)

    def observe(committed: CommittedBlock) -> None:
        validated = committed.validated
        ledger_height.set(committed.record.number + 1)
        size.observe(len(validated.codes))
        _WAITING.dec(len(validated.codes))
        for transaction, code in zip(validated.transactions, validated.codes, strict=True):
            kind = "unknown" if transaction is None else _type_name(transaction.type)
            _child(_TRANSACTIONS, channel_id, kind, ValidationCode(code).name).inc()

    return observe


def count_broadcast(status: int) -> None:
    """Note how an envelope sent for ordering was answered (`common.Status`)."""
    _child(_BROADCAST, common_pb2.Status.Name(status)).inc()
    if status == common_pb2.SUCCESS:
        _WAITING.inc()


class ProposalTimer:
    """One proposal at one peer; unsuccessful until it is said to be otherwise."""

    is_success = False

    def __init__(self, msp_id: str) -> None:
        self._msp_id = msp_id
        self._start = time.perf_counter()

    def __enter__(self) -> ProposalTimer:
        return self

    def __exit__(self, *_: object) -> None:
        success = "true" if self.is_success else "false"
        _child(_ENDORSEMENT, self._msp_id, success).observe(time.perf_counter() - self._start)


def timed_proposal(msp_id: str) -> ProposalTimer:
    """Measure how long a peer takes for a proposal."""
    return ProposalTimer(msp_id)


def count_open(service: str, change: int) -> None:
    """Note that a call of a service began (1) or ended (-1). Event loop only."""
    if service not in _open_calls:
        _open_calls[service] = 0
        _child(_OPEN, service).set_function(lambda: _open_calls[service])
    _open_calls[service] += change


def count_over_limit(service: str) -> None:
    """Note a call that was refused because too many were open."""
    _child(_OVER_LIMIT, service).inc()


def count_refused_for_memory() -> None:
    """Count a message that was refused while it arrived, as memory was short."""
    _REFUSED_FOR_MEMORY.inc()


def count_completed(service: str, method: str, code: str) -> None:
    """Note the end of a call with a gRPC status code's name."""
    _child(_COMPLETED, service, method, code).inc()


# Looking labels up costs more than counting; they are few, as no client chooses them.
@cache
def _child(metric: _Metric, *labels: str) -> _Metric:
    return metric.labels(*labels)


def _type_name(kind: int) -> str:
    try:
        name: str = common_pb2.HeaderType.Name(kind)
    except ValueError:
        return "unknown"
    return name
