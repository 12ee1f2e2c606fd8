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

from consentry.custody_schema import LOT_BITS
from consentry.custody_store import CustodyStore
from consentry.manifests import Manifests
from consentry_records.commitments import SALT_BYTES, subject_commitment

_KEY_BYTES = 32
_SCAN_FACTOR = 4
_BY_PSEUDONYM = (
    "SELECT number, pseudonym, commitment, salt, key FROM subjects "
    "WHERE pseudonym IN (SELECT value FROM json_each(?))"
)
_BY_COMMITMENT = (  # the index's terms, then the whole
    "SELECT number, pseudonym, commitment, salt, key FROM subjects "
    "WHERE number >> 13 IN (SELECT value FROM json_each(?1)) "
    "AND substr(commitment, 13, 16) = substr(?2, 13, 16) AND commitment = ?2"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A person as the custodian knows him, `number` in this file alone; `repr` shows the commitment alone."""

    number: int = field(repr=False)
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
            first = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM subjects").fetchone()[0]
            new = _new_subjects(first, [pseudonym for pseudonym in wanted if pseudonym not in known])
            connection.executemany(
                "INSERT INTO subjects (number, pseudonym, commitment, salt, key) VALUES (?, ?, ?, ?, ?)",
                [(s.number, s.pseudonym, s.commitment, s.salt, s.key) for s in new],
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
            return _by_commitment(connection, commitment)

    def add_batch(self, batch_id: str, consents: Iterable[tuple[str, Subject]]) -> int:
        """Note a batch before it is sent, with the id and the subject of each of its consents; return its
        number in this file.
        """
        with self._store.writing() as connection:
            number = connection.execute(
                "INSERT INTO batches (batch_id, state) VALUES (?, 'prepared')", (batch_id,)
            ).lastrowid
            connection.executemany(
                "INSERT INTO consents (consent_id, subject, batch) VALUES (?, ?, ?)",
                [(consent_id, subject.number, number) for consent_id, subject in consents],
            )
        return number or 0

    def mark_batch(self, batch_id: str, state: str) -> None:
        """Note what became of a batch: `recorded` or `refused`."""
        with self._store.writing() as connection:
            connection.execute("UPDATE batches SET state = ? WHERE batch_id = ?", (state, batch_id))

    def batches(self, state: str) -> tuple[str, ...]:
        """Return the batches in a state; those `prepared` were left by an interrupted import."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT batch_id FROM batches WHERE state = ?", (state,)).fetchall()
        return tuple(row[0] for row in rows)

    def consents_of_batch(self, batch_id: str) -> tuple[str, ...]:
        """Return the ids of a batch's consents, in their order."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT consent_id FROM consents JOIN batches ON number = batch "
                "WHERE batch_id = ? ORDER BY position",
                (batch_id,),
            ).fetchall()
        return tuple(row[0] for row in rows)

    def consents_of(self, pseudonym: str) -> tuple[str, ...]:
        """Return the ids of a subject's consents that may be on the ledger, oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT consent_id FROM subjects CROSS JOIN consents ON subject = subjects.number "
                "JOIN batches ON batch = batches.number WHERE pseudonym = ? "
                "AND state != 'refused' ORDER BY position",
                (pseudonym,),
            ).fetchall()
        return tuple(row[0] for row in rows)

    def latest_consents(self, pseudonyms: Iterable[str]) -> dict[str, str]:
        """Return for each pseudonym the id of its latest recorded consent that was not withdrawn here."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT pseudonym, consent_id FROM subjects CROSS JOIN consents ON subject = subjects.number "
                "JOIN batches ON batch = batches.number "
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
            subject = _by_commitment(connection, commitment)
            if subject is not None:
                connection.execute("DELETE FROM consents WHERE subject = ?", (subject.number,))
                connection.execute("DELETE FROM subjects WHERE number = ?", (subject.number,))
        self._store.forget()
        return subject is not None

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def __enter__(self) -> SubjectRegister:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _select(connection: sqlite3.Connection, pseudonyms: Sequence[str]) -> dict[str, Subject]:
    rows = connection.execute(_BY_PSEUDONYM, (json.dumps(pseudonyms),))
    return {row[1]: Subject(*row) for row in rows}


def _by_commitment(connection: sqlite3.Connection, commitment: str) -> Subject | None:
    (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM subjects").fetchone()
    lots = json.dumps(list(range((last >> LOT_BITS) + 1)))
    row = connection.execute(_BY_COMMITMENT, (lots, commitment)).fetchone()
    return Subject(*row) if row is not None else None


def _new_subjects(first: int, pseudonyms: Sequence[str]) -> list[Subject]:
    """Subjects numbered from `first`; their secrets are one draw, for each draw is a system call."""
    size = SALT_BYTES + _KEY_BYTES
    drawn = secrets.token_bytes(size * len(pseudonyms))
    subjects = []
    for place, pseudonym in enumerate(pseudonyms):
        start = place * size
        salt, key = drawn[start : start + SALT_BYTES], drawn[start + SALT_BYTES : start + size]
        commitment = subject_commitment(salt, pseudonym)
        subjects.append(Subject(first + place, pseudonym, commitment, salt, key))
    return subjects
