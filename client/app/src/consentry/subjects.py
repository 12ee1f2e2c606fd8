"""The custodian's register of subjects: pseudonym → salt, key, commitment, consents.

A salt of 32 random bytes and an AES-256 key are drawn for each subject and never leave this file. The salt
hides the pseudonym behind its commitment on the ledger; the key encrypts the subject's private entries, and
destroying it is the part of an erasure that also reaches backups (DESIGN §8; GDPR Art. 17).
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consentry.custody_store import CustodyStore
from consentry.manifests import Manifests
from consentry_records.commitments import SALT_BYTES, subject_commitment

_KEY_BYTES = 32
_SCAN_FACTOR = 4
_SELECT = (
    "SELECT pseudonym, commitment, salt, key FROM subjects "
    "WHERE pseudonym IN (SELECT value FROM json_each(?))"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A person as the custodian knows him; `repr` shows the commitment alone."""

    pseudonym: str = field(repr=False)
    commitment: str
    salt: bytes = field(repr=False)
    key: bytes = field(repr=False)


class SubjectRegister:
    """The register in one SQLite file (0600), usable by many threads; a context manager that closes it.

    `manifests` has the dataset secrets and the rows of registered versions, in the same file.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            ConfigurationError: PATH_EXPOSED or CUSTODY_INVALID.
        """
        self._store = CustodyStore(path)
        self.manifests = Manifests(self._store)
        self.store = self._store

    def ensure(self, pseudonyms: Iterable[str]) -> dict[str, Subject]:
        """Return the subjects of these pseudonyms, drawing salt and key for each that is new."""
        wanted = list(dict.fromkeys(pseudonyms))
        with self._store.writing() as connection:
            known = _select(connection, wanted)
            new = [_new_subject(pseudonym) for pseudonym in wanted if pseudonym not in known]
            connection.executemany(
                "INSERT INTO subjects (pseudonym, commitment, salt, key) VALUES (?, ?, ?, ?)",
                [(subject.pseudonym, subject.commitment, subject.salt, subject.key) for subject in new],
            )
        return known | {subject.pseudonym: subject for subject in new}

    def find(self, pseudonyms: Iterable[str]) -> dict[str, Subject]:
        """Return the known subjects among these pseudonyms."""
        with self._store.reading() as connection:
            return _select(connection, list(dict.fromkeys(pseudonyms)))

    def commitments(self, pseudonyms: Iterable[str]) -> dict[str, str]:
        """Return the commitments of the known subjects among these pseudonyms."""
        wanted = set(pseudonyms)
        with self._store.reading() as connection:
            (there,) = connection.execute("SELECT count(*) FROM subjects").fetchone()
            query, parameters = "SELECT pseudonym, commitment FROM subjects", list[str]()
            # Where most are wanted, reading all takes less than looking each up.
            if len(wanted) * _SCAN_FACTOR < there:
                query += " WHERE pseudonym IN (SELECT value FROM json_each(?))"
                parameters = [json.dumps(sorted(wanted))]
            rows = connection.execute(query, parameters).fetchall()
        return {pseudonym: commitment for pseudonym, commitment in rows if pseudonym in wanted}

    def by_commitment(self, commitment: str) -> Subject | None:
        """Return the subject behind a commitment, or None if it is not of this custodian."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT pseudonym, commitment, salt, key FROM subjects WHERE commitment = ?", (commitment,)
            ).fetchone()
        return Subject(*row) if row is not None else None

    def add_batch(self, batch_id: str, consents: Sequence[tuple[str, str]]) -> None:
        """Note a batch before it is sent: (consent id, pseudonym) of each of its consents."""
        with self._store.writing() as connection:
            connection.execute("INSERT INTO batches (batch_id, state) VALUES (?, 'prepared')", (batch_id,))
            connection.executemany(
                "INSERT INTO consents (consent_id, pseudonym, batch_id) VALUES (?, ?, ?)",
                [(consent_id, pseudonym, batch_id) for consent_id, pseudonym in consents],
            )

    def mark_batch(self, batch_id: str, state: str) -> None:
        """Note how far a batch is: `private` (entries stored), `recorded` (public too) or `refused`."""
        with self._store.writing() as connection:
            connection.execute("UPDATE batches SET state = ? WHERE batch_id = ?", (state, batch_id))

    def batches(self, state: str) -> tuple[str, ...]:
        """Return the batches in a state; those `prepared` or `private` were left by an interrupted import."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT batch_id FROM batches WHERE state = ?", (state,)).fetchall()
        return tuple(row[0] for row in rows)

    def consents_of_batch(self, batch_id: str) -> tuple[str, ...]:
        """Return the ids of a batch's consents, in their order."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT consent_id FROM consents WHERE batch_id = ? ORDER BY position", (batch_id,)
            ).fetchall()
        return tuple(row[0] for row in rows)

    def consents_of(self, pseudonym: str) -> tuple[str, ...]:
        """Return the ids of a subject's consents that may be on the ledger, oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT consent_id FROM consents JOIN batches USING (batch_id) "
                "WHERE pseudonym = ? AND state != 'refused' ORDER BY position",
                (pseudonym,),
            ).fetchall()
        return tuple(row[0] for row in rows)

    def latest_consents(self, pseudonyms: Iterable[str]) -> dict[str, str]:
        """Return for each pseudonym the id of its latest recorded consent that was not withdrawn here."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT pseudonym, consent_id FROM consents JOIN batches USING (batch_id) "
                "WHERE pseudonym IN (SELECT value FROM json_each(?)) "
                "AND state = 'recorded' AND NOT withdrawn "
                "ORDER BY position",
                (json.dumps(list(pseudonyms)),),
            ).fetchall()
        return dict(rows)

    def mark_withdrawn(self, consent_id: str) -> None:
        """Note that a consent was withdrawn."""
        with self._store.writing() as connection:
            connection.execute("UPDATE consents SET withdrawn = 1 WHERE consent_id = ?", (consent_id,))

    def erase(self, commitment: str) -> bool:
        """Destroy a subject's salt, key and pseudonym and forget his consents; return whether he was known.

        What was encrypted under the key is unreadable from then on, wherever copies of it are; the rows of
        registered versions stay under a commitment that nobody can link any more. Copies of this file in
        backups are the custodian's to destroy.
        """
        with self._store.writing() as connection:
            row = connection.execute(
                "SELECT pseudonym FROM subjects WHERE commitment = ?", (commitment,)
            ).fetchone()
            if row is not None:
                connection.execute("DELETE FROM consents WHERE pseudonym = ?", row)
                connection.execute("DELETE FROM subjects WHERE pseudonym = ?", row)
        self._store.forget()
        return row is not None

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def __enter__(self) -> SubjectRegister:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _select(connection: sqlite3.Connection, pseudonyms: Sequence[str]) -> dict[str, Subject]:
    rows = connection.execute(_SELECT, (json.dumps(list(pseudonyms)),))
    return {row[0]: Subject(*row) for row in rows}


def _new_subject(pseudonym: str) -> Subject:
    salt = secrets.token_bytes(SALT_BYTES)
    return Subject(pseudonym, subject_commitment(salt, pseudonym), salt, secrets.token_bytes(_KEY_BYTES))
