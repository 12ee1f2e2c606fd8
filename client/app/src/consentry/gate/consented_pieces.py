"""The pieces of a stored version, each without the rows whose subjects do not consent at that moment."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from consentry.gate import row_blocks
from consentry.gate.consent_answers import ConsentAnswers
from consentry.gate.permits import Outlook, Permits
from consentry.gate.pieces import Piece, Pieces
from consentry.gate.stopping import Stopped

GIVEN_OUT = "-"
LETTERS = {"ended": "n", "erased": "e", "limited": "l", "not-covered": "c"}
_FRESH_SECONDS = 0.1
_Letters = np.ndarray[Any, np.dtype[np.bytes_]]


@dataclass(frozen=True, slots=True)
class ConsentedPiece:
    """A piece, and of it the rows that may be given out with all their columns, the places of those that are
    left out, and a letter for each row (why it is left out, "-" if it is not).
    """

    piece: Piece = field(repr=False)
    batch: pa.RecordBatch = field(repr=False)
    left_out: list[int]
    reasons: str


class ConsentedPieces:
    """Pieces under one permit; the ledger is asked before each."""

    def __init__(self, permits: Permits, outlook: Outlook, pieces: Pieces, answers: ConsentAnswers) -> None:
        self._permits = permits
        self._outlook: Outlook | None = outlook
        self._permit = outlook.permit
        self._answers = answers
        self.pieces = pieces

    def next(self) -> ConsentedPiece | None:
        """Return the next piece, or None after the last, once the ledger has said that the permit holds.

        Raises:
            Stopped: it holds no more.
            LedgerUnreachable, NetworkRefused, ConfigurationError: STORE_DAMAGED, …
        """
        if self.pieces.are_over:
            return None
        over, epoch = self._standing()
        if over is not None:
            raise Stopped(over)
        piece = self.pieces.peek()
        letters = self._letters(piece.rows, epoch)
        self.pieces.go_on(piece)
        stays = letters != GIVEN_OUT.encode()
        left_out: list[int] = np.flatnonzero(stays).tolist()
        batch = piece.rows.filter(pa.array(~stays)) if left_out else piece.rows
        return ConsentedPiece(piece, batch, left_out, letters.tobytes().decode("ascii"))

    def _standing(self) -> tuple[str | None, str]:
        """Whether the permit holds: for the first piece it was just asked, as the delivery began."""
        outlook, self._outlook = self._outlook, None
        is_fresh = outlook is not None and time.monotonic() - outlook.asked_at < _FRESH_SECONDS
        if outlook is not None and is_fresh and not self._permits.has_ended(self._permit):
            return outlook.over, outlook.epoch
        return self._permits.standing(self._permit)

    def _letters(self, rows: pa.RecordBatch, epoch: str) -> _Letters:
        subjects = rows.column(row_blocks.SUBJECT).dictionary_encode()
        answers = self._answers.left_out(row_blocks.cells(subjects.dictionary), epoch)
        letters = np.array([GIVEN_OUT if reason is None else LETTERS[reason] for reason in answers], "S1")
        found: _Letters = letters[subjects.indices.to_numpy()]
        return found
