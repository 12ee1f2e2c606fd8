"""Where the index stands: kept in the rows' own database transaction, so that both are true or neither."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from consentry.errors import ConsentryError
from consentry.index.schema import checkpoint
from consentry.verification import Position

_ROW = 1


class IndexFault(ConsentryError):
    """The index cannot go on, or lacks what was asked."""


@dataclass(frozen=True)
class Checkpoint:
    """What is indexed.

    Attributes:
        channel: channel id.
        position: where verification stands.
        anchored: whether block 0 was checked against an anchor from outside.
    """

    channel: str
    position: Position
    anchored: bool


def read_checkpoint(connection: Connection) -> Checkpoint | None:
    """The checkpoint, or None where nothing is indexed yet."""
    row = connection.execute(select(checkpoint).where(checkpoint.c.id == _ROW)).first()
    if row is None:
        return None
    position = Position(
        next_block=row.next_block,
        header_hash=row.header_hash,
        commit_hash=row.commit_hash,
        genesis_hash=row.genesis_hash,
        config_block=row.config_block,
        last_config=row.last_config,
    )
    return Checkpoint(row.channel, position, row.anchored)


def require_checkpoint(connection: Connection) -> Checkpoint:
    """The checkpoint of an index that holds something.

    Raises:
        IndexFault: INDEX_EMPTY.
    """
    found = read_checkpoint(connection)
    if found is None:
        raise _empty()
    return found


def next_block(connection: Connection) -> int:
    """Number of the block after the last one that is indexed.

    Raises:
        IndexFault: INDEX_EMPTY.
    """
    found = connection.scalar(select(checkpoint.c.next_block).where(checkpoint.c.id == _ROW))
    if found is None:
        raise _empty()
    return int(found)


def write_checkpoint(connection: Connection, new: Checkpoint, expected_block: int) -> None:
    """Move the checkpoint from ``expected_block`` on.

    Raises:
        IndexFault: INDEX_MOVED if another follower wrote in between; nothing of this transaction may be kept.
    """
    values = _values(new)
    if expected_block == 0:
        connection.execute(insert(checkpoint), [values | {"id": _ROW}])
        return
    this = (checkpoint.c.id == _ROW) & (checkpoint.c.next_block == expected_block)
    if connection.execute(update(checkpoint).where(this).values(**values)).rowcount != 1:
        raise IndexFault(
            "INDEX_MOVED",
            f"Another program moved the index past block {expected_block} meanwhile; start again.",
        )


def _empty() -> IndexFault:
    return IndexFault("INDEX_EMPTY", "The index is empty; fill it with `consentry index`.")


def _values(new: Checkpoint) -> dict[str, Any]:
    return {
        "channel": new.channel,
        "next_block": new.position.next_block,
        "header_hash": new.position.header_hash,
        "commit_hash": new.position.commit_hash,
        "genesis_hash": new.position.genesis_hash,
        "config_block": new.position.config_block,
        "last_config": new.position.last_config,
        "anchored": new.anchored,
    }
