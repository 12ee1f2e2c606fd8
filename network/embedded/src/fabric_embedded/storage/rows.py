"""Many rows put by few statements: one a row, Python and SQLite hand over to each other at each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import cache
from itertools import chain
from typing import Final

# SQLite took no more than 999 parameters before 3.32; twice the rows are no faster.
_ROWS: Final = 64
_VALUES: Final = " VALUES "


def put_rows(connection: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Run a statement that puts one row, for many.

    Parameters:
        connection: the writer's, within a transaction.
        statement: "INSERT ... VALUES (?, ...)", with what follows.
        rows: the parameters of each; equal keys among them count in their order.
    """
    waiting = list(rows)
    whole = len(waiting) - len(waiting) % _ROWS
    for start in range(0, whole, _ROWS):
        parameters = tuple(chain.from_iterable(waiting[start : start + _ROWS]))
        connection.execute(_of_many(statement), parameters)
    connection.executemany(statement, waiting[whole:])


@cache
def _of_many(statement: str) -> str:
    before, _, after = statement.partition(_VALUES)
    row, closing, rest = after.partition(")")
    return f"{before}{_VALUES}{', '.join([row + closing] * _ROWS)}{rest}"
