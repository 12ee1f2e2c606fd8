"""What the engine counts, as Prometheus reads it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fabric_protos.common import common_pb2
from prometheus_client.parser import text_string_to_metric_families

from fabric_embedded import metrics
from fabric_embedded.operations import operations_application
from fabric_protocol.validation_codes import ValidationCode

pytestmark = pytest.mark.unit


def sample(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def block(number: int, *outcomes: tuple[int | None, ValidationCode]) -> Any:
    """A committed block of transactions with a type (None: unreadable) and a code."""
    transactions = [None if kind is None else SimpleNamespace(type=kind) for kind, _ in outcomes]
    validated = SimpleNamespace(codes=tuple(int(code) for _, code in outcomes), transactions=transactions)
    return SimpleNamespace(record=SimpleNamespace(number=number), validated=validated)


def test_blocks_are_counted_by_type_and_code() -> None:
    observe = metrics.block_observer("counted", 5)
    assert sample("ledger_blockchain_height", channel="counted") == 5
    endorser, config = common_pb2.ENDORSER_TRANSACTION, common_pb2.CONFIG
    valid, conflict = ValidationCode.VALID, ValidationCode.MVCC_READ_CONFLICT
    observe(block(5, (endorser, valid), (endorser, conflict), (None, ValidationCode.BAD_PAYLOAD)))
    observe(block(6, (config, valid), (99, ValidationCode.UNKNOWN_TX_TYPE)))

    def counted(kind: str, code: str) -> float:
        labels = {"channel": "counted", "transaction_type": kind, "validation_code": code}
        return sample("ledger_transaction_count_total", **labels)

    assert sample("ledger_blockchain_height", channel="counted") == 7
    assert counted("ENDORSER_TRANSACTION", "VALID") == 1
    assert counted("ENDORSER_TRANSACTION", "MVCC_READ_CONFLICT") == 1
    assert counted("CONFIG", "VALID") == 1
    assert counted("unknown", "BAD_PAYLOAD") == 1
    assert counted("unknown", "UNKNOWN_TX_TYPE") == 1
    assert sample("ledger_block_transactions_sum", channel="counted") == 5


def test_what_waits_for_a_block_is_what_was_taken_and_not_committed() -> None:
    observe = metrics.block_observer("waiting", 0)
    before = sample("ordering_waiting_envelopes")
    for status in (common_pb2.SUCCESS, common_pb2.BAD_REQUEST, common_pb2.SUCCESS):
        metrics.count_broadcast(status)
    assert sample("ordering_waiting_envelopes") == before + 2
    observe(block(0, (common_pb2.ENDORSER_TRANSACTION, ValidationCode.VALID)))
    assert sample("ordering_waiting_envelopes") == before + 1
    observe(block(1, (common_pb2.ENDORSER_TRANSACTION, ValidationCode.VALID)))
    assert sample("broadcast_processed_count_total", status="BAD_REQUEST") >= 1


def test_proposals_are_timed_by_success() -> None:
    with metrics.timed_proposal("TimedMSP") as timer:
        timer.is_success = True
    with pytest.raises(ValueError, match="refused"), metrics.timed_proposal("TimedMSP"):
        raise ValueError("refused")
    for success in ("true", "false"):
        labels = {"mspid": "TimedMSP", "success": success}
        assert sample("endorser_proposal_duration_count", **labels) == 1


async def test_the_operations_endpoint_serves_them_in_prometheus_format() -> None:
    metrics.count_completed("test.Served", "Call", "OK")
    transport = httpx.ASGITransport(app=operations_application(dict))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["endorser_proposal_duration"].type == "histogram"
    assert families["ordering_waiting_envelopes"].type == "gauge"
    served = {tuple(found.labels.values()) for found in families["grpc_server_requests_completed"].samples}
    assert ("OK", "Call", "test.Served") in served
    assert "process_resident_memory_bytes" in families
