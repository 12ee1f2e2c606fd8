"""Every recorded transaction runs again in a second process that differs in all that must not matter.

    def test_contracts_are_deterministic():
        with recording() as recorder:
            asyncio.run(story())
        replay(recorder)

The second process has another hash seed, clock, time zone, locale, environment and working directory; where
another Python version can import the contracts, it runs them too. Each message that the chaincode sends
(reads, writes, event, response) must be the recorded one, byte for byte.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from fabric_testing.differences import describe_difference
from fabric_testing.errors import ReplayDifferenceError, ReplayFailedError
from fabric_testing.recording import RecordedTransaction, Recorder

CLOCK_SHIFT_SECONDS = 400 * 86400 + 5 * 3600 + 7
OTHER_VERSIONS = ("python3.11", "python3.12", "python3.13", "python3.14")


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What was compared, where nothing differed.

    Attributes:
        transactions: how many were replayed by each interpreter.
        messages: how many of the chaincode's messages were compared, by each.
        interpreters: paths of the interpreters that ran them.
        not_run: interpreters that were found and could not run them, with the reason.
        skipped: contracts whose transactions could not be replayed, with the reason.
    """

    transactions: int
    messages: int
    interpreters: tuple[str, ...]
    not_run: Mapping[str, str]
    skipped: Mapping[str, str]


def replay(recorder: Recorder, *, timeout_seconds: float = 300.0) -> ReplayReport:
    """Run everything that a recorder holds again, in a process of each interpreter.

    Args:
        recorder: of ``recording``.
        timeout_seconds: longest time for one process.

    Returns:
        What was compared.

    Raises:
        ReplayDifferenceError: messages differ; the error says in which functions, and in what.
        ReplayFailedError: nothing was recorded, or the second process failed.
    """
    transactions = [transaction for transaction in recorder.transactions if transaction.complete]
    if not transactions:
        raise ReplayFailedError(f"nothing was recorded that can be replayed; skipped: {recorder.skipped}")
    expected = [_sent(transaction) for transaction in transactions]
    interpreters, not_run = _interpreters(transactions)
    for interpreter in interpreters:
        replayed = _run(interpreter, transactions, timeout_seconds)
        differences = [
            describe_difference(transaction, first, second)
            for transaction, first, second in zip(transactions, expected, replayed, strict=True)
            if first != second
        ]
        if differences:
            raise ReplayDifferenceError(interpreter, differences)
    return ReplayReport(
        transactions=len(transactions),
        messages=sum(map(len, expected)),
        interpreters=interpreters,
        not_run=MappingProxyType(not_run),
        skipped=MappingProxyType(dict(recorder.skipped)),
    )


def _sent(transaction: RecordedTransaction) -> list[bytes]:
    return [
        entry.message.SerializeToString(deterministic=True)
        for entry in transaction.messages
        if entry.by_chaincode
    ]


def _run(
    interpreter: str, transactions: Sequence[RecordedTransaction], timeout_seconds: float
) -> list[list[bytes]]:
    command = [interpreter, "-m", "fabric_testing.replay_child", str(CLOCK_SHIFT_SECONDS)]
    with tempfile.TemporaryDirectory() as directory:
        told = subprocess.run(  # noqa: S603 - our own program
            command,
            input="\n".join(map(_document, transactions)),
            cwd=directory,
            env=_environment(directory),
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
    if told.returncode != 0:
        raise ReplayFailedError(f"{interpreter} ended with {told.returncode}: {told.stderr[-2000:]}")
    return [[base64.b64decode(text) for text in json.loads(line)] for line in told.stdout.splitlines()]


def _document(transaction: RecordedTransaction) -> str:
    messages = [
        (
            entry.by_chaincode,
            base64.b64encode(entry.message.SerializeToString(deterministic=True)).decode(),
        )
        for entry in transaction.messages
    ]
    return json.dumps({"contracts": transaction.contracts, "clock": transaction.clock, "messages": messages})


def _environment(home: str) -> dict[str, str]:
    # Nothing of this process's environment, and where it must have something, something else.
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "PYTHONPATH": os.pathsep.join(_module_paths()),
        "PYTHONHASHSEED": "4711" if os.environ.get("PYTHONHASHSEED") != "4711" else "815",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "tr_TR.UTF-8",
    }


def _module_paths() -> Iterator[str]:
    # Each version has a standard library of its own.
    own = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    own |= {path / "lib-dynload" for path in own}
    for entry in sys.path:
        if entry and Path(entry) not in own and not entry.endswith(".zip"):
            yield str(Path(entry).absolute())


def _interpreters(transactions: Sequence[RecordedTransaction]) -> tuple[tuple[str, ...], dict[str, str]]:
    modules = sorted({name.partition(":")[0] for entry in transactions for name in entry.contracts})
    running, not_run = [sys.executable], {}
    for name in OTHER_VERSIONS:
        found = shutil.which(name)
        if found is None or name == f"python3.{sys.version_info.minor}":
            continue
        reason = _reason_against(found, tuple(modules))
        if reason:
            not_run[name] = reason
        else:
            running.append(found)
    return tuple(running), not_run


@cache
def _reason_against(interpreter: str, modules: tuple[str, ...]) -> str:
    # Compiled modules of one version's environment are often of no use to another.
    told = subprocess.run(  # noqa: S603 - an interpreter on the PATH
        [interpreter, "-c", f"import fabric_testing, {', '.join(modules)}"],
        env=_environment("/") | {"PATH": os.environ.get("PATH", os.defpath)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if told.returncode == 0:
        return ""
    return (told.stderr.strip().splitlines() or ["it cannot be started"])[-1]
