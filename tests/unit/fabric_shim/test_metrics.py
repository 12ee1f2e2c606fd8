from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from typing import Any

import pytest
from support.scripted_peer import FunctionChaincode, Message, conversation_with, response_of

from fabric_shim import ConfigurationError, ContractError, Limits
from fabric_shim.logs import JsonFormatter, TextFormatter, configure_logging, log_loop_error
from fabric_shim.metrics import Metrics


def lines(metrics: Metrics) -> list[str]:
    return [line for line in metrics.exposition().splitlines() if not line.startswith("#")]


def test_every_metric_has_help_and_type_and_durations_are_cumulative() -> None:
    metrics = Metrics()
    for status, seconds in ((200, 0.0009), (200, 0.001), (404, 0.3), (500, 31.0), (None, 2.0)):
        metrics.started()
        metrics.ended(status, seconds)
    metrics.refused("SERVICE_BUSY")
    metrics.asked(Message.GET_STATE)
    told = lines(metrics)
    assert 'chaincode_transactions_total{outcome="success"} 2' in told
    assert 'chaincode_transactions_total{outcome="refused"} 1' in told
    assert 'chaincode_transactions_total{outcome="failed"} 1' in told
    assert 'chaincode_transactions_total{outcome="cancelled"} 1' in told
    assert 'chaincode_refused_proposals_total{code="SERVICE_BUSY"} 1' in told
    assert 'chaincode_peer_requests_total{operation="GET_STATE"} 1' in told
    buckets = [int(line.split()[-1]) for line in told if "_bucket" in line]
    assert (buckets[0], buckets[-2:], buckets) == (2, [4, 5], sorted(buckets))
    assert told[-1] == "chaincode_transaction_duration_seconds_count 5"
    assert "chaincode_running_transactions 0" in told
    names = {line.split("{")[0].split()[0] for line in told}
    declared = {line.split()[2] for line in metrics.exposition().splitlines() if line.startswith("# TYPE")}
    assert {
        name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in names
    } == declared


async def test_a_conversation_counts_what_happens() -> None:
    async def reads(stub: Any) -> bytes:
        if await stub.get_state("k"):
            raise ContractError("TAKEN", "there is one")
        return b""

    async with conversation_with(FunctionChaincode(reads), limits=Limits(time_window_seconds=60)) as (
        peer,
        talk,
    ):
        peer.propose()
        await peer.answer_until_done()
        peer.state["", "k"] = b"1"
        peer.propose()
        await peer.answer_until_done()
        assert "chaincode_peer_streams 1" in lines(talk.metrics)
        talk.clock = lambda: 0.0
        peer.propose(txid="old")
        assert "PROPOSAL_TIME_REFUSED" in response_of(await peer.hear()).message
        talk.limits = Limits(concurrent_transactions=0, waiting_transactions=0)
        peer.propose(txid="busy")
        assert "SERVICE_BUSY" in response_of(await peer.hear()).message
    told = lines(talk.metrics)
    assert 'chaincode_transactions_total{outcome="success"} 1' in told
    assert 'chaincode_transactions_total{outcome="refused"} 2' in told
    assert 'chaincode_peer_requests_total{operation="GET_STATE"} 2' in told
    assert 'chaincode_refused_proposals_total{code="PROPOSAL_TIME_REFUSED"} 1' in told
    assert 'chaincode_refused_proposals_total{code="SERVICE_BUSY"} 1' in told
    assert "chaincode_peer_streams 0" in told


async def test_a_transaction_whose_peer_hangs_up_is_cancelled() -> None:
    running = asyncio.Event()

    async def hangs(stub: Any) -> bytes:
        running.set()
        await asyncio.Event().wait()
        return b""

    async with conversation_with(FunctionChaincode(hangs)) as (peer, talk):
        peer.propose()
        await asyncio.wait_for(running.wait(), 60)
        assert talk.metrics.running == 1
    told = lines(talk.metrics)
    assert 'chaincode_transactions_total{outcome="cancelled"} 1' in told
    assert "chaincode_running_transactions 0" in told


def record(**extra: Any) -> logging.LogRecord:
    logger = logging.getLogger("fabric_shim")
    try:
        raise ValueError("a payload")
    except ValueError:
        return logger.makeRecord(
            "fabric_shim", logging.ERROR, "f", 1, "failed: %s", ("X",), sys.exc_info(), extra=extra
        )


def test_json_lines_carry_the_transaction_and_no_words_of_an_exception() -> None:
    document = json.loads(JsonFormatter().format(record(transaction_id="ab12")))
    assert document.pop("time").endswith("+00:00")
    assert document == {
        "level": "ERROR",
        "logger": "fabric_shim",
        "message": "failed: X",
        "transaction_id": "ab12",
        "exception": "ValueError",
    }
    assert "transaction_id" not in json.loads(JsonFormatter().format(record()))


def test_text_lines_hold_no_words_of_an_exception() -> None:
    told = TextFormatter().format(record())
    assert told.endswith("ERROR fabric_shim failed: X\n(ValueError)")


def test_what_an_event_loop_tells_of_an_error_is_its_place(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    try:
        raise ValueError("a payload")
    except ValueError as error:
        log_loop_error(loop, {"message": "Fatal error: a callback failed.", "exception": error})
        log_loop_error(loop, {"message": "Task was destroyed"})
    loop.close()
    place = r"\(ValueError at test_what_an_event_loop_tells_of_an_error_is_its_place:\d+\)"
    assert re.fullmatch(rf"Fatal error: a callback failed\. {place}", caplog.messages[0])
    assert caplog.messages[1] == "Task was destroyed"


def test_an_unknown_log_format_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="CHAINCODE_LOG_FORMAT is 'xml', expected text or json"):
        configure_logging({"CHAINCODE_LOG_FORMAT": "xml"})
