"""What an import has sent, so that one that was interrupted goes on and records nothing twice.

A batch is kept with the bytes of its two transactions before they are sent; an import of the same content
that did not finish sends those very bytes again, and the ledger refuses a batch that it has (BATCH_EXISTS).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from consentry.consent_frames import FrameConsent, Manner
from consentry.custody_store import CustodyStore
from consentry_records.consent import ConsentTerms

SCHEMA = """
CREATE TABLE IF NOT EXISTS import_batches (
    content TEXT NOT NULL,
    number INTEGER NOT NULL,
    batch_id TEXT NOT NULL REFERENCES batches,
    entries BLOB NOT NULL,
    private BLOB NOT NULL,
    public TEXT NOT NULL,
    PRIMARY KEY (content, number)
)
"""


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch ready to be sent: its id, the private entries, their PrivateBatch, the public ConsentBatch."""

    batch_id: str
    entries: bytes = field(repr=False)
    private: bytes = field(repr=False)
    public: str = field(repr=False)


class ImportJournal:
    """The batches of imports that have not finished, in the custodian's file; part of a `SubjectRegister`."""

    def __init__(self, store: CustodyStore) -> None:
        self._store = store
        with store.writing() as connection:
            connection.execute(SCHEMA)

    def sent(self, content: str) -> dict[int, tuple[PreparedBatch, bool]]:
        """Return the batches that an unfinished import of this content sent, by number, and whether each is
        recorded; those that the ledger refused are left out.
        """
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT number, batch_id, entries, private, public, state = 'recorded' "
                "FROM import_batches JOIN batches USING (batch_id) WHERE content = ? AND state != 'refused'",
                (content,),
            ).fetchall()
        return {row[0]: (PreparedBatch(*row[1:5]), bool(row[5])) for row in rows}

    def add(self, content: str, number: int, batch: PreparedBatch) -> None:
        """Keep a batch before it is sent."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO import_batches (content, number, batch_id, entries, private, public) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (content, number, batch.batch_id, batch.entries, batch.private, batch.public),
            )

    def finish(self, content: str) -> None:
        """Forget an import that is wholly recorded: the same content again is another import."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM import_batches WHERE content = ?", (content,))


def content_of(parts: Sequence[Sequence[FrameConsent]]) -> str:
    """Return what tells an import from others: SHA-256 of all its consents and how they are batched."""
    digest = hashlib.sha256()
    shared: dict[int, bytes] = {}
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        for consent in part:
            for value in (consent.terms, consent.manner):
                if id(value) not in shared:
                    shared[id(value)] = hashlib.sha256(_bytes_of(value)).digest()
                digest.update(shared[id(value)])
            texts = (consent.pseudonym, consent.claimed_at or "", consent.evidence_digest)
            for text in texts:
                data = text.encode()
                digest.update(len(data).to_bytes(4, "big") + data)
    return digest.hexdigest()


def _bytes_of(value: ConsentTerms | Manner) -> bytes:
    return value.to_bytes() if isinstance(value, ConsentTerms) else value.document("", b"", "")
