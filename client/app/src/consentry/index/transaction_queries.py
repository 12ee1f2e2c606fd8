"""Questions about transactions: valid or not, each is part of the trail."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from consentry.index.block_hours import within
from consentry.index.interpretation import TransactionRow
from consentry.index.pages import Page, PageRequest, cursor
from consentry.index.schema import INVALID, transactions
from fabric_protocol.validation_codes import ValidationCode, code_name

_NO_CODE = -1


@dataclass(frozen=True)
class TransactionFilter:
    """Which transactions are wanted; what is left out does not restrict.

    Attributes:
        code_name: validation code by Fabric's name.
        invalid_only: only transactions without effect.
        creator_msp: MSP id of who created them.
        creator: enrolment id of who created them.
        function: called function.
        transaction_id: one transaction, as often as it was submitted.
        from_block: first block.
        to_block: last block.
        since: instant of the creator's clock from which transactions count.
        until: instant of the creator's clock before which transactions count.
    """

    code_name: str | None = None
    invalid_only: bool = False
    creator_msp: str | None = None
    creator: str | None = None
    function: str | None = None
    transaction_id: str | None = None
    from_block: int | None = None
    to_block: int | None = None
    since: str | None = None
    until: str | None = None


def find_transactions(
    connection: Connection, wanted: TransactionFilter, page: PageRequest
) -> Page[TransactionRow]:
    """Transactions, valid or not, in the order of the page."""
    table = transactions.c
    equal = {
        table.code: None if wanted.code_name is None else _code(wanted.code_name),
        table.creator_msp: wanted.creator_msp,
        table.creator: wanted.creator,
        table.function: wanted.function,
        table.transaction_id: wanted.transaction_id,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if wanted.invalid_only:
        conditions.append(INVALID)
    if wanted.from_block is not None:
        conditions.append(table.block >= wanted.from_block)
    if wanted.to_block is not None:
        conditions.append(table.block <= wanted.to_block)
    if wanted.since is not None:
        conditions.append(table.proposal_time >= wanted.since)
    if wanted.until is not None:
        conditions.append(table.proposal_time < wanted.until)
    conditions += within(table.block, wanted.since, wanted.until)
    after = page.condition(transactions)
    query = select(transactions).where(and_(True, *conditions, *([] if after is None else [after])))
    rows = connection.execute(query.order_by(*page.order(transactions)).limit(page.size + 1)).all()
    items = tuple(TransactionRow(**row._mapping, code_name=code_name(row.code)) for row in rows[: page.size])
    last = items[-1] if len(rows) > page.size else None
    return Page(items, cursor(last.block, last.position) if last is not None else None)


def count_by_code(connection: Connection) -> dict[str, int]:
    """How many transactions have each validation code, by its name."""
    query = select(transactions.c.code, func.count()).group_by(transactions.c.code)
    return dict(sorted((code_name(code), int(count)) for code, count in connection.execute(query)))


def _code(name: str) -> int:
    """A validation code's number; of a name that no code has, one that no transaction has."""
    return int(ValidationCode[name]) if name in ValidationCode.__members__ else _NO_CODE
