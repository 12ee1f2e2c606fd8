"""Rows put by few statements are the rows that were given, whatever their number."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from fabric_embedded.storage.rows import put_rows

_PUT = "INSERT INTO t (k, v) VALUES (?, ?) ON CONFLICT DO UPDATE SET v = excluded.v"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        opened.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
        yield opened


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 200])
def test_every_row_is_put(connection: sqlite3.Connection, count: int) -> None:
    rows = [(number, bytes([number])) for number in range(count)]

    put_rows(connection, _PUT, iter(rows))

    assert connection.execute("SELECT k, v FROM t ORDER BY k").fetchall() == rows


@pytest.mark.parametrize("count", [5, 64, 70, 129])
def test_the_last_of_equal_keys_counts(connection: sqlite3.Connection, count: int) -> None:
    put_rows(connection, _PUT, [(number % 3, bytes([number])) for number in range(count)])

    last = {number % 3: bytes([number]) for number in range(count)}
    assert dict(connection.execute("SELECT k, v FROM t").fetchall()) == last


def test_what_follows_the_values_holds_for_all(connection: sqlite3.Connection) -> None:
    put_rows(connection, "INSERT OR IGNORE INTO t VALUES (?, ?)", [(1, b"first")] + [(1, b"later")] * 99)

    assert connection.execute("SELECT k, v FROM t").fetchall() == [(1, b"first")]


def test_a_row_that_is_refused_fails_the_statement(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        put_rows(connection, _PUT, [(number, None if number == 40 else b"") for number in range(64)])

    assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
