"""The trail for whoever asks about persons: each question is itself put on the trail before its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Engine

from consentry.index import (
    Access,
    AccessFilter,
    ChangeRow,
    FindingRow,
    ModelLineage,
    Page,
    PageRequest,
    RecordRow,
    RowManifest,
    SubjectTrail,
    Trail,
    TransactionFilter,
    TransactionRow,
    WithdrawalImpact,
)
from consentry.index.checkpoint import read_checkpoint
from consentry_records.identifiers import KINDS
from consentry_records.trail_read import CONCERNED

if TYPE_CHECKING:
    import pandas as pd

_FIRST = PageRequest()
_IDENTIFIER = re.compile(rf"(?:{'|'.join(KINDS)})-[0-9a-f]{{32}}|hmac-sha256:[0-9a-f]{{64}}")


class RecordRead(Protocol):
    """Puts one question on record."""

    def __call__(self, question: str, *, concerned: list[str], row_count: int, last_block: int) -> object:
        """Record it; what it raises keeps the answer from the reader."""


class RecordedTrail(Trail):
    """A `Trail` that records each question: who asked is the ledger's word, what and how many rows ours.

    Reports read `snapshot` and are recorded once each, with their digest.

    Args:
        engine: the index's database.
        record: puts a question on record.
    """

    def __init__(self, engine: Engine, record: RecordRead) -> None:
        super().__init__(engine)
        self._record_read = record

    def accesses(self, wanted: AccessFilter | None = None, page: PageRequest = _FIRST) -> Page[Access]:
        """Attempts with their decisions, in ledger order."""
        last = self._last_block()
        found = super().accesses(wanted, page)
        self._note(*_asked(wanted or AccessFilter()), len(found.items), last)
        return found

    def open_attempts(
        self, at: str, custodian: str | None = None, page: PageRequest = _FIRST
    ) -> Page[Access]:
        """Attempts undecided for longer than the ledger allows."""
        last = self._last_block()
        found = super().open_attempts(at, custodian, page)
        self._note("dataset", (custodian,), len(found.items), last)
        return found

    def to_frame(self, wanted: AccessFilter | TransactionFilter | str) -> pd.DataFrame:
        """Everything that a filter finds as a pandas frame: one question, however many pages it takes."""
        last = self._last_block()
        found = Trail(self._engine).to_frame(wanted)
        asked = ("records", ()) if isinstance(wanted, str) else _asked(wanted)
        self._note(*asked, len(found), last)
        return found

    def transactions(
        self, wanted: TransactionFilter | None = None, page: PageRequest = _FIRST
    ) -> Page[TransactionRow]:
        """Transactions, invalid ones too, in ledger order."""
        last = self._last_block()
        found = super().transactions(wanted, page)
        self._note(*_asked(wanted or TransactionFilter()), len(found.items), last)
        return found

    def record(self, kind: str, record_id: str) -> RecordRow | None:
        """One record as it stands, or None."""
        last = self._last_block()
        found = super().record(kind, record_id)
        self._note("records", (record_id,), int(found is not None), last)
        return found

    def records(
        self, kind: str, *, owner: str | None = None, name: str | None = None, subject: str | None = None
    ) -> list[RecordRow]:
        """Records of one kind by owner, name or subject."""
        last = self._last_block()
        found = super().records(kind, owner=owner, name=name, subject=subject)
        self._note("subject" if subject else "records", (owner, name, subject), len(found), last)
        return found

    def history(self, kind: str, record_id: str) -> list[ChangeRow]:
        """Every write of one record, oldest first."""
        last = self._last_block()
        found = super().history(kind, record_id)
        self._note("history", (record_id,), len(found), last)
        return found

    def findings(self) -> list[FindingRow]:
        """Writes that honest contracts would not have made."""
        last = self._last_block()
        found = super().findings()
        self._note("findings", (), len(found), last)
        return found

    def subject(self, subject: str, manifest: RowManifest | None = None) -> SubjectTrail:
        """What is on the trail of one subject, given by its commitment."""
        last = self._last_block()
        found = super().subject(subject, manifest)
        groups = (found.consents, found.requests, found.versions, found.accesses)
        count = sum(map(len, groups)) + (found.limits is not None)
        self._note("subject", (subject,), count, last)
        return found

    def impact(self, consent_id: str, manifest: RowManifest | None = None) -> WithdrawalImpact:
        """What a withdrawal of one consent reaches."""
        last = self._last_block()
        found = super().impact(consent_id, manifest)
        groups = (found.versions, found.grants, found.accesses, found.sessions, found.rounds)
        count = sum(map(len, groups)) + len(found.model_versions)
        self._note("impact", (consent_id, found.consent.body.get("subject")), count, last)
        return found

    def model_lineage(self, model_version_id: str) -> ModelLineage:
        """What one model version comes from."""
        last = self._last_block()
        found = super().model_lineage(model_version_id)
        groups = (found.versions, found.grants, found.accesses, found.sessions, found.rounds)
        self._note("model", (model_version_id,), sum(map(len, groups)) + len(found.ancestors), last)
        return found

    def _last_block(self) -> int:
        """The block up to which an answer that follows is complete at least."""
        with self.snapshot() as connection:
            found = read_checkpoint(connection)
        return found.position.next_block - 1 if found is not None else 0

    def _note(self, question: str, about: Iterable[str | None], count: int, last_block: int) -> None:
        concerned = concerned_in(about, found=count > 0)
        self._record_read(question, concerned=concerned, row_count=count, last_block=last_block)


def _asked(wanted: AccessFilter | TransactionFilter) -> tuple[str, tuple[str | None, ...]]:
    """What a filter asks, and about what."""
    if isinstance(wanted, TransactionFilter):
        return "transactions", (wanted.creator_msp, wanted.creator)
    actors = (wanted.requester_msp, wanted.requester)
    about = (wanted.dataset, *(wanted.versions or ()), wanted.session, wanted.custodian, *actors)
    only_actor = any(actors) and not (wanted.dataset or wanted.versions or wanted.session)
    return "actor" if only_actor else "dataset", about


def concerned_in(about: Iterable[str | None], *, found: bool) -> list[str]:
    """What of a question may go to the ledger: ids; names only where rows came back, for then they are there.

    Whatever somebody typed by mistake, a person's name among it, stays here.
    """
    names = [str(name).partition("/")[0] for name in about if name]
    return [
        name
        for name in dict.fromkeys(names)
        if _IDENTIFIER.fullmatch(name) or (found and CONCERNED.pattern.fullmatch(name))
    ]
