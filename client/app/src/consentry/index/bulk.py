"""Many rows at once: statements compiled once, rows given to the driver as it takes them.

SQLAlchemy asks for each parameter of each row what its type makes of it, which for text, numbers and bytes is
nothing, and costs more than the database does.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert
from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, Any]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, each with every column of the table."""
    if rows:
        _execute(connection, *_inserting(table, connection.dialect, replacing=False), rows)


def replace_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, each with every column of the table; one of the same primary key is replaced."""
    if rows:
        _execute(connection, *_inserting(table, connection.dialect, replacing=True), rows)


def _execute(connection: Connection, statement: str, names: Sequence[str], rows: Iterable[Row]) -> None:
    values = itemgetter(*names)
    connection.exec_driver_sql(statement, [values(row) for row in rows])


@lru_cache(maxsize=64)
def _inserting(table: Table, dialect: Dialect, *, replacing: bool) -> tuple[str, tuple[str, ...]]:
    """The statement as the driver takes it, and the columns in the order of its parameters."""
    statement: Any = insert(table)
    if replacing:
        made = (sqlite if dialect.name == "sqlite" else postgresql).insert(table)
        rest = {column.name: made.excluded[column.name] for column in table.c if not column.primary_key}
        statement = made.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)
    compiled: Any = statement.compile(dialect=dialect, column_keys=[column.name for column in table.c])
    return str(compiled), tuple(compiled.positiontup)
