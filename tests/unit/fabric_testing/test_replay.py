from __future__ import annotations

import datetime
import re
import subprocess
import sys

import pytest
from support.differing_contracts import Agreeing, Configured, Differing
from support.other_pythons import environments

from fabric_shim import Context, Contract, ContractError, evaluation
from fabric_testing import Ledger, ReplayDifferenceError, ReplayFailedError, recording, replay

AGREEING = "support.differing_contracts:Agreeing"


async def test_a_deterministic_contract_is_replayed_without_difference() -> None:
    ledger = Ledger(contracts=[Agreeing()], organizations=["AMSP", "BMSP"])
    alice = ledger.caller("AMSP")
    with recording() as recorder:
        await ledger.submit(alice, "agreeing:count", "n")
        await ledger.submit(alice, "agreeing:count", "n")
        with pytest.raises(ContractError, match="FUNCTION_NOT_FOUND"):
            await ledger.submit(alice, "agreeing:other")
    await ledger.submit(alice, "agreeing:count", "n")

    report = replay(recorder)
    assert (report.transactions, report.skipped) == (5, {})
    assert report.messages == 5 * 2 + 4 * 2
    assert report.interpreters[0] == sys.executable
    assert {entry.contracts for entry in recorder.transactions} == {(AGREEING,)}


DIFFERENCES = {
    "order_of_a_set": "message 1, WRITE_BATCH_STATE, differs in write N of 20: its key",
    "day": "message 1, PUT_STATE, differs in its payload",
    "hour": "message 1, COMPLETED, differs in its event",
    "year": "message 1, COMPLETED, differs in the response's payload",
    "zone": "message 1, COMPLETED, differs in the response's payload",
    "environment": "message 1, COMPLETED, differs in the response's payload",
    "directory": "message 1, COMPLETED, differs in the response's payload",
    "key": "message 1, GET_STATE, differs in its payload",
}


async def test_what_differs_between_processes_is_named() -> None:
    ledger = Ledger(contracts=[Differing()], organizations=["AMSP"])
    with recording() as recorder:
        for function in DIFFERENCES:
            await ledger.endorse(ledger.caller("AMSP"), f"differing:{function}")
    with pytest.raises(ReplayDifferenceError) as raised:
        replay(recorder)
    assert raised.value.code == "REPLAY_DIFFERS"
    expected = [f"function differing:{function}: {words}" for function, words in DIFFERENCES.items()]
    # Two orders of a set may begin alike.
    found = [re.sub(r"write \d+ of", "write N of", difference) for difference in raised.value.differences]
    assert found == expected


@pytest.mark.parametrize("interpreter", ["/nowhere/python", "/bin/false"])
async def test_an_interpreter_that_is_named_must_be_able_to_import_the_contracts(interpreter: str) -> None:
    ledger = Ledger(contracts=[Agreeing()], organizations=["AMSP"])
    with recording() as recorder:
        await ledger.submit(ledger.caller("AMSP"), "agreeing:count", "n")
    assert replay(recorder, interpreters=[sys.executable]).interpreters == (sys.executable,)
    with pytest.raises(ReplayFailedError, match=f"cannot import the contracts: .*{interpreter}"):
        replay(recorder, interpreters=[interpreter])


@pytest.mark.optional_tool("other-pythons")
async def test_another_version_of_python_finds_the_same_differences() -> None:
    other = environments()[-1:]
    ledger = Ledger(contracts=[Agreeing(), Differing()], organizations=["AMSP"])
    with recording() as recorder:
        await ledger.submit(ledger.caller("AMSP"), "agreeing:count", "n")
    assert replay(recorder, interpreters=other).interpreters == tuple(other)
    with recording(into=recorder):
        await ledger.endorse(ledger.caller("AMSP"), "differing:day")
    with pytest.raises(ReplayDifferenceError) as raised:
        replay(recorder, interpreters=other)
    assert list(raised.value.differences) == [f"function differing:day: {DIFFERENCES['day']}"]


async def test_contracts_that_cannot_be_made_again_are_named() -> None:
    class Local(Contract):
        name = "local"

        @evaluation
        async def get(self, ctx: Context) -> int:
            return 1

    with recording() as recorder:
        for contract in (Local(), Configured(3)):
            ledger = Ledger(contracts=[contract], organizations=["AMSP"])
            await ledger.evaluate(ledger.caller("AMSP"), f"{contract.name}:get")
    assert "not importable" in next(reason for name, reason in recorder.skipped.items() if "Local" in name)
    assert "keeps state" in recorder.skipped["support.differing_contracts:Configured"]
    with pytest.raises(ReplayFailedError, match="nothing was recorded"):
        replay(recorder)


def test_a_shifted_clock_shifts_dates_and_leaves_their_types_usable() -> None:
    program = """
import time
before = time.time()
from fabric_testing.shifted_clock import shift_clock
shift_clock(864000)
import datetime as d
assert time.time() - before > 863000
assert time.time_ns() / 1e9 - before > 863000
assert time.mktime(time.localtime()) - before > 863000
moment = d.datetime.now(d.UTC)
assert moment.timestamp() - before > 863000 and isinstance(moment, d.datetime)
assert isinstance(d.datetime.fromisoformat("2026-01-01"), d.datetime)
assert d.date.today() == d.datetime.today().date() and isinstance(d.date.today(), d.date)
assert abs((d.datetime.utcnow() - moment.replace(tzinfo=None)).total_seconds()) < 600
assert not isinstance(d.date.today(), d.datetime) and issubclass(d.datetime, d.date)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert told.stderr == ""
    assert isinstance(datetime.date(2026, 1, 1), datetime.date)
