"""The blocks of a stored version, each without the rows whose subjects do not consent at that moment."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from consentry.gate import row_blocks
from consentry.gate.consent_answers import ConsentAnswers
from consentry.gate.permits import Permit, Permits
from consentry.gate.stopping import Stopped
from consentry.gate.store import StoredVersion

GIVEN_OUT = "-"
LETTERS = {"ended": "n", "erased": "e", "limited": "l", "not-covered": "c"}


@dataclass(frozen=True, slots=True)
class ConsentedBlock:
    """A block: its number, the rows that may be given out with all their columns, a letter for each row that
    it has (why it is left out, "-" if it is not), and the leaf hashes of all its rows.
    """

    number: int
    batch: pa.RecordBatch
    reasons: str
    leaves: list[bytes] = field(repr=False)

    @property
    def left_out(self) -> list[int]:
        """Places of the rows that are left out."""
        return [place for place, letter in enumerate(self.reasons) if letter != GIVEN_OUT]


class ConsentedBlocks:
    """Blocks under one permit, from a block on; the ledger is asked before each."""

    def __init__(
        self, permits: Permits, permit: Permit, stored: StoredVersion, answers: ConsentAnswers, first: int
    ) -> None:
        self._permits = permits
        self._permit = permit
        self._stored = stored
        self._answers = answers
        self._next = first

    def next(self) -> ConsentedBlock | None:
        """Return the next block, or None after the last, once the ledger has said that the permit holds.

        Raises:
            Stopped: it holds no more.
            LedgerUnreachable, NetworkRefused, ConfigurationError: STORE_DAMAGED, …
        """
        if self._next >= self._stored.block_count:
            return None
        over, epoch = self._permits.standing(self._permit)
        if over is not None:
            raise Stopped(over)
        number, batch = self._next, self._stored.block(self._next)
        reasons = self._reasons(batch, epoch)
        self._next += 1
        leaves = batch.column(row_blocks.LEAF).to_pylist()
        if reasons.count(GIVEN_OUT) < len(reasons):
            batch = batch.filter(pa.array([letter == GIVEN_OUT for letter in reasons]))
        return ConsentedBlock(number, batch, reasons, leaves)

    def _reasons(self, batch: pa.RecordBatch, epoch: str) -> str:
        subjects = batch.column(row_blocks.SUBJECT).dictionary_encode()
        answers = self._answers.left_out(subjects.dictionary.to_pylist(), epoch)
        letters = np.array([GIVEN_OUT if reason is None else LETTERS[reason] for reason in answers], "U1")
        return "".join(letters[subjects.indices.to_numpy()])
