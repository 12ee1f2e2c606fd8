"""Closed epochs: what a custodian commits so that no row of a report on its data can be left out (ADR 19)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

from .errors import LedgerError
from .kinds import DIGEST, FLAG, INSTANT, MSP_ID, Choice, Integer, Text
from .migrations import adding
from .record import Migration, Record

MAXIMUM_NUMBER = 10**6 - 1
HEADER_HASH = Text(re.compile(r"[0-9a-f]{64}"), "a block header's SHA-256 as 64 lower-case hex")
SCHEMA = "consentry.closedepoch/2"
_BLOCK = Integer(0, 2**53 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClosedEpoch(Record):
    """An epoch as its custodian's service closes it (argument of `epochs:close`).

    It spans the blocks `first_block` to `last_block`, whose header has the hash `header_hash`. `root` is the
    root over the heads of all `chain_count` chains of the custodian after that block (module `chains`).
    `limits` says whether the chains of subjects have their limits (opt-outs, objections, restrictions,
    erasures); the first such epoch takes in those that were written before it.
    """

    number: Annotated[int, Integer(1, MAXIMUM_NUMBER)]
    first_block: Annotated[int, _BLOCK]
    last_block: Annotated[int, _BLOCK]
    header_hash: Annotated[str, HEADER_HASH]
    chain_count: Annotated[int, Integer(0, 2**53 - 1)]
    root: Annotated[str, DIGEST]
    limits: Annotated[bool, FLAG] = True

    def check(self) -> None:
        """An epoch has a block at least; raises LedgerError EPOCH_EMPTY."""
        if self.last_block < self.first_block:
            raise LedgerError("EPOCH_EMPTY", {"number": self.number})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedEpoch(NewClosedEpoch):
    """A closed epoch on the ledger, key `closed-epoch/{MSP id}/{number}`, under its custodian's policy."""

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {"consentry.closedepoch/1": adding(SCHEMA, {"limits": False})}
    )

    custodian: Annotated[str, MSP_ID]
    closed_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice((SCHEMA,))] = SCHEMA
