"""What was given out is recorded once; another record in its place is said, and nothing is lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.gate_bench import all_bytes

from consentry_records.instants import format_instant
from fabric_gateway.failures import StatusFailure

UNREACHABLE = StatusFailure("UNAVAILABLE", "no connection")


def records(bench, attempt_id):
    return bench.researcher.transactions.evaluate("deliveries:of_attempt", attempt_id)


def test_a_record_that_the_ledger_has_already_counts_if_it_says_the_same(bench):
    delivery = bench.deliver(bench.attempt())
    all_bytes(delivery)
    record = delivery.end("completed")
    bench.service.transactions.submit("deliveries:record", record)
    assert bench.gate._recorder.record(record)
    assert bench.gate._parts.journal.deliveries() == []


@pytest.mark.parametrize("field", ["end", "byte_count", "content_digest", "ended_at"])
def test_another_record_in_its_place_is_said_and_kept(bench, caplog, field):
    attempt = bench.attempt()
    delivery = bench.deliver(attempt)
    all_bytes(delivery)
    record = delivery.end("completed")
    bench.gateway.memory.advance(timedelta(seconds=1))
    others = {
        "end": "failed",
        "byte_count": record.byte_count + 1,
        "content_digest": "hmac-sha256:" + "0" * 64,
        "ended_at": format_instant(bench.gateway.memory.time),
    }
    bench.service.transactions.submit("deliveries:record", replace(record, **{field: others[field]}))
    assert not bench.gate._recorder.record(record)
    assert "with other contents" in caplog.text
    (kept,) = bench.gate._parts.journal.deliveries()
    assert (kept.number, kept.differs) == (1, True)
    caplog.clear()
    bench.gate.close()
    bench.open_gate().start()
    assert f"delivery 1 of {attempt}" in caplog.text
    assert len(records(bench, attempt)) == 1


def test_a_record_that_exists_and_cannot_be_read_waits(bench):
    delivery = bench.deliver(bench.attempt())
    all_bytes(delivery)
    record = delivery.end("completed")
    bench.service.transactions.submit("deliveries:record", record)
    bench.gateway.failures["evaluate"] = [UNREACHABLE]
    assert not bench.gate._recorder.record(record)
    assert [one.differs for one in bench.gate._parts.journal.deliveries()] == [False]
