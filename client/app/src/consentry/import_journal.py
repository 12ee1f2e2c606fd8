"""What an import has sent, so that one that was interrupted goes on and records nothing twice.

A batch's id is kept before it is sent, and all its bytes follow from the id, the import's content and the
subjects' keys. An import of the same content that did not finish sends those bytes again, and the ledger
refuses a batch that it has (BATCH_EXISTS).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from consentry.consent_frames import FrameConsent, Manner
from consentry.custody_store import CustodyStore
from consentry_records.canonical import decode, encode
from consentry_records.consent import ConsentTerms
from consentry_records.private_consent import version_3_of


class ImportJournal:
    """The batches of imports that have not finished, in the custodian's file; part of a `SubjectRegister`."""

    def __init__(self, store: CustodyStore) -> None:
        self._store = store

    def sent(self, content: str) -> dict[int, tuple[str, bool]]:
        """Return the batches that an unfinished import of this content sent, by number: the id, and whether
        it is recorded; those that the ledger refused are left out.
        """
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT import_batches.number, batch_id, state = 'recorded' "
                "FROM import_batches JOIN batches ON batch = batches.number "
                "WHERE content = ? AND state != 'refused'",
                (content,),
            ).fetchall()
        return {number: (batch_id, bool(is_recorded)) for number, batch_id, is_recorded in rows}

    def add(self, content: str, number: int, batch: int) -> None:
        """Keep a batch, given by its number in the register, before it is sent."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO import_batches (content, number, batch) VALUES (?, ?, ?)",
                (content, number, batch),
            )

    def finish(self, content: str) -> None:
        """Forget an import that is wholly recorded: the same content again is another import."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM import_batches WHERE content = ?", (content,))


def content_of(parts: Sequence[Sequence[FrameConsent]]) -> str:
    """Return what tells an import from others: SHA-256 of all its consents and how they are batched."""
    digest = hashlib.sha256()
    shared: dict[tuple[int, int], bytes] = {}
    for part in parts:
        pieces = [len(part).to_bytes(8, "big")]
        for consent in part:
            alike = (id(consent.terms), id(consent.manner))
            if alike not in shared:
                both = (_bytes_of(consent.terms), _bytes_of(consent.manner))
                shared[alike] = b"".join(hashlib.sha256(value).digest() for value in both)
            pieces.append(shared[alike])
            for text in (consent.pseudonym, consent.claimed_at or "", consent.evidence_digest):
                data = text.encode()
                pieces += (len(data).to_bytes(4, "big"), data)
        digest.update(b"".join(pieces))
    return digest.hexdigest()


def _bytes_of(value: ConsentTerms | Manner) -> bytes:
    """What tells terms or a manner from others, the same in every release that knows what they state: an
    import that began before an upgrade goes on after it, and records nothing twice.
    """
    if isinstance(value, ConsentTerms):
        return value.to_bytes()
    return encode(version_3_of(decode(value.document("", b"", ""))))
