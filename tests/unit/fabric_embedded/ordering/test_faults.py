"""A disk that is full for a while: nothing is doubled, ordering goes on, and its end is told."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from support.engine_material import Consortium, endorsed, make_consortium, submit, until
from support.memory_chaincode import Call

from fabric_embedded.engine import Engine
from fabric_embedded.errors import LedgerError
from fabric_protocol.validation_codes import ValidationCode

BOTH = ("AlphaMSP", "BetaMSP")


async def _put(call: Call) -> bytes:
    await call.put(call.argument(0), b"1")
    return b""


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {"put": _put})


def _fail_once(monkeypatch: pytest.MonkeyPatch, target: Any, name: str, error: Exception) -> list[Any]:
    """Let the next call of a method fail; the list holds an entry once it has."""
    whole, failed = getattr(target, name), list[Any]()

    def fail(*arguments: Any) -> Any:
        monkeypatch.setattr(target, name, whole)
        failed.append(arguments)
        raise error

    monkeypatch.setattr(target, name, fail)
    return failed


async def _submit(engine: Engine, consortium: Consortium, key: str) -> int:
    status = await submit(engine, consortium, "put", key, client="AlphaMSP", endorsers=BOTH)
    assert status.code == ValidationCode.VALID
    return status.block_number


async def test_a_block_whose_view_cannot_be_opened_at_first_is_committed_once(
    engine: Engine, consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    height = engine.ledger.height
    error = LedgerError("LEDGER_UNREADABLE", "too many open files")
    failed = _fail_once(monkeypatch, engine._committer.pool, "take", error)
    assert await _submit(engine, consortium, "a") == height
    assert failed
    assert engine.ledger.height == height + 1


@pytest.mark.parametrize(
    ("place", "name"), [("store", "checkpoint"), ("", "finish_purges"), ("", "view"), ("pool", "take")]
)
async def test_ordering_outlives_a_log_that_cannot_be_cut(
    engine: Engine, consortium: Consortium, monkeypatch: pytest.MonkeyPatch, place: str, name: str
) -> None:
    ordering, committer = engine._ordering, engine._committer
    await _submit(engine, consortium, "a")
    target = getattr(committer, place) if place else committer
    failed = _fail_once(monkeypatch, target, name, sqlite3.OperationalError("database or disk is full"))
    await ordering._truncate_logs()
    assert failed
    await _submit(engine, consortium, "b")


async def test_who_submits_is_told_when_ordering_has_failed(
    engine: Engine, consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = _fail_once(monkeypatch, engine.ledger, "announce", RuntimeError("a defect"))
    first, _ = await endorsed(engine, consortium, "put", "a", client="AlphaMSP", endorsers=BOTH)
    second, _ = await endorsed(engine, consortium, "put", "b", client="AlphaMSP", endorsers=BOTH)
    assert (await engine.broadcast(first))[0] == common_pb2.SUCCESS
    await until(lambda: bool(engine._ordering._task and engine._ordering._task.done()))
    assert failed
    status, info = await engine.broadcast(second)
    assert status == common_pb2.SERVICE_UNAVAILABLE
    assert "ordering service has failed" in info
