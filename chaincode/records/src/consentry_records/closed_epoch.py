"""Closed epochs: what a custodian commits so that no row of a report on its data can be left out (ADR 19)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from .errors import LedgerError
from .kinds import DIGEST, INSTANT, MSP_ID, Choice, Integer, Text
from .record import Record

MAXIMUM_NUMBER = 10**6 - 1
HEADER_HASH = Text(re.compile(r"[0-9a-f]{64}"), "a block header's SHA-256 as 64 lower-case hex")
_BLOCK = Integer(0, 2**53 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClosedEpoch(Record):
    """An epoch as its custodian's service closes it (argument of `epochs:close`).

    It spans the blocks `first_block` to `last_block`, whose header has the hash `header_hash`. `root` is the
    root over the heads of all `chain_count` chains of the custodian after that block (module `chains`).
    """

    number: Annotated[int, Integer(1, MAXIMUM_NUMBER)]
    first_block: Annotated[int, _BLOCK]
    last_block: Annotated[int, _BLOCK]
    header_hash: Annotated[str, HEADER_HASH]
    chain_count: Annotated[int, Integer(0, 2**53 - 1)]
    root: Annotated[str, DIGEST]

    def check(self) -> None:
        """An epoch has a block at least; raises LedgerError EPOCH_EMPTY."""
        if self.last_block < self.first_block:
            raise LedgerError("EPOCH_EMPTY", {"number": self.number})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedEpoch(NewClosedEpoch):
    """A closed epoch on the ledger, key `closed-epoch/{MSP id}/{number}`, under its custodian's policy."""

    custodian: Annotated[str, MSP_ID]
    closed_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.closedepoch/1",))] = "consentry.closedepoch/1"
