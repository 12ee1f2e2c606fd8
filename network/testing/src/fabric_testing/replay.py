"""Every recorded transaction runs again in a second process that differs in all that must not matter.

    def test_contracts_are_deterministic():
        with recording() as recorder:
            asyncio.run(story())
        replay(recorder)

The second process has another hash seed, clock, time zone, locale, environment and working directory; where
another Python version can import the contracts (it has them installed, or can use what is installed here), it
runs them too. Each message that the chaincode sends (reads, writes, event, response) must be the recorded
one, byte for byte.
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


def replay(
    recorder: Recorder, *, interpreters: Sequence[str] | None = None, timeout_seconds: float = 300.0
) -> ReplayReport:
    """Run everything that a recorder holds again, in a process of each interpreter.

    Args:
        recorder: of ``recording``.
        interpreters: paths of Python programs, all of which must be able to import the contracts, e.g. that
            of another version's virtual environment; left out, this one and those on the PATH that can.
        timeout_seconds: longest time for one process.

    Returns:
        What was compared.

    Raises:
        ReplayDifferenceError: messages differ; the error says in which functions, and in what.
        ReplayFailedError: nothing was recorded, an interpreter that was named cannot import the contracts,
            or the second process failed.
    """
    transactions = [transaction for transaction in recorder.transactions if transaction.complete]
    if not transactions:
        raise ReplayFailedError(f"nothing was recorded that can be replayed; skipped: {recorder.skipped}")
    expected = [_sent(transaction) for transaction in transactions]
    running, not_run = _environments(transactions, interpreters)
    if interpreters is not None and not_run:
        raise ReplayFailedError(f"interpreters that cannot import the contracts: {not_run}")
    for interpreter, paths in running.items():
        replayed = _run(interpreter, paths, transactions, timeout_seconds)
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
        interpreters=tuple(running),
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
    interpreter: str, paths: str, transactions: Sequence[RecordedTransaction], timeout_seconds: float
) -> list[list[bytes]]:
    command = [interpreter, "-m", "fabric_testing.replay_child", str(CLOCK_SHIFT_SECONDS)]
    with tempfile.TemporaryDirectory() as directory:
        told = subprocess.run(  # noqa: S603 - our own program
            command,
            input="\n".join(map(_document, transactions)),
            cwd=directory,
            env=_environment(directory, paths),
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


def _environment(home: str, paths: str) -> dict[str, str]:
    # Nothing of this process's environment, and where it must have something, something else.
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "PYTHONPATH": paths,
        "PYTHONHASHSEED": "4711" if os.environ.get("PYTHONHASHSEED") != "4711" else "815",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "tr_TR.UTF-8",
    }


def _module_paths(*, with_packages: bool) -> str:
    # Each version has a standard library of its own.
    other = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    other |= {path / "lib-dynload" for path in other}
    if not with_packages:
        other |= {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    found = [
        str(Path(entry).absolute())
        for entry in sys.path
        if entry and Path(entry) not in other and not entry.endswith(".zip")
    ]
    return os.pathsep.join(found)


def _environments(
    transactions: Sequence[RecordedTransaction], interpreters: Sequence[str] | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Module paths by interpreter that can import the contracts, and why others cannot."""
    modules = tuple(sorted({name.partition(":")[0] for entry in transactions for name in entry.contracts}))
    running, not_run = {}, {}
    for interpreter in interpreters if interpreters is not None else _found():
        try:
            running[interpreter] = _paths_for(interpreter, modules)
        except ImportError as reason:
            not_run[interpreter] = str(reason)
    return running, not_run


def _found() -> Iterator[str]:
    yield sys.executable
    for name in OTHER_VERSIONS:
        found = shutil.which(name)
        if found is not None and name != f"python3.{sys.version_info.minor}":
            yield found


@cache
def _paths_for(interpreter: str, modules: tuple[str, ...]) -> str:
    # This version's compiled packages are often of no use to another: first it may use its own.
    reason = ""
    for with_packages in (False, True):
        paths = _module_paths(with_packages=with_packages)
        reason = _reason_against(interpreter, paths, modules)
        if not reason:
            return paths
    raise ImportError(reason)


def _reason_against(interpreter: str, paths: str, modules: tuple[str, ...]) -> str:
    try:
        told = subprocess.run(  # noqa: S603 - an interpreter on the PATH, or named by the caller
            [interpreter, "-c", f"import fabric_testing, {', '.join(modules)}"],
            env=_environment("/", paths) | {"PATH": os.environ.get("PATH", os.defpath)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except OSError as error:
        return error.strerror or "it cannot be started"
    if told.returncode == 0:
        return ""
    return (told.stderr.strip().splitlines() or ["it cannot be started"])[-1]
