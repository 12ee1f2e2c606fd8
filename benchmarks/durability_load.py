"""Clients that write down everything they are told, and ask afterwards about what they were not."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from fabric_gateway import Commit, CommitStatusError, Contract, GatewayError, SubmitError

REFUSED = "refused"
ABSENT = "absent"
RESOLVER = "resolver"
"""The counter of the transactions that show that the engine is through with all earlier ones."""
_ABSENT_AFTER_SECONDS = 0.4
_FOLLOWED_FOR_SECONDS = 20.0
_RECONNECTION_TRIES = 100
_RECONNECTION_PAUSE_SECONDS = 0.1


class Answer(NamedTuple):
    """What a client knows of its transaction: Fabric's code and the block; or refused, or absent."""

    counter: str
    code: str
    block: int | None = None


@dataclass
class Told:
    """Everything that the clients were told, by transaction id; `unknown` is still to be found out."""

    answers: dict[str, Answer] = field(default_factory=dict)
    unknown: list[tuple[str, Commit]] = field(default_factory=list)
    resolved: int = 0

    def valid(self, counter: str) -> int:
        """Transactions of a counter that are known to be valid."""
        return sum(answer == (counter, "VALID", answer.block) for answer in self.answers.values())

    def resolve(self, contract: Contract) -> None:
        """Find out by transaction id what became of the transactions whose outcome is unknown.

        A transaction of this call's own comes first: once it is valid, an earlier one that is not on the
        ledger never will be, as the engine that held it is dead.
        """
        if not self.unknown:
            return
        for _ in range(_RECONNECTION_TRIES):
            if add(contract, RESOLVER, self):
                break
            # The connection is made anew some time after the engine listens again.
            time.sleep(_RECONNECTION_PAUSE_SECONDS)
        else:
            raise RuntimeError("the engine is up, and no transaction gets an answer")
        with ThreadPoolExecutor(len(self.unknown)) as pool:
            found = list(pool.map(lambda entry: _outcome(*entry), self.unknown))
        for (_, commit), answer in zip(self.unknown, found, strict=True):
            self.answers[commit.transaction_id] = answer
            self.resolved += answer.code != ABSENT
        self.unknown.clear()


class Load:
    """Clients that add to a counter each, until the engine goes away or they are stopped."""

    def __init__(self, contract: Contract, counters: Sequence[str], told: Told) -> None:
        self._contract = contract
        self._told = told
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(counter,)) for counter in counters]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the clients finish what they wait for, and end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, counter: str) -> None:
        while not self._stop.is_set():
            if not add(self._contract, counter, self._told):
                return


def add(contract: Contract, counter: str, told: Told) -> bool:
    """Add one to a counter and write down what was told; whether the engine answered to the end."""
    purges = "true" if counter.startswith("purging") else "false"
    try:
        transaction = contract.new_proposal("counters:add", counter, purges).endorse()
    except GatewayError:
        return False
    commit = transaction.prepare_commit()
    try:
        status = transaction.submit().status(timeout=_FOLLOWED_FOR_SECONDS)
    except SubmitError as error:
        if error.outcome_unknown:
            told.unknown.append((counter, commit))
        else:
            told.answers[commit.transaction_id] = Answer(counter, REFUSED)
        return False
    except CommitStatusError:
        told.unknown.append((counter, commit))
        return False
    told.answers[commit.transaction_id] = Answer(counter, status.name, status.block_number)
    return True


def _outcome(counter: str, commit: Commit) -> Answer:
    try:
        status = commit.resolve(timeout=_ABSENT_AFTER_SECONDS)
    except CommitStatusError as error:
        if error.code != "DEADLINE_EXCEEDED":
            raise
        return Answer(counter, ABSENT)
    return Answer(counter, status.name, status.block_number)
