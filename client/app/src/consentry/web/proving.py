"""Proof files of single records, made through the own peer and checked before they are shown or given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from consentry.index import ChangeRow


@dataclass(frozen=True, slots=True)
class Proved:
    """A proof file that was just checked.

    Attributes:
        data: the file.
        stated: MSP ids of the organizations whose peers stated the record's block.
        silent: MSP ids of those that were asked and gave no statement.
        is_anchored: whether the check began at an anchor kept outside of the ledger.
    """

    data: bytes
    stated: tuple[str, ...]
    silent: tuple[str, ...]
    is_anchored: bool


class Prover(Protocol):
    """Makes proof files."""

    def prove(self, change: ChangeRow) -> Proved:
        """Make and check the proof of one write of a record.

        Raises:
            InputRejected: PROOF_REFUSED, with what does not hold.
            LedgerUnreachable: the own peer does not answer.
        """
