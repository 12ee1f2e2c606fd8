"""The trail index, brought up to date through one's own peer before it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from consentry.cli.output import note
from consentry.errors import LedgerUnreachable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from consentry.cli.context import CommandContext
    from consentry.index import Trail


@contextmanager
def open_database_of(context: CommandContext) -> Iterator[Engine]:
    """The index's database, closed afterwards."""
    from consentry.index import open_database

    engine = open_database(context.index_url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def open_trail(context: CommandContext) -> Iterator[Trail]:
    """The index, caught up with the own organization's peer if somebody acts (not with --local), else as is.

    If the peer cannot be reached and the index holds something, it answers with what it holds, and says so.
    """
    from consentry.index import Trail

    with open_database_of(context) as engine:
        if context.who and not context.local:
            try:
                catch_up(context, engine)
            except LedgerUnreachable:
                last = _last_block(Trail(engine))
                if last is None:
                    raise
                note(f"The ledger is unreachable; answering from the index, complete up to block {last}.")
        yield Trail(engine)


def _last_block(trail: Trail) -> int | None:
    from consentry.index import IndexFault

    try:
        return trail.status().last_block
    except IndexFault:
        return None


def catch_up(context: CommandContext, engine: Engine, compared: Sequence[str] = ()) -> tuple[int, int]:
    """Index what the own organization's peer has by now, and the peers of organizations to compare with.

    Returns:
        The number of the first block not indexed, and how many transactions were added.
    """
    from consentry.cli.progress import counted
    from consentry.index import IndexFollower
    from consentry.verification.peers import live_peers

    follower = IndexFollower(engine, context.profile.chaincode, context.kept_anchor())
    names = [context.organization.msp_id, *compared]
    with live_peers(context.profile, context.identity, names) as (peer, *others):
        total = (peer.stop or 0) + 1
        with counted("indexing blocks", total) as progress:
            done = follower.follow(peer, lambda reached: progress(reached.next_block, total), others=others)
    return done.next_block, done.transactions
