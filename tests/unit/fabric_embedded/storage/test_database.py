"""Opening the ledger's files: another process that reads them meanwhile takes nothing away."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

from fabric_embedded.storage import database

_READ = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(*c.execute('SELECT * FROM t')); c.close()"
)


def _read_elsewhere(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_what_is_committed_after_another_process_has_read_the_file_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    writer = database.connect(path)
    writer.execute("CREATE TABLE t (x)")
    # A connection that is opened later must not cost the first one its locks, or the other process takes
    # itself for the only one and removes the write-ahead log.
    reader = database.connect_for_reading(path)
    assert _read_elsewhere(path) == ""
    assert path.with_name("ledger.sqlite-wal").exists()
    writer.execute("INSERT INTO t VALUES (1)")
    assert _read_elsewhere(path) == "(1,)"
    assert reader.execute("SELECT x FROM t").fetchall() == [(1,)]
    for connection in (reader, writer):
        connection.close()
    with sqlite3.connect(path) as again:
        assert again.execute("SELECT x FROM t").fetchall() == [(1,)]
    again.close()


def test_a_new_file_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    database.connect(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
