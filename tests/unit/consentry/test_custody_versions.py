"""A register of the first release is read by this one, with all that it knew."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from consentry.import_journal import ImportJournal
from consentry.manifests import ManifestRow
from consentry.subjects import SubjectRegister

VERSION_1 = """
CREATE TABLE subjects (
    pseudonym TEXT PRIMARY KEY,
    commitment TEXT NOT NULL UNIQUE,
    salt BLOB NOT NULL,
    key BLOB NOT NULL
);
CREATE TABLE batches (
    batch_id TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('prepared', 'private', 'recorded', 'refused'))
);
CREATE TABLE consents (
    position INTEGER PRIMARY KEY,
    consent_id TEXT NOT NULL UNIQUE,
    pseudonym TEXT NOT NULL REFERENCES subjects,
    batch_id TEXT NOT NULL REFERENCES batches,
    withdrawn INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX consents_by_pseudonym ON consents (pseudonym, position);
CREATE INDEX consents_by_batch ON consents (batch_id);
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
PRAGMA user_version=1;
"""
JOURNAL = """
CREATE TABLE import_batches (
    content TEXT NOT NULL,
    number INTEGER NOT NULL,
    batch_id TEXT NOT NULL REFERENCES batches,
    entries BLOB NOT NULL,
    private BLOB NOT NULL,
    public TEXT NOT NULL,
    PRIMARY KEY (content, number)
);
INSERT INTO import_batches VALUES
    ('content', 0, 'batch-0', x'00', x'00', ''), ('content', 1, 'batch-1', x'00', x'00', ''),
    ('content', 2, 'batch-2', x'00', x'00', '');
"""
ROWS = """
INSERT INTO subjects VALUES ('q', 'hmac-q', x'01', x'02'), ('p', 'hmac-p', x'03', x'04');
INSERT INTO batches VALUES ('batch-0', 'recorded'), ('batch-1', 'private'), ('batch-2', 'refused');
INSERT INTO consents (position, consent_id, pseudonym, batch_id, withdrawn) VALUES
    (7, 'consent-a', 'p', 'batch-0', 0), (9, 'consent-b', 'q', 'batch-0', 1),
    (11, 'consent-c', 'p', 'batch-0', 0), (12, 'consent-d', 'p', 'batch-1', 0),
    (13, 'consent-e', 'q', 'batch-2', 0);
INSERT INTO datasets VALUES ('dataset-1', 'cells', x'05');
INSERT INTO versions VALUES ('version-1', 'dataset-1', 1, 1);
INSERT INTO rows VALUES ('version-1', 0, 'digest', 'hmac-p', 'consent-a');
"""


def earlier(tmp_path: Path, *statements: str) -> Path:
    path = tmp_path / "custody" / "subjects.sqlite"
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1 + "".join(statements))
    return path


def test_what_the_first_release_wrote_is_there(tmp_path: Path) -> None:
    path = earlier(tmp_path, ROWS, JOURNAL)
    for _ in range(2):
        with SubjectRegister(path) as register:
            subjects = register.find(["p", "q"])
            assert (subjects["p"].commitment, subjects["p"].salt, subjects["p"].key) == (
                "hmac-p",
                b"\3",
                b"\4",
            )
            assert register.by_commitment("hmac-q") == subjects["q"]
            assert register.consents_of_batch("batch-0") == ("consent-a", "consent-b", "consent-c")
            assert register.consents_of("p") == ("consent-a", "consent-c", "consent-d")
            assert register.consents_of("q") == ("consent-b",)
            assert register.latest_consents(["p", "q"]) == {"p": "consent-c"}
            assert register.batches("prepared") == ("batch-1",)
            assert register.manifests.rows("version-1") == (ManifestRow("digest", "hmac-p", "consent-a"),)
            journal = ImportJournal(register.store)
            assert journal.sent("content") == {0: ("batch-0", True), 1: ("batch-1", False)}


def test_references_are_checked_after_it(tmp_path: Path) -> None:
    with SubjectRegister(earlier(tmp_path, ROWS)) as register:
        subject = register.find(["p"])["p"]
        register.erase("hmac-p")
        with pytest.raises(sqlite3.IntegrityError):
            register.add_batch("batch-3", [("consent-f", subject)])


def test_nothing_of_the_earlier_tables_is_left(tmp_path: Path) -> None:
    path = earlier(tmp_path, ROWS, JOURNAL)
    SubjectRegister(path).close()
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert not [name for name in names if "earlier" in name]
        assert {"subjects", "consents", "batches", "import_batches", "rows_by_commitment"} <= names
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
