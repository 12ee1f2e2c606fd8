"""Several followers of one index: each block is proved once, whoever comes first (ADR 29)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from support.story import tell

from consentry.index import IndexFault, IndexFollower, IndexProgress, Trail, open_database
from consentry.index.schema import checkpoint, metadata
from consentry.verification import IterableSource, memory_source

STORY = tell()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    yield opened
    opened.dispose()


def follow(engine: Engine) -> IndexProgress:
    return IndexFollower(engine, "consentry").follow(memory_source("peer", STORY.chain.blocks))


def contents(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def overtaken(engine: Engine, at: int) -> IterableSource:
    """A copy during whose reading, at a block, another follower indexes what there is."""

    def read(_start: int) -> Iterator[bytes]:
        for number, data in enumerate(STORY.chain.blocks):
            if number == at:
                follow(engine)
            yield data

    return IterableSource("slow", read)


@pytest.mark.parametrize(("at", "together"), [(2, 64), (2, 1), (5, 3)])
def test_what_another_follower_indexed_meanwhile_is_passed_over(
    engine: Engine, at: int, together: int
) -> None:
    done = IndexFollower(engine, "consentry").follow(overtaken(engine, at), blocks_a_transaction=together)
    assert done.next_block == len(STORY.chain.blocks)
    other = open_database("sqlite://")
    follow(other)
    assert contents(engine) == contents(other)
    other.dispose()


def test_what_another_follower_indexed_is_not_passed_over_where_copies_are_compared(engine: Engine) -> None:
    with pytest.raises(IndexFault, match="INDEX_MOVED"):
        IndexFollower(engine, "consentry").follow(
            overtaken(engine, 2), others=[memory_source("other", STORY.chain.blocks)]
        )


def test_an_index_that_was_emptied_meanwhile_is_not_filled_in_the_middle(engine: Engine) -> None:
    blocks = STORY.chain.blocks
    IndexFollower(engine, "consentry").follow(memory_source("peer", blocks[:4]))

    def emptied(start: int) -> Iterator[bytes]:
        with engine.begin() as connection:
            connection.execute(checkpoint.delete())
        yield from blocks[start:]

    with pytest.raises(IndexFault, match="INDEX_MOVED"):
        IndexFollower(engine, "consentry").follow(IterableSource("peer", emptied))


def test_followers_in_several_threads_prove_each_block_once(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: follow(engine), range(4)))
    assert {progress.next_block for progress in done} == {len(STORY.chain.blocks)}
    assert sum(progress.transactions for progress in done) == sum(Trail(engine).status().codes.values())
    engine.dispose()
