"""Long answers in pages: each page names where the next one starts, so that new rows shift nothing."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Table, or_

from consentry.errors import InputRejected

LARGEST_PAGE = 1000

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items of an answer.

    Attributes:
        items: in ledger order, or newest first if it was asked for.
        next: cursor of the page after this one; None on the last.
    """

    items: tuple[Item, ...]
    next: str | None


@dataclass(frozen=True)
class PageRequest:
    """Which page is wanted.

    Attributes:
        size: most items on it, 1 to 1000.
        after: cursor that the page before gave; None for the first page.
        newest_first: whether the last of the ledger comes first.

    Raises:
        InputRejected: PAGE_INVALID.
    """

    size: int = 100
    after: str | None = None
    newest_first: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LARGEST_PAGE:
            raise InputRejected("PAGE_INVALID", f"A page has 1 to {LARGEST_PAGE} items; got {self.size}.")
        if self.after is not None and not re.fullmatch(r"\d{1,18}\.\d{1,9}", self.after):
            raise InputRejected(
                "PAGE_INVALID", "A cursor is what the page before gave as next; got other text."
            )

    def condition(self, table: Table) -> ColumnElement[bool] | None:
        """What rows with ``block`` and ``position`` must satisfy to come after the cursor; None for all."""
        if self.after is None:
            return None
        block, position = map(int, self.after.split("."))
        # The first part says no more than the second, but by it databases find the place at once.
        place = table.c
        if self.newest_first:
            before = or_(place.block < block, (place.block == block) & (place.position < position))
            return (place.block <= block) & before
        after = or_(place.block > block, (place.block == block) & (place.position > position))
        return (place.block >= block) & after

    def order(self, table: Table) -> tuple[ColumnElement[Any], ...]:
        """How rows with ``block`` and ``position`` are to be ordered."""
        columns = (table.c.block, table.c.position)
        return tuple(column.desc() for column in columns) if self.newest_first else columns


def cursor(block: int, position: int) -> str:
    """The cursor of a row in the ledger's order."""
    return f"{block}.{position}"


def all_items(ask: Callable[[PageRequest], Page[Item]], size: int = LARGEST_PAGE) -> Iterator[Item]:
    """Every item of an answer, page by page.

    Args:
        ask: gives one page.
        size: items a page.
    """
    after: str | None = None
    while True:
        page = ask(PageRequest(size, after))
        yield from page.items
        if page.next is None:
            return
        after = page.next
