"""The examples of both READMEs run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def example(readme):
    return re.search(r"```python\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL).group(1)


def test_the_ledgers_example_runs():
    program = [sys.executable, "-c", example("network/testing/README.md")]
    assert subprocess.run(program, capture_output=True, timeout=60).returncode == 0


async def test_the_shims_example_runs_on_a_ledger():
    names = {"__name__": "example"}
    exec(example("chaincode/shim/README.md"), names)  # noqa: S102 - the README's own example
    from fabric_shim import ContractError
    from fabric_testing import Ledger

    ledger = Ledger(contracts=[names["Notes"]()], organizations=["AMSP"])
    alice = ledger.caller("AMSP")
    result = await ledger.submit(alice, "notes:write", "first", ["a", "b"])
    assert (result.payload, result.event.payload) == (b"2", b"first")
    assert (await ledger.evaluate(alice, "notes:read", "first")).payload == b"a\nb"
    with pytest.raises(ContractError, match="NOTE_EXISTS"):
        await ledger.submit(alice, "notes:write", "first", ["a"])
