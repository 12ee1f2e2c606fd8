"""An index whose program is killed, at whatever instant, goes on as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import random
import signal
from pathlib import Path

from sqlalchemy import Engine, select
from support.story import tell

from consentry.index import IndexFollower, open_database
from consentry.index.schema import metadata
from consentry.verification import memory_source

_KILLS = 12
_LONGEST = 0.4
"""Seconds that a program is left to work; a block takes a few milliseconds."""


def follow(url: str, blocks: list[bytes], working: object) -> None:
    """A program that indexes block after block, and says when it begins."""
    engine = open_database(url)
    working.set()  # type: ignore[attr-defined]
    IndexFollower(engine, "consentry").follow(memory_source("peer", blocks), blocks_a_transaction=1)


def contents(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def test_killed_again_and_again_it_holds_each_block_once(tmp_path: Path) -> None:
    blocks, chance = tell().chain.blocks, random.Random(9)
    url, programs = f"sqlite:///{tmp_path / 'index.sqlite'}", multiprocessing.get_context("forkserver")
    # What takes longest is imported once.
    programs.set_forkserver_preload(["consentry.index", "support.story"])
    codes = []
    for _ in range(_KILLS):
        working = programs.Event()
        program = programs.Process(target=follow, args=(url, blocks, working))
        program.start()
        assert working.wait(60)
        program.join(chance.uniform(0, _LONGEST))
        program.kill()
        program.join()
        codes.append(program.exitcode)
    assert -signal.SIGKILL in codes
    killed, whole = open_database(url), open_database("sqlite://")
    for engine in (killed, whole):
        IndexFollower(engine, "consentry").follow(memory_source("peer", blocks))
    assert contents(killed) == contents(whole)
    killed.dispose()
    whole.dispose()
