"""An index whose program is killed, at whatever instant, goes on as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from multiprocessing.synchronize import Semaphore
from pathlib import Path

from sqlalchemy import Engine, select
from support.story import tell

from consentry.index import IndexFollower, open_database
from consentry.index.schema import metadata
from consentry.verification import memory_source

_KILLS = 12
_LONGEST = 0.01
"""Seconds between a block's commit and the kill; a block takes a few milliseconds."""


def follow(url: str, blocks: list[bytes], committed: Semaphore) -> None:
    """A program that indexes block after block, and says so of each."""
    engine = open_database(url)
    IndexFollower(engine, "consentry").follow(
        memory_source("peer", blocks), lambda _: committed.release(), blocks_a_transaction=1
    )


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
        committed = programs.Semaphore(0)
        program = programs.Process(target=follow, args=(url, blocks, committed))
        program.start()
        for _ in range(chance.randint(1, len(blocks) // _KILLS)):
            # One that is through has nothing left to say.
            while not committed.acquire(timeout=0.05) and program.is_alive():
                pass
        time.sleep(chance.uniform(0, _LONGEST))
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
