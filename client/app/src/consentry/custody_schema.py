"""The tables of the custodian's file, and how a file of an earlier release becomes one of this release.

Whatever an import writes is put at the end of a table or an index, so that it costs the same however many
subjects are there: pages in the middle would be written anew for a row each. The index by pseudonym alone is
in an order that we do not choose.
"""

from __future__ import annotations

import sqlite3

VERSION = 2
LOT_BITS = 13
"""Subjects are looked up by commitment in lots of 2^13: commitments are random, and of many subjects' index
each new one would change a page of its own; of one lot's the same few pages hold all.
"""

_MANIFESTS = """
CREATE TABLE datasets (
    dataset_id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    secret BLOB NOT NULL
);
CREATE TABLE versions (
    version_id TEXT PRIMARY KEY,
    dataset_id TEXT NOT NULL REFERENCES datasets,
    number INTEGER NOT NULL,
    registered INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE rows (
    version_id TEXT NOT NULL REFERENCES versions,
    position INTEGER NOT NULL,
    row_digest TEXT NOT NULL,
    commitment TEXT NOT NULL,
    consent_id TEXT NOT NULL,
    PRIMARY KEY (version_id, position)
) WITHOUT ROWID;
CREATE INDEX rows_by_commitment ON rows (commitment);
"""
_REGISTER = """
CREATE TABLE subjects (
    number INTEGER PRIMARY KEY,
    pseudonym TEXT NOT NULL UNIQUE,
    commitment TEXT NOT NULL,
    salt BLOB NOT NULL,
    key BLOB NOT NULL
);
CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    batch_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('prepared', 'recorded', 'refused'))
);
CREATE TABLE consents (
    position INTEGER PRIMARY KEY,
    consent_id TEXT NOT NULL UNIQUE,
    subject INTEGER NOT NULL REFERENCES subjects,
    batch INTEGER NOT NULL REFERENCES batches,
    withdrawn INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE import_batches (
    content TEXT NOT NULL,
    number INTEGER NOT NULL,
    batch INTEGER NOT NULL REFERENCES batches,
    PRIMARY KEY (content, number)
);
"""
_INDEXES = """
CREATE INDEX subjects_by_commitment ON subjects (number >> 13, substr(commitment, 13, 16));
CREATE INDEX consents_by_subject ON consents (subject);
CREATE INDEX consents_by_batch ON consents (batch);
"""
_SET_ASIDE = """
ALTER TABLE subjects RENAME TO earlier_subjects;
ALTER TABLE batches RENAME TO earlier_batches;
ALTER TABLE consents RENAME TO earlier_consents;
CREATE TABLE IF NOT EXISTS import_batches (content, number, batch_id);
ALTER TABLE import_batches RENAME TO earlier_import_batches;
"""
# What version 1 had sent of an unfinished import it also kept as bytes; this version makes them anew. Where
# they differ (other nonces), the ledger refuses the second half of a batch whose first half it has, and the
# next try makes another batch.
_TAKE_OVER = """
INSERT INTO subjects (pseudonym, commitment, salt, key)
    SELECT pseudonym, commitment, salt, key FROM earlier_subjects ORDER BY rowid;
INSERT INTO batches (batch_id, state)
    SELECT batch_id, iif(state = 'private', 'prepared', state) FROM earlier_batches ORDER BY rowid;
INSERT INTO consents (position, consent_id, subject, batch, withdrawn)
    SELECT position, consent_id, subjects.number, batches.number, withdrawn
    FROM earlier_consents JOIN subjects USING (pseudonym) JOIN batches USING (batch_id) ORDER BY position;
INSERT INTO import_batches (content, number, batch)
    SELECT content, earlier.number, batches.number
    FROM earlier_import_batches AS earlier JOIN batches USING (batch_id);
DROP TABLE earlier_import_batches;
DROP TABLE earlier_consents;
DROP TABLE earlier_batches;
DROP TABLE earlier_subjects;
"""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty file, within a transaction."""
    _run(connection, _MANIFESTS + _REGISTER + _INDEXES)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables of version 1 to this version, within a transaction that checks no references."""
    _run(connection, _SET_ASIDE + _REGISTER + _TAKE_OVER + _INDEXES)


def _run(connection: sqlite3.Connection, statements: str) -> None:
    # Not `executescript`, which commits first.
    for statement in statements.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={VERSION}")
