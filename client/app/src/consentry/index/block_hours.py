"""In which blocks the transactions of an hour are: times are kept in no order, blocks are.

The clocks of those who create transactions differ, and an endorsed transaction can be submitted later: an
hour is in many blocks, of which the first and the last are kept. A question about a time reads the blocks
between.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, select

from consentry.index.bulk import replace_rows
from consentry.index.schema import block_hours

_HOUR_LETTERS = len("2026-01-01T00")
_HOURS_PER_QUERY = 400


def store_hours(connection: Connection, made: Iterable[tuple[int, str]]) -> None:
    """Note in which blocks the transactions of some hours are.

    Args:
        connection: the index.
        made: block and instant of each transaction.
    """
    found: dict[str, set[int]] = defaultdict(set)
    for block, instant in made:
        found[instant[:_HOUR_LETTERS]].add(block)
    table, hours = block_hours.c, sorted(found)
    for start in range(0, len(hours), _HOURS_PER_QUERY):
        for row in connection.execute(
            select(block_hours).where(table.hour.in_(hours[start : start + _HOURS_PER_QUERY]))
        ):
            found[row.hour] |= {row.first_block, row.last_block}
    rows = [{"hour": name, "first_block": min(of), "last_block": max(of)} for name, of in found.items()]
    replace_rows(connection, block_hours, rows)


def within(block: Column[Any], since: str | None, until: str | None) -> list[ColumnElement[bool]]:
    """What the number of a block must satisfy to have transactions of a time.

    Args:
        block: the column with the number.
        since: instant from which they count; None for all before.
        until: instant before which they count; None for all after.
    """
    if since is None and until is None:
        return []
    table, hours = block_hours.c, []
    if since is not None:
        hours.append(table.hour >= since[:_HOUR_LETTERS])
    if until is not None:
        hours.append(table.hour <= until[:_HOUR_LETTERS])
    first = select(func.min(table.first_block)).where(*hours).scalar_subquery()
    last = select(func.max(table.last_block)).where(*hours).scalar_subquery()
    return [block >= first, block <= last]
